"""From nothing to the newest schema, back, and there again."""

import logging
from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import URL

from skeldir.db import migrate
from skeldir.domain import channels
from tests.conftest import Database
from tests.db.catalogue import dump


@pytest.fixture
def empty(database: Database) -> Iterator[URL]:
    """Make a database with nothing in it; its URL logs in as somebody who may create roles."""
    name = f"{database.name}_empty"
    with database.connect() as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    yield database.superuser.set(database=name)
    with database.connect() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def schema(url: URL) -> list[str]:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        return dump(connection)


def test_there_is_one_head_and_every_revision_is_numbered() -> None:
    script = ScriptDirectory.from_config(migrate.config())
    revisions = [revision.revision for revision in script.walk_revisions()]

    assert revisions == [f"{number:04}" for number in range(len(revisions), 0, -1)]
    assert migrate.newest_heads() == (revisions[0],)


def test_every_downgrade_leads_back_to_the_schema_before(empty: URL) -> None:
    migrate.upgrade(empty, revision="base")
    steps = {"base": schema(empty)}
    revisions = [r.revision for r in ScriptDirectory.from_config(migrate.config()).walk_revisions()]
    for revision in reversed(revisions):
        migrate.upgrade(empty, revision=revision)
        assert migrate.current_heads(empty) == (revision,)
        steps[revision] = schema(empty)

    for target in [*revisions[1:], "base"]:
        command.downgrade(migrate.config(empty), target)
        assert schema(empty) == steps[target], target
    migrate.upgrade(empty)
    assert schema(empty) == steps[revisions[0]]


def test_the_tables_are_what_the_metadata_says(database: Database) -> None:
    command.check(migrate.config(database.superuser))


def test_the_check_would_notice_a_difference(empty: URL) -> None:
    migrate.upgrade(empty)
    plain = empty.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("ALTER TABLE orders ADD COLUMN surprise text")

    with pytest.raises(Exception, match="surprise"):
        command.check(migrate.config(empty))


def test_migrating_again_changes_nothing(empty: URL) -> None:
    migrate.upgrade(empty)
    before = schema(empty)

    migrate.upgrade(empty)

    assert schema(empty) == before


def test_migrating_leaves_logging_as_it_was(database: Database) -> None:
    level = logging.getLogger().level

    migrate.upgrade(database.superuser)

    assert logging.getLogger().level == level


def test_the_channels_are_the_ones_that_the_domain_knows(database: Database) -> None:
    with database.connect() as connection:
        codes = {code for (code,) in connection.execute("SELECT code FROM channel_taxonomy")}

    known = {channels.DIRECT, channels.UNKNOWN, *channels._CLICK_IDS.values()}
    known |= {code for _, _, code in channels._RULES}
    assert codes == known
