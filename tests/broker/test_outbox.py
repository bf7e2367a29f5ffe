"""A task sent in a transaction is a row of it."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from queue import Queue
from threading import Event
from time import sleep
from typing import Any
from uuid import UUID

import psycopg
import pytest
from celery import chord
from kombu import Connection, entity
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from skeldir.broker import store, transport
from skeldir.broker.outbox import Outbox, publishing_over
from skeldir.db.session import driver_of, tenant_session, tenant_transaction
from skeldir.queue import messages
from skeldir.queue.broker import TASKS
from skeldir.queue.sending import enqueue, send
from tests import waiting
from tests.conftest import Database
from workers.maintenance import prune_tenant
from workers.retention import enforce_retention

ROUNDS = 80
MAINTENANCE = entity.Queue("maintenance", TASKS, routing_key="maintenance")


@pytest.fixture
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        waiting.clear(connection)
        yield connection
        waiting.clear(connection)


def consumer_url(database: Database) -> str:
    return database.url("app_worker").set(drivername="postgresql").render_as_string(hide_password=False)


def sent_for(superuser: psycopg.Connection, tenant: UUID) -> list[str]:
    return [one["task"] for one in waiting.headers(superuser) if str(tenant) in one["kwargsrepr"]]


@pytest.mark.parametrize("opened", [tenant_session, tenant_transaction])
def test_it_is_there_when_the_transaction_commits_and_never_if_it_does_not(
    superuser: psycopg.Connection, tenant: UUID, opened: Callable[..., object]
) -> None:
    def work(fault: type[Exception] | None = None) -> None:
        with opened(tenant) as transaction:  # type: ignore[attr-defined]
            enqueue(transaction, messages.prune_tenant(tenant_id=tenant))
            assert sent_for(superuser, tenant) == []
            if fault:
                raise fault

    with pytest.raises(ZeroDivisionError):
        work(ZeroDivisionError)
    assert sent_for(superuser, tenant) == []
    work()
    assert sent_for(superuser, tenant) == ["maintenance.prune_tenant"]


def test_a_savepoint_that_fails_takes_what_was_sent_in_it_along(
    superuser: psycopg.Connection, tenant: UUID
) -> None:
    def fail(session: object) -> None:
        with session.begin_nested():  # type: ignore[attr-defined]
            enqueue(session, messages.scan_personal_data(tenant_id=tenant))  # type: ignore[arg-type]
            raise ZeroDivisionError

    with tenant_session(tenant) as session:
        enqueue(session, messages.prune_tenant(tenant_id=tenant))
        with pytest.raises(ZeroDivisionError):
            fail(session)

    assert sent_for(superuser, tenant) == ["maintenance.prune_tenant"]


def test_a_canvas_is_a_row_of_it_as_well(
    database: Database, superuser: psycopg.Connection, tenant: UUID
) -> None:
    """Its parts and what waits for them; nothing of it is written to the results before one has run."""
    parts = [prune_tenant.s(tenant_id=str(tenant)) for _ in range(2)]
    rows = """SELECT (SELECT count(*) FROM skeldir_results.celery_taskmeta),
                     (SELECT count(*) FROM skeldir_results.celery_tasksetmeta)"""
    before = superuser.execute(rows).fetchone()

    def work(fault: type[Exception] | None = None) -> None:
        with tenant_session(tenant, engine=database.engine("app_worker")) as session:
            with publishing_over(Outbox(driver_of(session))):
                chord(parts, enforce_retention.s(tenant_id=str(tenant))).apply_async()
            assert waiting.headers(superuser) == []
            if fault:
                raise fault

    with pytest.raises(ZeroDivisionError):
        work(ZeroDivisionError)
    assert waiting.headers(superuser) == []
    work()
    assert sorted(one["task"] for one in waiting.headers(superuser)) == [
        "celery.chord_unlock",
        *["maintenance.prune_tenant"] * 2,
    ]
    assert superuser.execute(rows).fetchone() == before


def test_many_at_once_leave_exactly_those_that_committed(superuser: psycopg.Connection, tenant: UUID) -> None:
    def work(number: int) -> bool:
        try:
            with tenant_session(tenant) as session:
                enqueue(session, messages.prune_tenant(tenant_id=tenant))
                session.execute(text("SELECT 1 / :divisor"), {"divisor": number % 3})
        except Exception:  # noqa: BLE001 - the division by zero, which rolls back
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        committed = sum(threads.map(work, range(60)))

    assert committed == 40
    assert sent_for(superuser, tenant) == ["maintenance.prune_tenant"] * committed


@pytest.mark.usefixtures("superuser")
def test_who_lies_down_while_a_sender_is_still_at_work_is_woken_by_its_commit(
    database: Database, tenant: UUID
) -> None:
    """The sender looks for sleepers last; a look when it sent would have seen nobody."""
    with psycopg.connect(consumer_url(database), autocommit=True) as consumer:
        consumer.execute("LISTEN skeldir_broker")
        lease = store.take_lease(consumer)
        with tenant_session(tenant) as session:
            enqueue(session, messages.prune_tenant(tenant_id=tenant))
            store.lie_down(consumer, lease, ["maintenance"])
            assert store.claim(consumer, lease, ["maintenance"], 1, [], 0) == []
        woken = [one.payload for one in consumer.notifies(timeout=5, stop_after=1)]
        claimed = store.claim(consumer, lease, ["maintenance"], 1, [], 0)
        store.get_up(consumer, lease)
        with tenant_session(tenant) as session:
            enqueue(session, messages.prune_tenant(tenant_id=tenant))
        unneeded = list(consumer.notifies(timeout=0.1, stop_after=1))

    assert (woken, len(claimed), unneeded) == (["maintenance"], 1, [])


@pytest.mark.usefixtures("superuser")
def test_what_is_committed_just_before_a_consumer_lies_down_is_found(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender saw nobody asleep: the consumer looks once more when it can be seen."""
    monkeypatch.setattr(transport, "select", None)  # it has nothing to wait for
    lie_down, sent = store.lie_down, iter([messages.prune_tenant(tenant_id=tenant)])

    def lie_down_late(*arguments: Any) -> None:
        for message in sent:
            send(message)
        lie_down(*arguments)

    monkeypatch.setattr(store, "lie_down", lie_down_late)
    taken: list[Any] = []
    with Connection(f"pg+{consumer_url(database)}") as connection:
        with connection.Consumer([MAINTENANCE], on_message=taken.append):
            connection.drain_events(timeout=5)
        taken[0].ack()

    assert len(taken) == 1


@pytest.mark.usefixtures("superuser")
def test_no_message_is_missed_by_consumers_that_only_a_notification_wakes(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every round publishers stay open while consumers fall asleep, and one of three rolls back.

    The next round begins when all that was committed has been taken, so that nothing else wakes for it.
    """
    monkeypatch.setattr(transport, "FALLBACK_SECONDS", 600.0)
    taken: Queue[str] = Queue()
    is_over = Event()

    def consume(_: int) -> None:
        def take(message: Any) -> None:
            taken.put(message.headers["id"])
            message.ack()

        with (
            Connection(f"pg+{consumer_url(database)}") as connection,
            connection.Consumer([MAINTENANCE], on_message=take, prefetch_count=1),
        ):
            while not is_over.is_set():
                with suppress(TimeoutError):
                    connection.drain_events(timeout=20)

    def publish(number: int) -> bool:
        sleep(random.random() / 200)
        try:
            with tenant_session(tenant) as session:
                enqueue(session, messages.prune_tenant(tenant_id=tenant))
                session.execute(text("SELECT pg_sleep(:pause)"), {"pause": random.random() / 200})
                session.execute(text("SELECT 1 / :divisor"), {"divisor": number})
        except DBAPIError:
            return False
        return True

    found: list[str] = []
    with ThreadPoolExecutor(5) as threads:
        consumers = [threads.submit(consume, number) for number in range(2)]
        try:
            for _ in range(ROUNDS):
                committed = sum(threads.map(publish, range(3)))
                found += [taken.get(timeout=15) for _ in range(committed)]
        finally:
            is_over.set()
            while wait(consumers, timeout=0.1).not_done:
                send(messages.prune_tenant(tenant_id=tenant))
    assert [consumer.result() for consumer in consumers] == [None] * 2

    assert len(set(found)) == 2 * ROUNDS
