"""From nothing to the newest schema, back, and there again."""

import logging
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import URL

from skeldir.db import migrate
from skeldir.domain import channels
from tests.conftest import Database
from tests.db.catalogue import dump
from tests.db.rows import ROWS


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


def test_what_was_summed_up_by_the_former_meaning_of_reversals_is_made_anew(empty: URL) -> None:
    """No tenant's summary is listed as complete, and every estimate waits for its answer."""
    migrate.upgrade(empty, revision="0055")
    former = {"computed_at", "checked_at", "fingerprint", "draws", "level_ppm"}
    answered = (
        dict.fromkeys(former, 1) | {"fingerprint": "f"} | dict.fromkeys(("computed_at", "checked_at"), "now")
    )
    listed = ("summarised_versions", "performance_versions", "counted_days", "counted_performance")
    rows = {table: ROWS[table] for table in ("tenants", "interval_estimates", "channel_intervals", *listed)}
    rows["interval_estimates"] = {**rows["interval_estimates"], **answered}
    plain = empty.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        for tenant in (uuid4(), uuid4()):
            for table, row in rows.items():
                values = {"tenant_id": tenant, **row}
                names, places = map(sql.Identifier, values), map(sql.Placeholder, values)
                statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    sql.Identifier(table), sql.SQL(", ").join(names), sql.SQL(", ").join(places)
                )
                connection.execute(statement, values)
        migrate.upgrade(empty, revision="0056")
        for table in (*listed, "channel_intervals"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
        answers = connection.execute("SELECT computed_at, fingerprint FROM interval_estimates").fetchall()
    assert answers == [(None, None)] * 2


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
