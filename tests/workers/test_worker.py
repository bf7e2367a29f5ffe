"""A real worker process, from marks to allocations."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread
from uuid import UUID

import pytest
from celery import chord

from skeldir.db.session import tenant_session
from skeldir.domain.models import MODELS
from skeldir.domain.windows import BEGINNING, END, Window
from skeldir.queue import messages
from skeldir.queue.sending import send
from skeldir.repository import attribution_settings, backfills, channel_reports
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.workers.backfilling import captures, choose
from tests.workers.conftest import TREE, Worker, eventually
from workers.app import app
from workers.maintenance import prune_tenant
from workers.retention import enforce_retention


@contextmanager
def commanded(log: Path) -> Iterator[None]:
    """Run `skeldir worker`."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "skeldir", "worker"],
            cwd=TREE,
            stdout=stream,
            stderr=stream,
            env=os.environ | {"PYTHONPATH": str(TREE)},
        )
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(20) == 0


def pending_cents(tenant: UUID) -> set[int]:
    """Return what is pending under each model, EUR only: these worlds' refunds all have captures."""
    everything = Window(BEGINNING, END)
    with tenant_session(tenant, read_only=True) as session:
        return {
            total.pending_cents
            for model in MODELS
            for total in channel_reports.report(session, worlds.SETTINGS.version(model), everything)
        }


def test_marks_become_allocations_by_the_sweep_alone(
    database: Database, tenant: UUID, worker: Worker
) -> None:
    """No message is sent for these marks: the schedule's sweep finds them and the worker attributes them."""
    world = worlds.make(seed=20, journeys=30)
    world.bookings = [booking for booking in world.bookings if booking.effect_cents >= 0]
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
        worlds.mark(connection, tenant, world.journeys)
    assert 0 not in pending_cents(tenant)
    eventually(lambda: True if pending_cents(tenant) == {0} else None)
    eventually(lambda: True if "attributed" in worker.said() else None)


def test_a_choice_is_carried_through_by_the_workers(database: Database, tenant: UUID, worker: Worker) -> None:
    """One message begins it: the models are fitted, and every order comes to be covered step by step."""
    world = captures(seed=21, journeys=30)
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    chosen = choose(tenant, lookback_days=9)
    send(messages.refit_models(tenant_id=tenant))

    def covered() -> bool | None:
        assert worker.process.poll() is None, worker.said()
        with tenant_session(tenant, read_only=True) as session:
            current = attribution_settings.current(session)
            open_ones = backfills.uncovered(session)
        return True if current.markov_weights and not open_ones else None

    assert eventually(covered)
    with tenant_session(tenant, read_only=True) as session:
        assert attribution_settings.current(session).version("linear") == chosen.version("linear")
        for model in MODELS:
            version = attribution_settings.current(session).version(model)
            totals = channel_reports.report(session, version, Window(BEGINNING, END))
            assert [total.pending_cents for total in totals] == [0] * len(world.net_cents())


def test_a_message_reaches_its_task(database: Database, tenant: UUID, worker: Worker) -> None:
    """The API's login publishes, the worker's consumes, the message is deleted, and no result is kept."""
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO task_effects VALUES (%s, gen_random_uuid(), 'old', now() - interval '8 days')",
            (tenant,),
        )
    send(messages.prune_tenant(tenant_id=tenant))

    def done() -> bool | None:
        with database.connect() as connection:
            row = connection.execute(
                "SELECT count(*) FROM task_effects WHERE tenant_id = %s", (tenant,)
            ).fetchone()
        assert worker.process.poll() is None, worker.said()
        return True if row == (0,) else None

    assert eventually(done)
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM skeldir_results.celery_taskmeta").fetchone() == (0,)


def test_what_follows_a_chord_runs_once_its_parts_have(
    database: Database, tenant: UUID, worker: Worker
) -> None:
    """The parts' results are kept for that, though the service ignores all others; nobody is handed them."""
    arguments = {"tenant_id": str(tenant)}
    parts = [prune_tenant.s(**arguments) for _ in range(2)]
    followed = chord(parts, enforce_retention.s(**arguments)).apply_async()

    eventually(lambda: True if f"enforce_retention[{followed.id}] succeeded" in worker.said() else None)

    with database.connect() as connection:
        kept = connection.execute("DELETE FROM skeldir_results.celery_taskmeta RETURNING task_id").fetchall()
        connection.execute("DELETE FROM skeldir_results.celery_tasksetmeta")
    assert {task_id for (task_id,) in kept} == {part.id for part in followed.parent.results}


def test_workers_of_one_machine_are_controlled_one_by_one(database: Database, tmp_path: Path) -> None:
    """However many are started: each has a name, and the end of one leaves the others within reach."""
    assert database

    def names() -> set[str]:
        return set(app.control.inspect(timeout=3).ping() or {})

    before = names()
    with commanded(tmp_path / "one.log"):
        (one,) = eventually(lambda: names() - before or None)
        with commanded(tmp_path / "other.log"):
            eventually(lambda: names() - before - {one} or None)
        eventually(lambda: True if names() == before | {one} else None)


@pytest.mark.usefixtures("worker")
def test_many_threads_may_ask_workers_at_once() -> None:
    """As Flower's do: who asks holds a connection of the pool, and sends over another one of it."""
    answers: Queue[object] = Queue()

    def ask() -> None:
        answers.put(app.control.inspect(timeout=10, limit=1).ping())

    for _ in range(9):
        Thread(target=ask, daemon=True).start()

    assert all(answers.get(timeout=30) for _ in range(9))
