"""The tasks that belong to no tenant: who is woken up, and what is cleared away."""

from collections.abc import Callable
from uuid import UUID

import pytest
from celery.schedules import crontab
from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.queue import messages, sending
from skeldir.queue.sending import send, send_after_commit
from skeldir.repository import broker
from tests import waiting
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from workers import housekeeping
from workers.base import SystemTask
from workers.housekeeping import fulfil_privacy_requests, scan_tenants, sweep
from workers.schedule import BEAT_SCHEDULE, DAY

FAN_OUTS = (
    (housekeeping.refit_tenants, "attribution.refit_models"),
    (housekeeping.prune_tenants, "maintenance.prune_tenant"),
    (housekeeping.enforce_retention, "maintenance.enforce_retention"),
    (housekeeping.refresh_summaries, "attribution.refresh_summaries"),
    (housekeeping.refresh_intervals, "maintenance.refresh_intervals"),
    (housekeeping.audit_tenants, "maintenance.audit_attribution"),
    (housekeeping.scan_tenants, "maintenance.scan_personal_data"),
    (housekeeping.measure_unknown_shares, "maintenance.measure_unknown_share"),
)

PUBLISH = "skeldir_broker.publish(text, text, text, smallint, integer, timestamptz, timestamptz, text)"


def sent(database: Database, tenant: UUID) -> list[str]:
    """Return the names of the tasks that wait for a worker on behalf of a tenant."""
    with database.connect() as connection:
        return waiting.names(connection, tenant)


def test_the_sweep_wakes_up_whoever_has_work(
    database: Database, tenant: UUID, make_tenant: Callable[[], UUID]
) -> None:
    """A tenant with rested marks is sent for; one without, or marked this very moment, is not."""
    fresh, idle = make_tenant(), make_tenant()
    with database.connect() as connection:
        waiting.clear(connection)
        worlds.mark(connection, tenant, ["j"])
        worlds.mark(connection, fresh, ["j"], age_seconds=0)
    assert sweep.apply(throw=True).get() >= 1
    assert sent(database, tenant) == ["attribution.attribute_marked", "attribution.resume_windows"]
    assert sent(database, fresh) == []
    assert sent(database, idle) == []


def test_a_sweep_adds_nothing_to_what_already_waits(database: Database, tenant: UUID) -> None:
    """Workers that cannot keep up find one message per tenant in their queue, not one per sweep."""
    with database.connect() as connection:
        waiting.clear(connection)
        worlds.mark(connection, tenant, ["j"])
        sweep.apply(throw=True)
        once = sent(database, tenant)
        waiting.age(connection, 5)
    assert sweep.apply(throw=True).get() == 0
    assert sent(database, tenant) == once


def test_another_tenant_s_fresh_messages_stop_no_sweep(
    database: Database, tenant: UUID, make_tenant: Callable[[], UUID]
) -> None:
    """Where there always is a message on its way, a lost one is still made up for."""
    with database.connect() as connection:
        waiting.clear(connection)
        worlds.mark(connection, tenant, ["j"])
    send(messages.attribute_marked(tenant_id=make_tenant()))
    sweep.apply(throw=True)
    assert sent(database, tenant) == ["attribution.attribute_marked", "attribution.resume_windows"]


def test_whoever_has_waited_too_long_is_seen_behind_what_is_fresh(database: Database) -> None:
    """In each lane of each priority. Only the first of a lane is looked at: it was sent before the others."""
    fill = """INSERT INTO skeldir_broker.messages (queue, priority, lane, body)
              SELECT %s, priority, lane, '{}' FROM generate_series(0, 9, 9) AS priority,
                     unnest(ARRAY[-2147483648, -5, 2147483647]) AS lane, generate_series(1, 2)"""
    age = """UPDATE skeldir_broker.messages SET sent_at = sent_at - make_interval(secs => %s)
              WHERE message_id = %s"""
    first = "SELECT min(message_id) FROM skeldir_broker.messages WHERE queue = %s GROUP BY priority, lane"
    with database.connect() as connection, database.engine("app_worker").connect() as worker:
        waiting.clear(connection)
        for queue in ("attribution", "maintenance"):
            connection.execute(fill, [queue])
        connection.execute("UPDATE skeldir_broker.messages SET sent_at = 'epoch' WHERE queue = 'maintenance'")

        def is_seen() -> bool:
            return broker.has_waiting(worker, "attribution", longer_than_seconds=30)

        seen = [is_seen()]
        for row in connection.execute(first, ["attribution"]).fetchall():
            connection.execute(age, [60, *row])
            seen.append(is_seen())
            connection.execute(age, [-60, *row])
        waiting.clear(connection)
    assert seen == [False, *[True] * 6]


# By the database's clock, with which no sender's or worker's need agree.
LIVES = """
    SELECT extract(epoch FROM expires_at - sent_at) FROM skeldir_broker.messages WHERE body LIKE %s
"""


@pytest.mark.parametrize(("fan_out", "name"), FAN_OUTS, ids=[name for _, name in FAN_OUTS])
def test_every_tenant_is_sent_for(database: Database, tenant: UUID, fan_out: SystemTask, name: str) -> None:
    """One message per tenant, which lives until the next is due, so that a long queue keeps out nobody."""
    (schedule,) = [entry["schedule"] for entry in BEAT_SCHEDULE.values() if entry["task"] == fan_out.name]
    period = DAY if isinstance(schedule, crontab) else schedule
    with database.connect() as connection:
        waiting.clear(connection)
        assert fan_out.apply(throw=True).get() >= 1
        told = [one for one in waiting.headers(connection) if str(tenant) in one["kwargsrepr"]]
        lives = connection.execute(LIVES, [f"%{tenant}%"]).fetchall()
    assert [(one["task"], one["expires"]) for one in told] == [(name, None)]
    assert [round(seconds) for (seconds,) in lives] == [period]


def test_a_wake_up_leaves_after_the_commit_and_once_per_interval(database: Database, tenant: UUID) -> None:
    """Nothing is sent for what is rolled back; what many requests mark is worth one message."""
    message = messages.attribute_marked(tenant_id=tenant)
    try:
        with tenant_session(tenant) as session:
            send_after_commit(session, message, at_most_every_seconds=60)
            raise ZeroDivisionError  # noqa: TRY301 - the rollback under test
    except ZeroDivisionError:
        assert sent(database, tenant) == []
    for _ in range(3):
        with tenant_session(tenant) as session:
            send_after_commit(session, message, at_most_every_seconds=60)
            session.execute(text("SELECT 1"))
            assert len(sent(database, tenant)) <= 1
    assert sent(database, tenant) == ["attribution.attribute_marked"]


def test_the_end_of_a_savepoint_is_no_commit(database: Database, tenant: UUID) -> None:
    """Nobody is woken up for what cannot be seen yet."""
    with tenant_session(tenant) as session:
        send_after_commit(session, messages.attribute_marked(tenant_id=tenant))
        with session.begin_nested():
            session.execute(text("SELECT 1"))
        assert sent(database, tenant) == []
    assert sent(database, tenant) == ["attribution.attribute_marked"]


def test_a_broker_that_fails_fails_no_request(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction has committed by then; the sweep makes up for the lost message."""
    monkeypatch.setattr(sending, "_rest", sending.Rest())
    with database.connect() as connection:
        connection.execute(f"REVOKE EXECUTE ON FUNCTION {PUBLISH} FROM app_rw")
        try:
            with tenant_session(tenant) as session:
                session.execute(text("SELECT 1"))
                send_after_commit(session, messages.attribute_marked(tenant_id=tenant))
        finally:
            connection.execute(f"GRANT EXECUTE ON FUNCTION {PUBLISH} TO app_rw")
    assert sent(database, tenant) == []
    send(messages.attribute_marked(tenant_id=tenant))
    assert sent(database, tenant) == ["attribution.attribute_marked"]


def test_the_schedule_makes_up_for_lost_messages_about_personal_data(
    database: Database, tenant: UUID
) -> None:
    """Tenants with a request are sent for within the hour, and each tenant is scanned once a day."""
    with database.connect() as connection:
        waiting.clear(connection)
    assert fulfil_privacy_requests.apply(throw=True).get() >= 0
    assert sent(database, tenant) == []
    with database.connect() as connection:
        connection.execute(
            """INSERT INTO privacy_requests (tenant_id, request_id, event_id, kind, vendor, order_ids,
                                             requested_at)
               VALUES (%s, gen_random_uuid(), gen_random_uuid(), 'shop_redaction', 'shopify', '{}', now())""",
            [tenant],
        )

    assert fulfil_privacy_requests.apply(throw=True).get() >= 1
    assert scan_tenants.apply(throw=True).get() >= 1

    assert sent(database, tenant) == [
        "maintenance.fulfil_privacy_requests",
        "maintenance.scan_personal_data",
    ]
