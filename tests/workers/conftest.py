"""A real worker: a Celery process of its own, its log at hand."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from tests import waiting
from tests.conftest import Database

TREE = Path(__file__).parents[2]
DEADLINE_SECONDS = 60.0
QUEUES = "attribution,llm,maintenance,housekeeping"

COVERED = """
    INSERT INTO attribution_backfills (tenant_id, model_version, model, parameters, is_cleared, completed_at)
    SELECT tenant_id, 'linear.1+30d', 'linear', '{"lookback_days": 30}', true, now() FROM tenants
    ON CONFLICT (tenant_id, model_version) DO UPDATE SET completed_at = now()
"""

# What tests.workers.odd_tasks leave, in a schema that goes again: other tests count what is in the others.
EFFECTS = """
    DROP SCHEMA IF EXISTS odd_tasks CASCADE;
    CREATE SCHEMA odd_tasks;
    CREATE TABLE odd_tasks.effects (at timestamptz DEFAULT clock_timestamp(), tenant_id uuid, task_id uuid,
                                    correlation_id uuid, retries int);
    CREATE TABLE odd_tasks.ended (task_id uuid PRIMARY KEY);
    GRANT USAGE ON SCHEMA odd_tasks TO app_worker;
    GRANT ALL ON ALL TABLES IN SCHEMA odd_tasks TO app_worker
"""
NO_EFFECTS = "DROP SCHEMA odd_tasks CASCADE"

Answer = TypeVar("Answer")


def eventually(probe: Callable[[], Answer | None], *, seconds: float = DEADLINE_SECONDS) -> Answer:
    """Return the first answer that is not None; fails when none has come by the deadline."""
    deadline = time.monotonic() + seconds
    while (answer := probe()) is None:
        assert time.monotonic() < deadline, "the deadline passed without an answer"
        time.sleep(0.05)
    return answer


@dataclass(frozen=True)
class Worker:
    """A running worker."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def running(folder: Path, *options: str, application: str = "workers.app") -> Iterator[Worker]:
    """Run a worker that consumes every queue; end it afterwards."""
    log = folder / "worker.log"
    command = [sys.executable, "-m", "celery", "--app", application, "worker", "--queues", QUEUES]
    command += ["--concurrency", "1", "--loglevel", "INFO", *options]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=TREE, stdout=stream, stderr=stream, env=os.environ | {"PYTHONPATH": str(TREE)}
        )
    worker = Worker(process, log)
    try:
        eventually(lambda: True if "ready." in worker.said() or process.poll() is not None else None)
        assert process.poll() is None, worker.said()
        yield worker
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def worker(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Start a worker with its schedule, with nothing to do but what its tests ask for; end it afterwards."""
    with database.connect() as connection:
        waiting.clear(connection)
        connection.execute("DELETE FROM dirty_marks")
        connection.execute("UPDATE recompute_jobs SET status = 'succeeded'")
        connection.execute(COVERED)
    with running(tmp_path_factory.mktemp("worker"), "--beat") as worker:
        yield worker
