"""What no worker can read is parked; it neither ends a worker nor holds up what came with it."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from skeldir.queue import messages
from skeldir.queue.sending import send
from tests import waiting
from tests.conftest import Database
from tests.workers.conftest import Worker, eventually, running


def envelope(body: str = "[[], {}, {}]", *, encoding: str | None = None, **headers: str) -> str:
    """Return a message as it stands in the queue."""
    return json.dumps(
        {
            "body": body,
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": headers,
            "properties": {
                "delivery_info": {"exchange": "tasks", "routing_key": "maintenance"},
                "delivery_tag": "x",
                "body_encoding": encoding,
            },
        }
    )


UNREADABLE = (
    "no json",
    "[]",
    "{}",
    envelope(encoding="rot13"),
    envelope("no json"),
    envelope(task="of.another.release", id="1"),
    envelope(task="maintenance.prune_tenant", id="1", eta="tomorrow"),
    envelope(),
)
PUBLISH = """
    SELECT skeldir_broker.wake(
        skeldir_broker.publish('', 'direct', 'maintenance', %s::smallint, 0, NULL, NULL, %s))
"""


@pytest.fixture
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        waiting.clear(connection)
        connection.execute("DELETE FROM skeldir_broker.parked_messages")
        yield connection
        waiting.clear(connection)
        connection.execute("DELETE FROM skeldir_broker.parked_messages")


def send_among_others(database: Database, tenant: UUID) -> None:
    """Send what nobody can read, as the API's login may, and tasks before, between and after."""
    url = database.url("app_user").set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        for number, body in enumerate(UNREADABLE):
            send(messages.prune_tenant(tenant_id=tenant))
            connection.execute(PUBLISH, [number % 2, body])
    send(messages.prune_tenant(tenant_id=tenant))


def expect_all_to_end(superuser: psycopg.Connection, worker: Worker) -> None:
    """See every task done, and the rest parked as it came."""

    def empty() -> bool | None:
        assert worker.process.poll() is None, worker.said()
        row = superuser.execute("SELECT count(*) FROM skeldir_broker.messages").fetchone()
        return None if row is None or row[0] else True

    eventually(empty)
    rows = superuser.execute("SELECT body, attempts FROM skeldir_broker.parked_messages").fetchall()
    assert sorted(rows) == sorted((body, 5) for body in UNREADABLE)
    assert worker.said().count("prune_tenant[") >= len(UNREADABLE) + 1


def test_what_arrives_while_a_worker_runs(
    database: Database, tenant: UUID, superuser: psycopg.Connection, tmp_path: Path
) -> None:
    with running(tmp_path) as worker:
        send_among_others(database, tenant)
        expect_all_to_end(superuser, worker)


def test_what_waits_when_a_worker_of_several_processes_starts(
    database: Database, tenant: UUID, superuser: psycopg.Connection, tmp_path: Path
) -> None:
    """It takes several at once, so that one may be taken with others."""
    send_among_others(database, tenant)
    with running(tmp_path, "--concurrency", "4") as worker:
        expect_all_to_end(superuser, worker)
