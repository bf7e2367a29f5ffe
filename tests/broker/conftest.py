"""Workers of the broker, real processes with their effects in a table, and bare connections to it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from celery import Celery
from kombu import Connection

from skeldir.db.roles import Role
from skeldir.queue.messages import QUEUES
from tests import waiting
from tests.conftest import Database

TREE = Path(__file__).parents[2]
DEADLINE_SECONDS = 60.0
CELERY = (sys.executable, "-u", "-W", "ignore", "-m", "celery", "-A")
# A schema of its own, which goes again: other tests count what is in the others.
EFFECTS = """
    CREATE SCHEMA broker_tests AUTHORIZATION app_worker;
    CREATE TABLE broker_tests.effects (at timestamptz DEFAULT clock_timestamp(), key text, value text);
    GRANT ALL ON ALL TABLES IN SCHEMA broker_tests TO app_worker
"""
NO_EFFECTS = """
    DROP SCHEMA IF EXISTS broker_tests CASCADE;
    TRUNCATE skeldir_results.celery_taskmeta, skeldir_results.celery_tasksetmeta
"""

Answer = TypeVar("Answer")
Connect = Callable[..., Any]


def eventually(probe: Callable[[], Answer | None], seconds: float = DEADLINE_SECONDS) -> Answer:
    """Return the first answer that is not None; fails when none has come by the deadline."""
    deadline = time.monotonic() + seconds
    while (answer := probe()) is None:
        assert time.monotonic() < deadline, "the deadline passed without an answer"
        time.sleep(0.02)
    return answer


def cancel_consumer(app: Celery, queue: str) -> None:
    """Have the worker consume from a queue no more; it answers that it will before it has done so."""
    assert app.control.cancel_consumer(queue, reply=True, timeout=10, limit=1)

    def is_cancelled() -> bool | None:
        found = app.control.inspect(timeout=10, limit=1).active_queues() or {}
        return any(queue not in {one["name"] for one in queues} for queues in found.values()) or None

    eventually(is_cancelled)


@dataclass
class Site:
    """A database with the queue and a table of effects, and the workers that run there."""

    database: Database
    superuser: psycopg.Connection
    folder: Path
    environment: dict[str, str]
    application: str = "tests.broker.tasks"
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, *options: str, name: str = "one") -> "subprocess.Popen[bytes]":
        """Start a worker of two processes, and wait until it consumes."""
        log = self.folder / f"{name}.log"
        command = [*CELERY, self.application, "worker", "-c", "2", "-n", f"{name}@here"]
        command += ["--loglevel", "INFO", *options]
        with log.open("ab") as stream:
            started_at = stream.tell()
            process = subprocess.Popen(
                command, cwd=TREE, env=self.environment, stdout=stream, stderr=stream, start_new_session=True
            )
        self.workers.append(process)
        eventually(lambda: True if b"ready." in log.read_bytes()[started_at:] else None)
        return process

    @contextmanager
    def beside(self, *arguments: str, log: Path) -> Iterator[None]:
        """Have one of Celery's commands at work that goes on until it is ended."""
        with log.open("wb") as stream:
            command = [*CELERY, self.application, *arguments]
            process = subprocess.Popen(command, cwd=TREE, env=self.environment, stdout=stream, stderr=stream)
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def control(self, *arguments: str) -> str:
        """Run one of Celery's commands against the workers; returns what it said."""
        command = [*CELERY, self.application, *arguments]
        done = subprocess.run(
            command, cwd=TREE, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout + done.stderr

    def effects(self, key: str) -> list[str]:
        """Return the values that tasks left under a key, in their order."""
        rows = self.superuser.execute(
            "SELECT value FROM broker_tests.effects WHERE key = %s ORDER BY at", [key]
        )
        return [value for (value,) in rows.fetchall()]

    def count(self, statement: str) -> int:
        """Return a number that a statement selects."""
        row = self.superuser.execute(statement).fetchone()  # type: ignore[arg-type]
        assert row is not None
        return int(row[0])

    def is_empty(self) -> bool:
        """Tell whether nothing waits, is worked on or is scheduled."""
        tables = ("messages", "scheduled_messages")
        return all(self.count(f"SELECT count(*) FROM skeldir_broker.{table}") == 0 for table in tables)

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        """Kill a worker with all of its children at once."""
        os.killpg(process.pid, 9)
        process.wait()

    def stop(self) -> None:
        """End the workers."""
        for process in self.workers:
            if process.poll() is None:
                process.terminate()
        for process in self.workers:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill(process)
        self.workers.clear()


@pytest.fixture(scope="module", autouse=True)
def _no_queues_are_left(database: Database) -> Iterator[None]:
    """Delete the queues that a file's tests declared: health tells of every one, in others' tests too."""
    yield
    with database.connect() as superuser:
        superuser.execute("DELETE FROM skeldir_broker.queues WHERE queue <> ALL(%s)", [list(QUEUES)])


@pytest.fixture(scope="module")
def place(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    url = database.url("app_worker").set(drivername="postgresql").render_as_string(hide_password=False)
    told = {
        "TEST_BROKER_URL": f"pg+{url}",
        "TEST_DATABASE_URL": url,
        "TEST_RESULT_BACKEND": f"db+{url.replace('postgresql:', 'postgresql+psycopg:')}",
        "TEST_UNLOCK_TRIES": "8",
        "PYTHONPATH": str(TREE),
    }
    with pytest.MonkeyPatch.context() as environment, database.connect() as superuser:
        for name, value in told.items():
            environment.setenv(name, value)  # for this process's own part; gone again with its workers
        waiting.clear(superuser)
        superuser.execute(NO_EFFECTS)
        superuser.execute(EFFECTS)
        site = Site(database, superuser, tmp_path_factory.mktemp("broker"), os.environ | told)
        yield site
        site.stop()
        superuser.execute(NO_EFFECTS)


@pytest.fixture
def site(place: Site) -> Iterator[Site]:
    """Return the place with an empty queue; what a test started is ended after it."""
    waiting.clear(place.superuser)
    yield place
    place.stop()


@pytest.fixture(scope="module")
def tasks(place: Site) -> Iterator[Any]:  # noqa: ARG001 - the module reads what the place told
    from tests.broker import tasks as module  # noqa: PLC0415

    yield module
    module.app.pool.force_close_all(close_pool=False)
    module.app.pool.setup()  # for the next file's tests in this process, who find it empty else, and wait


@pytest.fixture
def connect(database: Database) -> Iterator[Connect]:
    """Return a function that connects as a login; all connections are closed in the end."""
    opened = []

    def connected(role: Role = "app_worker") -> Any:
        url = database.url(role).set(drivername="postgresql").render_as_string(hide_password=False)
        connection = Connection(f"pg+{url}")
        opened.append(connection)
        return connection

    yield connected
    for connection in opened:
        connection.close()


@pytest.fixture
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        waiting.clear(connection)
        yield connection
