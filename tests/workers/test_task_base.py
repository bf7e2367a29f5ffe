"""What the base promises of every task: shown by a real worker whose tasks go wrong."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from celery.exceptions import Reject
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.exc import OperationalError

from skeldir.broker.store import ATTEMPTS_MAX
from skeldir.db.session import tenant_session
from skeldir.observability.correlation import CORRELATION_HEADER
from skeldir.queue.messages import Message
from skeldir.queue.sending import send
from skeldir.repository import failed_jobs
from skeldir.repository.failed_jobs import FailedJob
from tests import waiting
from tests.conftest import Database
from tests.workers.conftest import EFFECTS, NO_EFFECTS, Worker, eventually, running
from workers import base
from workers.app import app
from workers.base import RETRIES_MAX, NoTenant, pause_seconds
from workers.maintenance import prune_tenant

IN_QUEUE = "SELECT count(*) FROM skeldir_broker.messages"


@pytest.fixture(scope="module")
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        connection.execute(EFFECTS)
        yield connection
        connection.execute(NO_EFFECTS)


@pytest.fixture(scope="module")
def odd(superuser: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Return a worker of the service's application with some tasks that go wrong."""
    waiting.clear(superuser)
    with running(tmp_path_factory.mktemp("odd"), application="tests.workers.odd_tasks") as worker:
        yield worker


def effects(superuser: psycopg.Connection, tenant: UUID) -> list[tuple[Any, ...]]:
    return superuser.execute(
        """SELECT task_id, correlation_id, retries FROM odd_tasks.effects
            WHERE tenant_id = %s ORDER BY at""",
        [tenant],
    ).fetchall()


def kept(tenant: UUID) -> FailedJob:
    def found() -> FailedJob | None:
        with tenant_session(tenant, read_only=True) as session:
            return next(iter(failed_jobs.page(session, 1)), None)

    return eventually(found)


def is_over(superuser: psycopg.Connection) -> bool | None:
    return True if superuser.execute(IN_QUEUE).fetchone() == (0,) else None


def a_task(name: str, tenant: UUID) -> Message:
    return Message(f"maintenance.{name}", "maintenance", {"tenant_id": str(tenant)})


@pytest.mark.usefixtures("odd")
def test_a_task_that_is_delivered_twice_takes_effect_once(
    superuser: psycopg.Connection, tenant: UUID
) -> None:
    task_id, told = str(uuid4()), a_task("work", tenant)
    for _ in range(2):
        app.send_task(told.name, kwargs=told.arguments, task_id=task_id, queue=told.queue)

    eventually(lambda: is_over(superuser))
    assert [str(row[0]) for row in effects(superuser, tenant)] == [task_id]


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_task_whose_process_is_killed_takes_effect_once(
    superuser: psycopg.Connection, tenant: UUID, moment: str
) -> None:
    """Its message comes again: what was rolled back is done, and what was committed is not repeated."""
    send(a_task(f"end_its_process_{moment}", tenant))

    eventually(lambda: is_over(superuser))
    assert len(effects(superuser, tenant)) == 1


@pytest.mark.usefixtures("odd")
def test_what_is_transient_is_tried_a_bounded_number_of_times_and_then_kept(
    superuser: psycopg.Connection, tenant: UUID
) -> None:
    """Every try runs under the correlation id of who sent the first."""
    correlation_id = uuid4()
    send(a_task("never_get_through", tenant), carried={CORRELATION_HEADER: str(correlation_id)})

    job = kept(tenant)
    tries = effects(superuser, tenant)
    assert (job.error_kind, job.attempts, job.correlation_id) == (
        "transient", 1 + RETRIES_MAX, correlation_id,
    )  # fmt: skip
    assert [row[1:] for row in tries] == [(correlation_id, retries) for retries in range(1 + RETRIES_MAX)]


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("name", ["take_too_long", "hear_nothing"])
def test_a_task_that_takes_too_long_is_ended_and_kept(tenant: UUID, name: str) -> None:
    """At the soft limit by itself, at the hard one with its process; the worker goes on."""
    correlation_id = uuid4()
    send(a_task(name, tenant), carried={CORRELATION_HEADER: str(correlation_id)})

    job = kept(tenant)
    assert (job.error_kind, job.queue, job.attempts, job.correlation_id) == (
        "time_limit", "maintenance", 1, correlation_id,
    )  # fmt: skip


def test_a_system_task_is_tried_again_and_works_under_its_sender_s_correlation_id(odd: Worker) -> None:
    correlation_id = uuid4()
    send(
        Message("housekeeping.look_around", "housekeeping"), carried={CORRELATION_HEADER: str(correlation_id)}
    )

    eventually(lambda: True if f"looked around under {correlation_id}" in odd.said() else None)


@pytest.mark.parametrize("arguments", [{}, {"tenant_id": None}, {"tenant_id": "everybody"}, {"tenant_id": 7}])
def test_a_tenant_s_task_without_one_touches_no_database(
    arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    touched: list[object] = []
    monkeypatch.setattr(base, "get_engine", touched.append)

    with pytest.raises(NoTenant, match="needs a tenant_id"):
        prune_tenant.apply(kwargs=arguments, throw=True)
    assert touched == []


def test_a_task_of_an_unknown_tenant_is_refused_and_leaves_nothing(
    superuser: psycopg.Connection, database: Database
) -> None:
    stranger = uuid4()
    assert database
    with pytest.raises(NoTenant, match="there is no tenant"):
        prune_tenant.apply(kwargs={"tenant_id": str(stranger)}, throw=True)

    for table in ("task_effects", "worker_failed_jobs"):
        found = superuser.execute(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", [stranger])  # type: ignore[arg-type]
        assert found.fetchone() == (0,)


def test_a_task_with_nameless_arguments_is_refused_when_a_canvas_is_made() -> None:
    """Not in the worker, after what comes before it in the canvas has taken effect."""
    with pytest.raises(TypeError, match="keyword arguments only"):
        prune_tenant.s(str(uuid4()))


def test_pauses_grow_up_to_a_bound_and_differ() -> None:
    for retries in range(12):
        pauses = {pause_seconds(retries) for _ in range(20)}
        longest = min(base.BACKOFF_SECONDS * 2**retries, base.BACKOFF_SECONDS_MAX)
        assert all(longest / 2 <= pause <= longest for pause in pauses)
        assert len(pauses) > 1


def test_a_retry_that_cannot_be_sent_gives_the_message_back(
    tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BrokerError

    monkeypatch.setattr("celery.canvas.Signature.apply_async", refuse)
    prune_tenant.push_request(id=str(uuid4()), kwargs={"tenant_id": str(tenant)}, called_directly=False)
    try:
        with pytest.raises(Reject) as rejected:
            prune_tenant.try_again(OperationalError("", None, Exception()))
    finally:
        prune_tenant.pop_request()
    assert rejected.value.requeue


def test_no_task_is_lost_with_its_worker_or_runs_for_ever() -> None:
    """A task is acknowledged after it, given back when its process dies, and ended at a limit of time."""
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    for name, one in app.tasks.items():
        soft = one.soft_time_limit or app.conf.task_soft_time_limit
        hard = one.time_limit or app.conf.task_time_limit
        assert 0 < soft < hard, name
        assert one.max_retries is None or one.max_retries <= RETRIES_MAX or name.startswith("celery.")
        assert name.startswith("celery.") or one.acks_late


@pytest.mark.usefixtures("odd")
def test_a_task_of_a_name_that_no_worker_knows_is_parked(superuser: psycopg.Connection, tenant: UUID) -> None:
    """Its sender may be of another release than the workers: who has the newer one can send it again."""
    send(Message("maintenance.of_tomorrow", "maintenance", {"tenant_id": str(tenant)}), app=app)

    parked = "SELECT attempts FROM skeldir_broker.parked_messages WHERE body LIKE %s"
    assert eventually(lambda: superuser.execute(parked, [f"%{tenant}%"]).fetchone()) == (ATTEMPTS_MAX,)
    superuser.execute("DELETE FROM skeldir_broker.parked_messages")
    assert superuser.execute(IN_QUEUE).fetchone() == (0,)
