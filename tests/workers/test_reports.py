"""What a worker tells of itself and of its tasks: shown by a real one."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from psycopg import sql

from handlers import watch
from handlers.metrics import exposition
from skeldir.app import create_app
from skeldir.db.session import tenant_session
from skeldir.queue.messages import QUEUES, Message
from skeldir.queue.sending import send
from skeldir.repository import failed_jobs
from skeldir.settings import get_settings
from tests import waiting
from tests.asgi import Api
from tests.conftest import Database
from tests.identity import log_in, make_user
from tests.workers.conftest import Worker, eventually, running
from workers.app import app
from workers.base import RETRIES_MAX

LAST = uuid4()


@pytest.fixture(scope="module")
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        waiting.clear(connection)
        connection.execute("DELETE FROM worker_heartbeats")
        connection.execute("DELETE FROM task_figures")
        connection.execute("DELETE FROM queue_counts")
        yield connection


@pytest.fixture(scope="module")
def observed(superuser: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Return a worker of the service's application with some tasks more, which reports at once.

    Who ends by itself takes its leave, and is missed at once; what it finished at last is counted.
    """
    beats = "SELECT count(*) FROM worker_heartbeats"
    folder = tmp_path_factory.mktemp("observed")
    with running(folder, application="tests.workers.observed_tasks") as worker:
        assert superuser.execute(beats).fetchone() == (1,)
        yield worker
        superuser.execute("INSERT INTO tenants (tenant_id, name) VALUES (%s, 'A shop')", [LAST])
        sent("take_a_while", LAST, marker=str(folder / "begun"))
        eventually(lambda: (folder / "begun").exists() or None)
    assert superuser.execute(beats).fetchone() == (0,)
    assert runs("maintenance.take_a_while") == {"failed": 0, "succeeded": 1}


def scraped() -> dict[tuple[str, ...], float]:
    """Return each sample by its name and its labels' values, in the order of the labels' names."""
    watch.look.forget()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(exposition(watch.look()))
        for sample in family.samples
    }


def sent(
    name: str, tenant: UUID, *, task_id: UUID | None = None, ignore_result: bool = True, **more: str
) -> str:
    """Send a task as it is; returns its id."""
    arguments = {"tenant_id": str(tenant), **more}
    result = app.send_task(
        f"maintenance.{name}",
        kwargs=arguments,
        queue="maintenance",
        task_id=str(task_id or uuid4()),
        ignore_result=ignore_result,
    )
    return str(result.id)


TEXTS = """
    SELECT table_schema, table_name, column_name FROM information_schema.columns
     WHERE table_schema IN ('public', 'skeldir_broker', 'skeldir_results')
"""


def everything_stored(superuser: psycopg.Connection) -> Iterator[str]:
    """Yield every row of every table, as text."""
    superuser.execute("SET bytea_output = 'escape'")
    for schema, table in {row[:2] for row in superuser.execute(TEXTS).fetchall()}:
        rows = superuser.execute(
            sql.SQL("SELECT CAST(stored AS text) FROM {} AS stored").format(sql.Identifier(schema, table))
        )
        yield from (row[0] for row in rows.fetchall())


def runs(name: str) -> dict[str, float]:
    """Return how many runs of a task had which outcome."""
    return {
        labels[0]: value
        for (metric, *labels), value in scraped().items()
        if metric == "skeldir_task_runs_total" and labels[1] == name
    }


@pytest.mark.usefixtures("observed")
def test_every_outcome_of_a_task_is_counted(tenant: UUID, tmp_path: Path) -> None:
    """Also of those that only the main process knows of: a killed process, a hard time limit.

    That none failed is told too, or the first to fail would be no increase to an alert.
    """
    twice = uuid4()
    for task_id in (twice, twice, uuid4()):
        sent("succeed", tenant, task_id=task_id)
    sent("fail", tenant)
    sent("retry_once", tenant)
    sent("wait_in_vain", tenant)
    sent("never_end", tenant)
    sent("die_once", tenant, marker=str(tmp_path / "died"))
    expected = {
        "maintenance.succeed": {"failed": 0, "succeeded": 2, "skipped": 1},
        "maintenance.fail": {"failed": 1},
        "maintenance.retry_once": {"failed": 0, "retried": 1, "succeeded": 1},
        "maintenance.wait_in_vain": {"failed": 0, "retried": RETRIES_MAX, "waited": 1},
        "maintenance.never_end": {"failed": 1},
        "maintenance.die_once": {"failed": 0, "lost": 1, "succeeded": 1},
    }

    eventually(lambda: True if {name: runs(name) for name in expected} == expected else None)

    told = scraped()
    assert told["skeldir_queue_redelivered_messages_total", "maintenance"] == 1
    buckets = {
        key[1]: value
        for key, value in told.items()
        if key[0] == "skeldir_task_duration_seconds_bucket" and key[2] == "maintenance.never_end"
    }
    assert (buckets["0.1"], buckets["5.0"], buckets["+Inf"]) == (0, 1, 1)
    assert told["skeldir_task_duration_seconds_count", "maintenance.succeed"] == 3
    assert not any(str(tenant) in label for key in told for label in key)
    with tenant_session(tenant, read_only=True) as session:
        failed = {job.task_name for job in failed_jobs.page(session, 10)}
    assert failed == {"maintenance.fail", "maintenance.never_end"}


@pytest.mark.usefixtures("observed")
def test_what_expires_is_counted_wherever_it_is_thrown_away(
    superuser: psycopg.Connection, tenant: UUID
) -> None:
    """By the queue's consumer, who looks at it first, or by the worker who had taken it in time."""
    for delay_seconds in (None, 0.5):
        app.send_task(
            "maintenance.succeed",
            kwargs={"tenant_id": str(tenant)},
            queue="maintenance",
            expires=datetime.now(UTC) - timedelta(seconds=1),
            countdown=delay_seconds,
        )
    superuser.execute("UPDATE skeldir_broker.scheduled_messages SET expires_at = NULL")

    key = "skeldir_queue_expired_messages_total", "maintenance"
    eventually(lambda: True if scraped()[key] == 2 else None)
    effects = "SELECT count(*) FROM task_effects WHERE tenant_id = %s"
    assert superuser.execute(effects, [tenant]).fetchone() == (0,)


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


def test_a_worker_that_was_cut_off_is_heard_of_again(
    superuser: psycopg.Connection, database: Database, observed: Worker
) -> None:
    """It connects anew and goes on reporting; nobody has to restart it."""
    ended = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app_worker' AND datname = %s"
    )
    assert superuser.execute(ended, [superuser.info.dbname]).fetchall()
    beat = "SELECT seen_at > %s FROM worker_heartbeats"
    now = superuser.execute("SELECT clock_timestamp() + interval '1 second'").fetchone()

    eventually(lambda: True if superuser.execute(beat, now).fetchone() == (True,) else None)

    assert observed.process.poll() is None, observed.said()
    database.engine("app_worker").dispose()  # this process's own connections were cut with the worker's


def lines(worker: Worker) -> list[dict[str, Any]]:
    """Return what a worker has logged, line by line; whatever is no JSON is Celery's banner."""
    return [json.loads(line) for line in worker.said().splitlines() if line.startswith("{")]


def test_what_a_request_starts_is_logged_under_its_ids(observed: Worker, tenant: UUID) -> None:
    """From the HTTP request to a worker, and on to what the task itself sends."""
    correlation_id, trace_id = str(uuid4()), uuid4().hex
    token = log_in(make_user(tenant, "admin")).tokens.access.token
    api = Api(create_app(get_settings()))
    asked = api.send(
        "POST",
        "/api/attribution/recompute-jobs",
        token=token,
        json={
            "model": "linear",
            "window_start": "2026-01-01T00:00:00Z",
            "window_end": "2026-02-01T00:00:00Z",
        },
        headers={"X-Correlation-ID": correlation_id, "traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"},
    )
    assert asked.status_code == 202, asked.text

    def told() -> list[dict[str, Any]] | None:
        return [
            one for one in lines(observed) if one.get("task_name") == "attribution.recompute_window"
        ] or None

    assert {(one["correlation_id"], one["trace_id"]) for one in eventually(told)} == {
        (correlation_id, trace_id)
    }


def test_what_a_task_sends_and_tries_again_goes_on_under_its_ids(observed: Worker, tenant: UUID) -> None:
    correlation_id, trace_id = str(uuid4()), uuid4().hex
    told = {"skeldir_correlation_id": correlation_id, "traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    send(Message("maintenance.pass_on", "maintenance", {"tenant_id": str(tenant)}), carried=told)

    found = eventually(
        lambda: (
            found
            if len(found := {one["task_name"] for one in lines(observed) if one.get("trace_id") == trace_id})
            == 2
            else None
        )
    )
    assert found == {"maintenance.pass_on", "maintenance.retry_once"}
    mine = [one for one in lines(observed) if one.get("trace_id") == trace_id]
    assert {one["correlation_id"] for one in mine} == {correlation_id}


def test_what_an_error_quotes_is_in_no_line_and_no_table(
    superuser: psycopg.Connection, observed: Worker, tenant: UUID
) -> None:
    """Failed, tried again, or ended while its result was wanted: Celery's own lines would quote it."""
    failed = {}
    for name in ("fail", "retry_once"):
        failed[name] = sent(name, tenant)
    with_result = sent("fail", tenant, ignore_result=False)
    for task_id in (failed["fail"], with_result):
        line = eventually(
            lambda: next((one for one in lines(observed) if task_id in one["event"]), None)  # noqa: B023
        )
        assert line["event"].endswith("raised unexpected: [redacted]")
        assert "observed_tasks.py" in line["exception"]
        assert line["exception"].endswith("LookupError")
    eventually(lambda: True if runs("maintenance.retry_once").get("retried") else None)

    eventually(
        lambda: superuser.execute(
            "SELECT 1 FROM skeldir_results.celery_taskmeta WHERE task_id = %s", [with_result]
        ).fetchone()
    )
    for text in (observed.said(), *everything_stored(superuser)):
        assert "ada.lovelace" not in text
        assert "grace.hopper" not in text
