"""Bring a database to the newest schema."""

from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, create_engine
from sqlalchemy.pool import NullPool

from skeldir.db import roles
from skeldir.db.engine import bootstrap_url, get_url, login_passwords


def upgrade(url: URL | None = None, *, revision: str = "head") -> None:
    """Make the roles that are missing and run the revisions that are; harmless to repeat.

    `url`: a database reached by a login that may create roles. Unset: the settings' database.
    """
    roles.bootstrap(url or bootstrap_url(), passwords=None if url else login_passwords())
    command.upgrade(config(url), revision)


def current_heads(url: URL | None = None) -> tuple[str, ...]:
    """Return the revisions that the database is at; empty for a new one."""
    engine = create_engine(url or get_url("skeldir_owner"), poolclass=NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_heads()


def newest_heads() -> tuple[str, ...]:
    """Return the revisions that this code was written for."""
    return tuple(ScriptDirectory.from_config(config()).get_heads())


def config(url: URL | None = None) -> Config:
    """Return Alembic's configuration, which here needs no file."""
    made = Config()
    made.set_main_option("script_location", str(_folder()))
    if url is not None:
        made.attributes["url"] = url.update_query_dict({"options": "-crole=skeldir_owner"})
    return made


def _folder() -> Path:
    """Find the package of revisions by name: nothing that runs imports it."""
    found = find_spec("migrations")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("the package migrations is not installed")
    return Path(found.submodule_search_locations[0])
