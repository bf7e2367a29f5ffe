"""The same tasks over RabbitMQ: what handlers send leaves after the commit, also if the broker is away."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text

from skeldir.db.session import lookup_session, tenant_session
from skeldir.queue.broker import WorkerApplication
from skeldir.queue.messages import Message
from skeldir.queue.sending import enqueue
from skeldir.repository import failed_jobs, worker_reports
from skeldir.settings import get_settings
from tests import waiting
from tests.broker.conftest import cancel_consumer
from tests.broker.rabbitmq import Node, node
from tests.conftest import Database
from tests.workers.conftest import EFFECTS, NO_EFFECTS, Worker, eventually, running
from workers.base import RETRIES_MAX

Row = tuple[Any, ...]
# It went to a queue of ours by a way that none of ours knows.
ASTRAY = text("""
    SELECT skeldir_broker.publish('', 'direct', 'maintenance', 0::smallint, 0, NULL, NULL, replace(
        '{"body": "", "headers": {}, "content-type": "text/plain", "content-encoding": "utf-8",
          "properties": {"delivery_tag": 0, "delivery_info": {"exchange": "", "routing_key": "astray"}}}',
        E'\\n', ''))
""")
IN_POSTGRESQL = "SELECT count(*) FROM skeldir_broker.messages WHERE queue = 'maintenance'"


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Return a node that this process and the workers it starts are told of."""
    with node(tmp_path_factory.mktemp("rabbitmq")) as here, pytest.MonkeyPatch.context() as environment:
        environment.setenv("SKELDIR_BROKER_URL", here.url)
        get_settings.cache_clear()
        yield here
    get_settings.cache_clear()


@pytest.fixture(scope="module")
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        connection.execute(EFFECTS)
        yield connection
        connection.execute(NO_EFFECTS)


@pytest.fixture(scope="module", autouse=True)
def worker(
    rabbitmq: Node, superuser: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Worker]:
    """Return a worker with its schedule; it consumes from the node."""
    assert rabbitmq
    waiting.clear(superuser)
    superuser.execute("DELETE FROM dirty_marks")
    folder = tmp_path_factory.mktemp("worker")
    with running(folder, "--beat", application="tests.workers.odd_tasks") as worker:
        yield worker


@pytest.fixture(scope="module")
def app(rabbitmq: Node) -> Iterator[WorkerApplication]:
    """Return an application that sends past PostgreSQL, as workers do."""
    assert rabbitmq
    application = WorkerApplication("tests", "app_worker")
    yield application
    application.pool.force_close_all()
    application.close()


def a_task(name: str, tenant: UUID) -> Message:
    return Message(f"maintenance.{name}", "maintenance", {"tenant_id": str(tenant)})


def effects(superuser: psycopg.Connection, tenant: UUID, at_least: int = 1) -> list[Row]:
    def found() -> list[Row] | None:
        rows = superuser.execute(
            "SELECT task_id, retries, at FROM odd_tasks.effects WHERE tenant_id = %s ORDER BY at", [tenant]
        ).fetchall()
        return rows if len(rows) >= at_least else None

    return eventually(found)


def kept(tenant: UUID) -> failed_jobs.FailedJob:
    def found() -> failed_jobs.FailedJob | None:
        with tenant_session(tenant, read_only=True) as session:
            return next(iter(failed_jobs.page(session, 1)), None)

    return eventually(found)


def send(app: WorkerApplication, name: str, tenant: UUID, **options: Any) -> UUID:
    """Send a task straight to RabbitMQ; returns its id."""
    task_id = uuid4()
    app.send_task(
        f"maintenance.{name}",
        kwargs={"tenant_id": str(tenant)},
        task_id=str(task_id),
        queue="maintenance",
        **options,
    )
    return task_id


def workers_seen() -> int:
    with lookup_session() as session:
        (found,) = worker_reports.queue_workers(session, ["maintenance"])
        return found.alive


def test_a_task_leaves_when_its_transaction_commits_and_never_if_it_does_not(
    superuser: psycopg.Connection, tenant: UUID
) -> None:
    def work(fault: type[Exception] | None = None) -> None:
        with tenant_session(tenant) as session:
            enqueue(session, a_task("work", tenant))
            if fault:
                raise fault

    with pytest.raises(ZeroDivisionError):
        work(ZeroDivisionError)
    work()

    assert len(effects(superuser, tenant)) == 1
    eventually(lambda: True if superuser.execute(IN_POSTGRESQL).fetchone() == (0,) else None)


def test_many_transactions_at_once_leave_exactly_what_they_committed(
    superuser: psycopg.Connection, tenant: UUID
) -> None:
    def work(number: int) -> bool:
        with suppress(ZeroDivisionError), tenant_session(tenant) as session:
            enqueue(session, a_task("work", tenant))
            return bool(1 / (number % 3))
        return False

    with ThreadPoolExecutor(6) as threads:
        committed = sum(threads.map(work, range(60)))

    assert committed == 40
    eventually(lambda: True if superuser.execute(IN_POSTGRESQL).fetchone() == (0,) else None)
    found = effects(superuser, tenant, committed)
    assert (len(found), len({row[0] for row in found})) == (committed, committed)


def test_a_retry_waits_for_its_turn_and_the_tries_are_bounded(
    superuser: psycopg.Connection, tenant: UUID, app: WorkerApplication
) -> None:
    send(app, "never_get_through", tenant)

    assert kept(tenant).attempts == 1 + RETRIES_MAX
    assert [row[1] for row in effects(superuser, tenant)] == list(range(1 + RETRIES_MAX))


def test_a_task_is_run_when_it_is_due(
    superuser: psycopg.Connection, tenant: UUID, app: WorkerApplication
) -> None:
    due = datetime.now(UTC) + timedelta(seconds=1)
    send(app, "work", tenant, eta=due)

    assert effects(superuser, tenant)[0][2] >= due


def test_a_higher_priority_is_served_first(
    superuser: psycopg.Connection, tenant: UUID, app: WorkerApplication
) -> None:
    cancel_consumer(app, "maintenance")
    low, _, high = (send(app, "work", tenant, priority=priority) for priority in (0, 0, 9))
    app.control.add_consumer("maintenance", reply=True, timeout=10, limit=1)

    assert [row[0] for row in effects(superuser, tenant, 3)][:2] == [high, low]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_task_whose_process_is_killed_takes_effect_once(
    superuser: psycopg.Connection, tenant: UUID, app: WorkerApplication, moment: str
) -> None:
    send(app, f"end_its_process_{moment}", tenant)
    assert len(effects(superuser, tenant)) == 1


def test_a_task_that_ends_its_processes_is_not_delivered_for_ever(
    superuser: psycopg.Connection, tenant: UUID, app: WorkerApplication
) -> None:
    """RabbitMQ counts nothing: the second end is the last, and the task is kept for who will look into it."""
    task_id = send(app, "end_every_process", tenant)

    job = kept(tenant)
    assert (job.failed_job_id, job.error_kind) == (task_id, "worker_lost")
    send(app, "work", tenant)
    assert len(effects(superuser, tenant, 3)) == 3


def test_workers_answer_who_asks_and_the_schedule_runs(app: WorkerApplication, worker: Worker) -> None:
    inspect = app.control.inspect(timeout=10, limit=1)

    assert list(inspect.ping().values()) == [{"ok": "pong"}]
    (stats,) = inspect.stats().values()
    assert stats["broker"]["transport"] == "amqp"
    assert stats["total"]["maintenance.work"] >= 1
    eventually(lambda: True if "Task housekeeping.sweep[" in worker.said() else None)


def test_a_message_that_cannot_be_handed_on_is_parked_and_others_pass(
    superuser: psycopg.Connection, tenant: UUID
) -> None:
    with tenant_session(tenant) as session:
        enqueue(session, a_task("work", tenant))
        session.execute(ASTRAY)
    with tenant_session(tenant) as session:
        enqueue(session, a_task("work", tenant))

    def parked() -> bool | None:
        rows = superuser.execute("DELETE FROM skeldir_broker.parked_messages RETURNING attempts").fetchall()
        return rows == [(5,)] or None

    assert eventually(parked)
    assert len(effects(superuser, tenant, 2)) == 2


def test_what_is_sent_while_the_broker_is_away_waits_in_postgresql(
    rabbitmq: Node, superuser: psycopg.Connection, tenant: UUID
) -> None:
    """Last in this file. A transaction commits as ever, and health tells that nobody works."""
    if rabbitmq.process is None:
        pytest.skip("the node that was given is not ours to kill")
    assert workers_seen() > 0
    rabbitmq.kill()
    eventually(lambda: True if workers_seen() == 0 else None)
    with tenant_session(tenant) as session:
        enqueue(session, a_task("work", tenant))
    assert superuser.execute(IN_POSTGRESQL).fetchone() == (1,)

    rabbitmq.start()
    assert len(effects(superuser, tenant)) == 1
    assert workers_seen() > 0
