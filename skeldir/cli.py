"""The `skeldir` command: what operators run."""

import sys
from typing import NoReturn

import typer
from psycopg.errors import InsufficientPrivilege, InvalidSchemaName, UndefinedFunction, UndefinedTable
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from skeldir.commands import audits, demo, jobs, keys, retention, serve, tenant, up, user
from skeldir.db.binaries import EmbeddedServerError
from skeldir.domain.errors import SkeldirError
from skeldir.security.keys import KeyRingError
from skeldir.settings import Settings

REFUSED, UNREACHABLE = 1, 3  # 2 is a wrong usage's, by custom

app = typer.Typer(
    name="skeldir",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Which marketing channel really earned the revenue: signed webhooks in, attributed cents out.",
    epilog="Settings come from SKELDIR_… variables: see README. Exit codes: 0 done, 1 refused, 2 wrong "
    "usage, 3 no usable database.",
)
app.command()(up.up)
app.command()(demo.demo)
app.add_typer(tenant.app, name="tenant")
app.add_typer(user.app, name="user")
app.add_typer(keys.app, name="keys")
app.add_typer(jobs.app, name="jobs")
app.add_typer(retention.app, name="retention")
app.add_typer(audits.app, name="audits")
for part in (serve.migrate, serve.api, serve.worker, serve.beat, serve.new_keys):
    app.command(rich_help_panel="The parts, one by one")(part)


def main() -> None:
    """Run the command line; what went wrong is one sentence, not a traceback."""
    try:
        app()
    except (SkeldirError, KeyRingError) as error:
        _fail(REFUSED, str(error))
    except EmbeddedServerError as error:
        _fail(UNREACHABLE, str(error))
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        _fail(REFUSED, "\n".join(_setting(fault) for fault in error.errors()))
    except ArgumentError:
        _fail(UNREACHABLE, "A database's address is written like postgresql://user:password@host/name.")
    except OperationalError as error:
        _fail(UNREACHABLE, f"The database cannot be reached: {_first_line(error)}")
    except DBAPIError as error:
        missing = (UndefinedTable, UndefinedFunction, InvalidSchemaName, InsufficientPrivilege)
        if not isinstance(error.orig, missing):
            raise
        _fail(UNREACHABLE, f"The database lacks something: run `skeldir migrate`. {_first_line(error)}")


def _setting(fault: ErrorDetails) -> str:
    """Name the variable and what is wrong with it, without its value: that may be a secret."""
    name = str(fault["loc"][0])
    variable = name if name.isupper() else f"SKELDIR_{name.upper()}"
    return f"{variable}: {fault['msg']}."


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]


def _fail(code: int, message: str) -> NoReturn:
    typer.secho(message, fg="red", err=True)
    sys.exit(code)
