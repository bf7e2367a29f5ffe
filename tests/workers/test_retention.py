"""What is older than its policy allows goes, by one function, which notes it; money stays."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from skeldir import cli
from skeldir.app import create_app
from skeldir.db.session import tenant_session
from skeldir.queue import messages
from skeldir.queue.messages import QUEUES, Message
from skeldir.queue.sending import send
from tests import waiting
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import open_shop
from tests.vendors.payloads import shopify_order
from workers import housekeeping, retention
from workers.retention import enforce_retention

LETTER: Final = """
    INSERT INTO dead_letters (tenant_id, dead_letter_id, vendor, topic, reason_code, payload, received_at)
    VALUES (%(tenant)s, %(id)s, 'stripe', 't', %(reason)s, '{"amount": 1}', now() - %(age)s::interval)
"""
ATTEMPT: Final = """
    INSERT INTO dead_letter_attempts (tenant_id, attempt_id, dead_letter_id, attempted_at, is_dry_run,
                                      outcome)
    VALUES (%(tenant)s, gen_random_uuid(), %(id)s, now() - %(age)s::interval, false, 'resolved')
"""
DELIVERY: Final = """
    INSERT INTO deliveries (tenant_id, delivery_id, vendor, topic, outcome, receipt, dead_letter_id,
                            received_at, last_received_at)
    VALUES (%(tenant)s, gen_random_uuid(), 'stripe', 't', 'recorded', '{}', %(id)s,
            now() - %(age)s::interval, now() - %(age)s::interval)
"""
MANIFEST: Final = """
    INSERT INTO export_manifests (tenant_id, export_id, dataset, format, model, model_version, mode,
                                  snapshot_at, ends_at, totals)
    VALUES (%(tenant)s, %(id)s, 'revenue', 'csv', 'linear', 'linear.1+30d', 'cash',
            now() - %(age)s::interval, now() - %(age)s::interval, '[]')
"""
# policy: (table, a row of an age, younger than what goes, older than what stays)
SIMPLE: Final = {
    "dead_letter_attempts": ("dead_letter_attempts", ATTEMPT, "364 days", "366 days"),
    "deliveries": ("deliveries", DELIVERY, "89 days", "91 days"),
    "export_manifests": ("export_manifests", MANIFEST, "364 days", "366 days"),
}
RUNS: Final = "SELECT policy, table_name, action, row_count FROM retention_runs WHERE tenant_id = %s"


@pytest.fixture
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        yield connection


def add(
    superuser: psycopg.Connection, row: str, tenant: UUID, age: str, reason: str = "invalid_json"
) -> UUID:
    made = uuid4()
    superuser.execute(row.encode(), {"tenant": tenant, "id": made, "age": age, "reason": reason})
    return made


def settle(superuser: psycopg.Connection, letter: UUID, age: str) -> None:
    superuser.execute("UPDATE dead_letters SET status = 'in_progress' WHERE dead_letter_id = %s", [letter])
    superuser.execute(
        """UPDATE dead_letters SET status = 'resolved', resolved_at = now() - %s::interval
            WHERE dead_letter_id = %s""",
        [age, letter],
    )


def enforce(tenant: UUID) -> dict[str, Any]:
    result: dict[str, Any] = enforce_retention.apply(kwargs={"tenant_id": str(tenant)}, throw=True).get()
    return {policy: count for policy, count in result.items() if count}


def runs(superuser: psycopg.Connection, tenant: UUID) -> list[tuple[Any, ...]]:
    return superuser.execute(RUNS, [tenant]).fetchall()


def count(superuser: psycopg.Connection, table: str, tenant: UUID) -> int:
    found = superuser.execute(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", [tenant]).fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize("policy", SIMPLE)
def test_an_old_row_goes_and_a_young_one_stays(
    superuser: psycopg.Connection, tenant: UUID, make_tenant: Callable[[], UUID], policy: str
) -> None:
    """Only the tenant's own; what went is noted once, and once more changes nothing."""
    table, row, young, old = SIMPLE[policy]
    other = make_tenant()
    for one in (tenant, other):
        add(superuser, row, one, young)
        add(superuser, row, one, old)

    assert enforce(tenant) == {policy: 1}
    assert enforce(tenant) == {}
    assert (count(superuser, table, tenant), count(superuser, table, other)) == (1, 2)
    assert runs(superuser, tenant) == [(policy, table, "deleted", 1)]
    assert runs(superuser, other) == []


def test_a_letter_loses_its_payload_and_once_it_is_settled_goes(
    superuser: psycopg.Connection, tenant: UUID
) -> None:
    """Its attempts are known for longer, and its delivery as long as it."""
    waits = add(superuser, LETTER, tenant, "91 days")
    add(superuser, LETTER, tenant, "89 days")
    settled = add(superuser, LETTER, tenant, "100 days")
    settle(superuser, settled, "31 days")
    settled_lately = add(superuser, LETTER, tenant, "100 days")
    settle(superuser, settled_lately, "29 days")
    superuser.execute(ATTEMPT, {"tenant": tenant, "id": settled, "age": "31 days"})
    superuser.execute(DELIVERY, {"tenant": tenant, "id": waits, "age": "91 days"})

    assert enforce(tenant) == {"dead_letter_payloads": 3, "settled_dead_letters": 1}
    left = superuser.execute(
        "SELECT dead_letter_id, payload IS NULL FROM dead_letters WHERE tenant_id = %s", [tenant]
    ).fetchall()
    assert {row[0] for row in left if row[1]} == {waits, settled_lately}
    assert len(left) == 3
    assert count(superuser, "dead_letter_attempts", tenant) == 1
    assert count(superuser, "deliveries", tenant) == 1
    assert set(runs(superuser, tenant)) == {
        ("dead_letter_payloads", "dead_letters", "emptied", 3),
        ("settled_dead_letters", "dead_letters", "deleted", 1),
    }


def test_an_abandoned_letter_goes_by_when_it_was_abandoned(
    superuser: psycopg.Connection, tenant: UUID
) -> None:
    for age in ("31 days", "29 days"):
        letter = add(superuser, LETTER, tenant, "80 days")
        superuser.execute(
            "UPDATE dead_letters SET status = 'abandoned', abandoned_reason = 'r' WHERE dead_letter_id = %s",
            [letter],
        )
        superuser.execute(ATTEMPT, {"tenant": tenant, "id": letter, "age": age})
    assert enforce(tenant) == {"settled_dead_letters": 1}


def test_parked_messages_go_by_age(
    superuser: psycopg.Connection,
    tenant: UUID,
    make_tenant: Callable[[], UUID],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A tenant's own by its retention; what is nobody's, or unreadable, before tenants are sent for."""
    caplog.set_level("INFO")
    waiting.clear(superuser)
    superuser.execute("DELETE FROM skeldir_broker.parked_messages")
    for whose in (tenant, tenant, make_tenant()):
        send(messages.prune_tenant(tenant_id=whose))
    send(Message("housekeeping.sweep", "housekeeping"))
    waiting.fill(superuser, "housekeeping", 1)
    _, mine_lately, anothers, system, unreadable = waiting.park(superuser, *QUEUES)
    superuser.execute(
        """UPDATE skeldir_broker.parked_messages
              SET parked_at = now() - CASE WHEN message_id = %s THEN interval '89 days' ELSE '91 days' END,
                  body = CASE WHEN message_id = %s THEN 'no JSON' ELSE body END""",
        [mine_lately, unreadable],
    )

    def left() -> list[int]:
        rows = superuser.execute("SELECT message_id FROM skeldir_broker.parked_messages ORDER BY message_id")
        return [row[0] for row in rows.fetchall()]

    assert enforce(tenant) == {"parked_messages": 1}
    assert left() == [mine_lately, anothers, system, unreadable]
    assert runs(superuser, tenant) == [("parked_messages", "parked_messages", "deleted", 1)]
    housekeeping.enforce_retention.apply(throw=True)
    assert left() == [mine_lately, anothers]
    assert "parked messages of no tenant went by age" in caplog.text
    superuser.execute("DELETE FROM skeldir_broker.parked_messages")
    waiting.clear(superuser)


def test_parked_messages_of_no_tenant_go_in_batches_of_one_task(
    superuser: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are: a night does not end with the first batch."""
    monkeypatch.setattr(housekeeping, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(housekeeping, "BATCHES_MAX", 3)
    waiting.clear(superuser)
    superuser.execute("DELETE FROM skeldir_broker.parked_messages")
    waiting.fill(superuser, "housekeeping", 7)
    waiting.park(superuser, *QUEUES)
    superuser.execute("UPDATE skeldir_broker.parked_messages SET parked_at = now() - interval '91 days'")

    housekeeping.enforce_retention.apply(throw=True)
    rows = superuser.execute("SELECT message_id FROM skeldir_broker.parked_messages").fetchall()
    assert len(rows) == 1
    housekeeping.enforce_retention.apply(throw=True)
    assert superuser.execute("SELECT message_id FROM skeldir_broker.parked_messages").fetchall() == []
    waiting.clear(superuser)


def test_operators_list_what_went(
    superuser: psycopg.Connection, tenant: UUID, make_tenant: Callable[[], UUID]
) -> None:
    """The latest first, of one tenant."""
    for whose, row in ((make_tenant(), DELIVERY), (tenant, MANIFEST), (tenant, DELIVERY)):
        add(superuser, row, whose, "366 days")
        enforce(whose)

    done = CliRunner().invoke(cli.app, ["retention", "list", "--tenant", str(tenant), "--json"])

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["retention_runs"]
    assert [(run["policy"], run["table_name"], run["action"], run["row_count"]) for run in found] == [
        ("deliveries", "deliveries", "deleted", 1),
        ("export_manifests", "export_manifests", "deleted", 1),
    ]
    assert all(run["older_than"] < run["ran_at"] for run in found)


def test_what_is_in_quarantine_keeps_its_payload(superuser: psycopg.Connection, tenant: UUID) -> None:
    """It is money, held until the tenant is resumed, however long that takes."""
    add(superuser, LETTER, tenant, "1000 days", "tenant_suspended")
    assert enforce(tenant) == {}


def test_a_delivery_that_booked_something_stays_with_its_event(
    database: Database, superuser: psycopg.Connection
) -> None:
    """It is what a repeated delivery is known by: that is told its first receipt and changes nothing."""
    assert database
    shop = open_shop(Api(create_app()))
    first = shop.shopify("orders/paid", shopify_order())
    superuser.execute(
        """UPDATE deliveries SET received_at = now() - interval '1000 days',
                                 last_received_at = now() - interval '1000 days' WHERE tenant_id = %s""",
        [shop.tenant_id],
    )
    booked = shop.entries()
    assert booked

    assert enforce(shop.tenant_id) == {}
    again = shop.shopify("orders/paid", shopify_order())
    assert (again.status_code, again.json()["event_id"]) == (200, first.json()["event_id"])
    assert shop.entries() == booked


@pytest.mark.parametrize("role", ["app_user", "app_worker", "app_admin"])
def test_nobody_deletes_by_himself(database: Database, tenant: UUID, role: Any) -> None:
    """Neither what retention lets go, nor what it noted, nor the ledger."""
    engine = database.engine(role)
    for table in ("dead_letters", "dead_letter_attempts", "deliveries", "retention_runs", "ledger_entries"):
        with pytest.raises(Exception, match="denied"), tenant_session(tenant, engine=engine) as session:
            session.execute(text(f"DELETE FROM {table}"))


@pytest.mark.parametrize("table", ["ledger_entries", "events", "facts", "retention_runs"])
def test_retention_cannot_touch_money(superuser: psycopg.Connection, tenant: UUID, table: str) -> None:
    """There is no policy for it; its role has no right to it; and the table itself refuses even the right."""
    assert tenant
    with pytest.raises(psycopg.Error, match="no policy"):
        superuser.execute("SELECT skeldir_pruner.enforce(%s, 90, 1000)", [table])
    with superuser.transaction(force_rollback=True):
        superuser.execute("SET LOCAL ROLE skeldir_pruner")
        with pytest.raises(psycopg.Error, match="denied"), superuser.transaction():
            superuser.execute(f"DELETE FROM {table}")
        superuser.execute("RESET ROLE")
        superuser.execute(f"GRANT SELECT, DELETE ON {table} TO skeldir_pruner")
        superuser.execute("SET LOCAL ROLE skeldir_pruner")
        with pytest.raises(psycopg.Error, match="rows are facts"), superuser.transaction():
            superuser.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize(("days", "rows"), [(6, 1000), (90, 0), (90, 100_000)])
def test_a_week_is_kept_whatever_is_asked_for(database: Database, tenant: UUID, days: int, rows: int) -> None:
    """The functions keep their bounds themselves: whoever may call them cannot empty a table by them."""
    for function in ("skeldir_pruner.enforce('deliveries', ", "skeldir_broker.prune_ownerless_parked("):
        with (
            pytest.raises(Exception, match="keeps a week"),
            tenant_session(tenant, engine=database.engine("app_worker")) as session,
        ):
            session.execute(text(f"SELECT {function}:days, :rows)"), {"days": days, "rows": rows})


def test_a_backlog_goes_in_batches_and_the_rest_with_the_next_task(
    superuser: psycopg.Connection, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(retention, "BATCHES_MAX", 2)
    waiting.clear(superuser)
    for _ in range(5):
        add(superuser, DELIVERY, tenant, "91 days")

    assert enforce(tenant) == {"deliveries": 4}
    assert [headers["task"] for headers in waiting.headers(superuser)] == ["maintenance.enforce_retention"]
    assert enforce(tenant) == {"deliveries": 1}
    assert [row[3] for row in runs(superuser, tenant)] == [2, 2, 1]
    waiting.clear(superuser)
