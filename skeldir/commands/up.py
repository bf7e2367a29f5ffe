"""`skeldir up`: the service on this machine, until Ctrl-C."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from skeldir.commands.up_service import Options, Service, running
from skeldir.supervisor import ChildEnded, Stopped, stoppable

FRAME_COLUMNS: Final = 4

Host = Annotated[str, typer.Option(help="The address to listen at.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port to listen at; 0 picks a free one.")]
Workers = Annotated[int, typer.Option(min=1, help="How many processes answer requests.")]


def up(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON when it is ready, for scripts.")
    ] = False,
    ephemeral: Annotated[bool, typer.Option(help="Use a fresh database and keep nothing of it.")] = False,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
) -> None:
    """Start database, API, console and worker on this machine, and print how to use them.

    The database is an embedded one unless DATABASE_URL is set. The first start makes a tenant with an
    administrator and webhook endpoints; its credentials are kept, readable by you alone, in local.json
    of the data directory, and printed again at later starts.
    """
    options = Options(host, port, workers, ephemeral=ephemeral)
    progress = Console(stderr=True)
    try:
        with stoppable(), running(options, lambda text: progress.print(text, style="dim")) as service:
            if as_json:
                print(json.dumps(facts(service)), flush=True)  # noqa: T201 - the one line promised
            else:
                show_entrance(Console(highlight=False), service)
                progress.print("Ctrl-C ends it.", style="dim")
            service.supervisor.watch()
    except Stopped:
        progress.print("Stopped.", style="dim")
    except ChildEnded as ended:
        fail(ended)


def facts(service: Service) -> dict[str, Any]:
    """Return what a script needs to use the service."""
    return {
        "base_url": service.base_url,
        **service.credentials.facts(service.base_url),
        "console_url": f"{service.base_url}/console/",
        "docs_url": f"{service.base_url}/docs",
        "data_dir": str(service.data_dir),
        "log_dir": str(service.log_dir),
    }


def show_entrance(console: Console, service: Service) -> None:
    """Print the addresses and credentials; in a frame only where no line of it must be broken.

    A key or an address that is broken by a frame cannot be copied; one that the terminal breaks can.
    """
    lines = [Text.assemble((f"{name:<12}", "bold"), value) for name, value in _entrance(service)]
    if max(line.cell_len for line in lines) + FRAME_COLUMNS <= console.width:
        title = Panel(
            Group(*lines), title="Skeldir is up", title_align="left", border_style="green", expand=False
        )
        console.print(title)
        return
    console.print("Skeldir is up", style="bold green")
    for line in lines:
        console.print(line, soft_wrap=True)


def _entrance(service: Service) -> list[tuple[str, str]]:
    told = service.credentials
    rows = [
        ("Console", f"{service.base_url}/console/sign-in?tenant={told.tenant_id}"),
        ("  e-mail", told.email),
        ("  password", told.password),
        ("Contracts", f"{service.base_url}/docs"),
        ("Tenant", told.tenant_id),
        ("  key", told.tenant_key),
    ]
    for vendor, webhook in told.webhooks.items():
        rows += [(vendor.capitalize(), service.base_url + webhook.path), ("  secret", webhook.secret)]
    return [*rows, ("Logs", str(_short(service.log_dir)))]


def fail(ended: ChildEnded) -> NoReturn:
    """Say which process ended and end with its exit code."""
    Console(stderr=True, highlight=False, markup=False).print(str(ended), style="red", soft_wrap=True)
    sys.exit(ended.exit_code)


def _short(path: Path) -> Path:
    home = Path.home()
    return Path("~") / path.relative_to(home) if path.is_relative_to(home) else path
