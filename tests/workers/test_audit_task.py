"""The nightly audit of attribution: it finds what is wrong, wherever that is, and mends a closing only."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from skeldir import cli
from skeldir.db.session import tenant_session
from skeldir.repository import attribution, attribution_audits, attribution_settings, backfills
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from workers import audits
from workers.attribution import attribute_marked
from workers.audits import audit_attribution

WORLD = worlds.make(seed=21, journeys=60)
NOTHING_WRONG = {
    "wrong_sum_count": 0,
    "left_out_count": 0,
    "wrong_digest_count": 0,
    "wrong_day_count": 0,
    "wrong_summary_count": 0,
    "wrong_closing_count": 0,
}
DAMAGE = {
    "wrong_sum_count": """UPDATE allocations SET allocated_cents = allocated_cents + 1
                           WHERE (model_version, entry_id, channel_code, campaign_id) = (
                                 SELECT model_version, entry_id, channel_code, campaign_id FROM allocations
                                  WHERE tenant_id = %(tenant)s AND model_version LIKE 'linear%%' LIMIT 1)
                             AND tenant_id = %(tenant)s""",
    "left_out_count": """DELETE FROM allocations
                          WHERE tenant_id = %(tenant)s AND model_version LIKE 'linear%%'
                            AND entry_id = (SELECT entry_id FROM allocations WHERE tenant_id = %(tenant)s
                                             AND allocated_cents > 0 LIMIT 1)""",
    "wrong_digest_count": """UPDATE order_digests SET high = high + 1 WHERE tenant_id = %(tenant)s
                               AND order_id = (SELECT min(order_id) FROM order_digests
                                                WHERE tenant_id = %(tenant)s)""",
    "wrong_day_count": """UPDATE day_digests SET low = low + 1 WHERE tenant_id = %(tenant)s
                            AND day = (SELECT min(day) FROM day_digests WHERE tenant_id = %(tenant)s)""",
    "wrong_summary_count": """UPDATE channel_days SET cash_cents = cash_cents + 1 WHERE tenant_id = %(tenant)s
                                AND ctid = (SELECT min(ctid) FROM channel_days
                                             WHERE tenant_id = %(tenant)s)""",
}


def run(task: Any, tenant: UUID) -> dict[str, Any]:
    told: dict[str, Any] = task.apply(kwargs={"tenant_id": str(tenant)}, task_id=str(uuid4())).get()
    return told


@pytest.fixture
def attributed(database: Database, tenant: UUID) -> UUID:
    """Return a tenant that was attributed under all models, of which every one covers all orders."""
    with tenant_session(tenant) as session:
        backfills.adopt(session, attribution_settings.current(session))
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        settings = attribution_settings.current(session)
        while not backfills.step(session, settings, 100).is_over:
            pass
    with database.connect() as connection:
        worlds.store(connection, tenant, WORLD)
        worlds.mark(connection, tenant, WORLD.journeys)
    assert run(attribute_marked, tenant)["outcome"] == "attributed"
    return tenant


def damage(database: Database, tenant: UUID, statement: str) -> None:
    with database.connect() as connection:
        connection.execute("SET session_replication_role = 'replica'")
        assert connection.execute(statement, {"tenant": tenant}).rowcount > 0


def audits_of(connection: psycopg.Connection, tenant: UUID) -> list[tuple[Any, ...]]:
    return connection.execute(
        """SELECT completed_at IS NOT NULL, order_count, wrong_sum_count FROM attribution_audits
            WHERE tenant_id = %s ORDER BY started_at""",
        (tenant,),
    ).fetchall()


def test_an_audit_of_what_jobs_wrote_finds_nothing_wrong(
    database: Database, attributed: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every order is looked at, some at a time, and what was found is kept; what is marked is not wrong."""
    monkeypatch.setattr(audits, "ORDERS_AT_ONCE", 7)
    entries = sum(booking.effect_cents != 0 for booking in WORLD.bookings)
    late = worlds.World([worlds.Visit(UUID(int=9), WORLD.sales[0].journey_id, worlds.START, "email")], [], [])
    with database.connect() as connection:
        worlds.store(connection, attributed, late)
        worlds.mark(connection, attributed, late.journeys)
        told = run(audit_attribution, attributed)
        counts = {"order_count": len(WORLD.sales), "entry_count": entries}
        assert told == {"outcome": "audited", **counts, **NOTHING_WRONG}
        assert audits_of(connection, attributed) == [(True, len(WORLD.sales), 0)]


@pytest.mark.parametrize("what", DAMAGE)
def test_an_audit_finds_what_is_wrong_and_leaves_it(
    database: Database, attributed: UUID, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A sum, an entry without rows, a digest of an order or a day, a summary: told as an error, each time."""
    damage(database, attributed, DAMAGE[what])
    for _ in range(2):
        told = run(audit_attribution, attributed)
        assert told[what] > 0
        assert "found wrong" in caplog.text
        caplog.clear()


def test_operators_list_what_audits_found(
    database: Database, attributed: UUID, make_tenant: Callable[[], UUID]
) -> None:
    """The latest first, of one tenant."""
    run(audit_attribution, make_tenant())
    told = [run(audit_attribution, attributed)]
    damage(database, attributed, DAMAGE["wrong_sum_count"])
    told.insert(0, run(audit_attribution, attributed))

    done = CliRunner().invoke(cli.app, ["audits", "list", "--tenant", str(attributed), "--json"])

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["audits"]
    assert [{name: one[name] for name in one if name.endswith("_count")} for one in found] == [
        {name: one[name] for name in one if name.endswith("_count")} for one in told
    ]
    assert [one["wrong_sum_count"] for one in found] == [1, 0]
    assert all(one["started_at"] < one["completed_at"] for one in found)


def test_of_two_audits_of_a_tenant_one_works(database: Database, attributed: UUID) -> None:
    """The other leaves it at that, and an audit that was interrupted is gone on with."""
    with tenant_session(attributed, engine=database.engine("app_worker")) as working:
        assert attribution_audits.take_turn(working)
        assert run(audit_attribution, attributed) == {"outcome": "busy"}
    with tenant_session(attributed, engine=database.engine("app_worker")) as session:
        attribution.begin(session)
        audit = attribution_audits.go_on(session)
        audit, has_more = attribution_audits.look_at_orders(session, audit, [], 3)
        assert has_more
        attribution_audits.write_down(session, audit, is_over=False)
    assert run(audit_attribution, attributed)["order_count"] == len(WORLD.sales)
    with database.connect() as connection:
        assert len(audits_of(connection, attributed)) == 1
