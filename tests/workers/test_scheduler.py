"""What the scheduler sends, and when; in this process, where nobody else leads."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from skeldir.commands import serve
from tests import waiting
from tests.conftest import Database
from workers.app import app
from workers.beat import LeadingScheduler, ticked
from workers.schedule import BEAT_SCHEDULE, SWEEP_SECONDS

PUBLISH = "skeldir_broker.publish(text, text, text, smallint, integer, timestamptz, timestamptz, text)"
LONG_AGO = "UPDATE skeldir_broker.schedule_entries SET last_run_at = now() - interval '3 days'"
AHEAD = "UPDATE skeldir_broker.schedule_entries SET last_run_at = now() + interval '1 hour'"
OLDEST_RUN = "SELECT min(last_run_at) < now() - interval '2 days' FROM skeldir_broker.schedule_entries"
FORGET = "DELETE FROM skeldir_broker.schedule_entries"
TASKS = sorted(entry["task"] for entry in BEAT_SCHEDULE.values())


@pytest.fixture
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        connection.execute(FORGET)
        waiting.clear(connection)
        yield connection
        connection.execute(FORGET)
        waiting.clear(connection)


@pytest.fixture
def scheduler(superuser: psycopg.Connection) -> Iterator[LeadingScheduler]:
    assert superuser
    made = LeadingScheduler(app=app)
    yield made
    made.close()


def sent(superuser: psycopg.Connection) -> list[str]:
    return sorted(headers["task"] for headers in waiting.headers(superuser))


def overdue(superuser: psycopg.Connection, scheduler: LeadingScheduler) -> None:
    """Have entries known, and last sent three days ago, to a scheduler that is to lead only now."""
    scheduler.tick()
    scheduler.close()
    superuser.execute(LONG_AGO)


def test_new_entries_are_not_due_and_missed_ones_are_made_up_for_once(
    superuser: psycopg.Connection, scheduler: LeadingScheduler
) -> None:
    """However many periods went by without a leader."""
    scheduler.tick()
    assert sent(superuser) == []
    overdue(superuser, scheduler)

    for _ in range(3):
        scheduler.tick()

    assert sent(superuser) == TASKS


def test_a_clock_that_was_ahead_holds_no_entry_up(
    superuser: psycopg.Connection, scheduler: LeadingScheduler
) -> None:
    """Last runs that lie an hour ahead, by another beat's clock or by this one before it was set, are now."""
    scheduler.tick()
    scheduler.close()
    superuser.execute(AHEAD)

    assert 0 < scheduler.tick() <= SWEEP_SECONDS
    for entry in scheduler.schedule.values():
        entry.last_run_at -= timedelta(days=3)
    scheduler.tick()
    assert sent(superuser) == TASKS


def test_messages_expire_and_come_late_by_no_more_than_their_jitter(
    superuser: psycopg.Connection, scheduler: LeadingScheduler
) -> None:
    overdue(superuser, scheduler)
    scheduler.tick()
    spread = superuser.execute(
        """SELECT (body::jsonb -> 'headers') ->> 'task', expires_at - now(), due_at - now()
             FROM skeldir_broker.scheduled_messages
           UNION ALL
           SELECT (body::jsonb -> 'headers') ->> 'task', expires_at - now(), interval '0'
             FROM skeldir_broker.messages"""
    ).fetchall()
    options = {entry["task"]: entry["options"] for entry in BEAT_SCHEDULE.values()}
    assert len(spread) == len(options)
    for name, expires_in, due_in in spread:
        assert 0 < expires_in.total_seconds() <= options[name]["expires"]
        assert due_in.total_seconds() <= options[name]["jitter"]


def test_what_could_not_be_sent_is_sent_by_the_next_tick(
    superuser: psycopg.Connection, scheduler: LeadingScheduler
) -> None:
    """That an entry was sent is written down with its message, or not at all."""
    overdue(superuser, scheduler)
    superuser.execute(f"REVOKE EXECUTE ON FUNCTION {PUBLISH} FROM app_worker")
    try:
        scheduler.tick()
    finally:
        superuser.execute(f"GRANT EXECUTE ON FUNCTION {PUBLISH} TO app_worker")
    assert sent(superuser) == []
    assert superuser.execute(OLDEST_RUN).fetchone() == (True,)

    scheduler.tick()

    assert sent(superuser) == TASKS


def test_a_beat_that_waits_is_as_healthy_as_one_that_leads(
    superuser: psycopg.Connection,
    scheduler: LeadingScheduler,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The file that a health check looks at is touched as long as the database answers."""
    pulse = tmp_path / "pulse"
    monkeypatch.setattr(ticked, "receivers", [])
    monkeypatch.setattr(serve, "_celery", lambda _: None)
    serve.beat(pulse=pulse)
    other = LeadingScheduler(app=app)
    overdue(superuser, scheduler)
    try:
        for one, expected in ((scheduler, TASKS), (other, TASKS)):
            pulse.unlink(missing_ok=True)
            one.tick()
            assert pulse.exists()
            assert sent(superuser) == expected
    finally:
        other.close()
