"""What a worker tells of itself and of its tasks: shown by a real one."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from handlers import watch
from handlers.metrics import exposition
from skeldir.queue.messages import QUEUES
from tests import waiting
from tests.conftest import Database
from tests.workers.conftest import Worker, eventually, running
from workers.app import app


@pytest.fixture(scope="module")
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        waiting.clear(connection)
        connection.execute("DELETE FROM worker_heartbeats")
        connection.execute("DELETE FROM task_figures")
        connection.execute("DELETE FROM queue_redeliveries")
        yield connection


@pytest.fixture(scope="module")
def observed(superuser: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Return a worker of the service's application with some tasks more, which reports at once."""
    assert superuser
    with running(tmp_path_factory.mktemp("observed"), application="tests.workers.observed_tasks") as worker:
        yield worker


def scraped() -> dict[tuple[str, ...], float]:
    """Return each sample by its name and labels' values."""
    watch.look.forget()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(exposition(watch.look()))
        for sample in family.samples
    }


def sent(name: str, tenant: UUID, *, task_id: UUID | None = None, **more: str) -> None:
    arguments = {"tenant_id": str(tenant), **more}
    app.send_task(
        f"maintenance.{name}", kwargs=arguments, queue="maintenance", task_id=str(task_id or uuid4())
    )


def runs(name: str) -> dict[str, float]:
    """Return how many runs of a task had which outcome."""
    return {key[2]: value for key, value in scraped().items() if key[:2] == ("skeldir_task_runs_total", name)}


@pytest.mark.usefixtures("observed")
def test_every_outcome_of_a_task_is_counted(tenant: UUID, tmp_path: Path) -> None:
    """Also of those that only the main process knows of: a killed process, a hard time limit."""
    twice = uuid4()
    for task_id in (twice, twice, uuid4()):
        sent("succeed", tenant, task_id=task_id)
    sent("fail", tenant)
    sent("retry_once", tenant)
    sent("never_end", tenant)
    sent("die_once", tenant, marker=str(tmp_path / "died"))
    expected = {
        "maintenance.succeed": {"succeeded": 2, "skipped": 1},
        "maintenance.fail": {"failed": 1},
        "maintenance.retry_once": {"retried": 1, "succeeded": 1},
        "maintenance.never_end": {"failed": 1},
        "maintenance.die_once": {"lost": 1, "succeeded": 1},
    }

    eventually(lambda: True if {name: runs(name) for name in expected} == expected else None, seconds=20)

    told = scraped()
    assert told["skeldir_queue_redelivered_messages_total", "maintenance"] == 1
    durations = ("skeldir_task_duration_seconds_bucket", "maintenance.never_end")
    assert (told[*durations, "0.1"], told[*durations, "5.0"], told[*durations, "+Inf"]) == (0, 1, 1)
    assert told["skeldir_task_duration_seconds_count", "maintenance.succeed"] == 3
    assert not any(str(tenant) in label for key in told for label in key)


def test_counts_of_several_reports_add_up(
    superuser: psycopg.Connection, observed: Worker, tenant: UUID
) -> None:
    assert observed
    before = runs("maintenance.succeed").get("succeeded", 0)
    for count in (1, 2, 3):
        sent("succeed", tenant)
        eventually(lambda: True if runs("maintenance.succeed").get("succeeded") == before + count else None)  # noqa: B023
    (buckets,) = superuser.execute(
        """SELECT bucket_counts FROM task_figures
            WHERE task_name = 'maintenance.succeed' AND outcome = 'succeeded'"""
    ).fetchone() or ([],)
    assert sum(buckets) == before + 3


@pytest.mark.usefixtures("observed")
def test_a_worker_is_heard_of_on_each_queue_that_it_consumes() -> None:
    told = scraped()
    assert [told["skeldir_queue_workers_alive", queue] for queue in QUEUES] == [1] * len(QUEUES)
    assert all(told["skeldir_queue_heartbeat_age_seconds", queue] < 20 for queue in QUEUES)


def test_a_worker_that_ends_takes_its_leave(superuser: psycopg.Connection, tmp_path: Path) -> None:
    """Who ends by itself is missed at once, and nobody waits until it counts as dead."""
    beats = "SELECT count(*) FROM worker_heartbeats"
    before = superuser.execute(beats).fetchone()
    with running(tmp_path, "-n", "short@here"):
        assert superuser.execute(f"{beats} WHERE worker_name = 'short@here'").fetchone() == (1,)
    assert superuser.execute(beats).fetchone() == before
