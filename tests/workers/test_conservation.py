"""No cent is made or lost: over a hundred thousand entries, in every snapshot, while workers are at it."""

import threading
from collections.abc import Iterator
from itertools import cycle
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.domain.models import MODELS
from tests.conftest import Database
from tests.repository.attribution_world import SETTINGS
from tests.workers import conservation
from workers import attribution as work
from workers.attribution import attribute_marked

ORDERS, ENTRIES_MIN = 34_000, 100_000
JOURNEYS_AT_ONCE = 6_000


@pytest.fixture
def crowd(database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch) -> Iterator[UUID]:
    """Yield a tenant with all of it told and nothing attributed; workers take it in several turns."""
    monkeypatch.setattr(work, "JOURNEYS_MAX", JOURNEYS_AT_ONCE)
    monkeypatch.setattr(work, "send", lambda *_, **__: None)
    with database.connect() as connection:
        conservation.store(connection, tenant, ORDERS)
        yield tenant
        for table in ("allocations", "order_digests", "day_digests", "channel_days"):
            connection.execute(f"DELETE FROM {table} WHERE tenant_id = %s", (tenant,))


def test_every_snapshot_adds_up_under_every_model_while_workers_run(database: Database, crowd: UUID) -> None:
    """Allocated and pending make each currency's net; drained of marks nothing is pending.

    The rows of all models are looked at in every snapshot, the reports of two or three models in turn.
    """
    done, failures, seen = threading.Event(), [], []
    engine = database.engine("app_worker")

    def read() -> None:
        try:
            for reported in cycle(MODELS[first::4] for first in range(4)):
                if done.is_set():
                    break
                seen.append(conservation.adds_up(engine, crowd, SETTINGS, reported))
                done.wait(3)
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    turns = 0
    while _is_marked(database, crowd):
        kwargs, task_id = {"tenant_id": str(crowd)}, str(uuid4())
        assert attribute_marked.apply(kwargs=kwargs, task_id=task_id).get()["outcome"] == "attributed"
        turns += 1
    done.set()
    reader.join()
    assert not failures, failures
    assert turns > ORDERS // JOURNEYS_AT_ONCE
    entries, pending, covered = conservation.adds_up(engine, crowd, SETTINGS, MODELS)
    assert (pending, covered) == (0, len(MODELS))
    assert entries >= ENTRIES_MIN
    assert any(waiting for _, waiting, _ in seen), "the reader saw some of it pending"


def _is_marked(database: Database, tenant: UUID) -> bool:
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        return bool(session.execute(text("SELECT EXISTS (SELECT FROM dirty_marks)")).scalar_one())
