"""What waits in the queue, seen by a superuser."""

import json
from typing import Any
from uuid import UUID

import psycopg

from skeldir.broker import store

WAITING = """
    SELECT body FROM (
        SELECT sent_at AS at, message_id, body FROM skeldir_broker.messages WHERE lease IS NULL
        UNION ALL
        SELECT due_at, message_id, body FROM skeldir_broker.scheduled_messages) AS waiting
     ORDER BY at, message_id
"""


def clear(superuser: psycopg.Connection) -> None:
    """Throw away what waits: other tests' messages, which nobody has taken."""
    superuser.execute("DELETE FROM skeldir_broker.messages")
    superuser.execute("DELETE FROM skeldir_broker.scheduled_messages")


def headers(superuser: psycopg.Connection) -> list[dict[str, Any]]:
    """Return the headers of the tasks that wait, due or not, in the order of their being due."""
    return [json.loads(row[0])["headers"] for row in superuser.execute(WAITING).fetchall()]


def names(superuser: psycopg.Connection, tenant_id: UUID) -> list[str]:
    """Return the names of the tasks that wait on behalf of a tenant, in the order of their being due."""
    return [told["task"] for told in headers(superuser) if str(tenant_id) in told["kwargsrepr"]]


def age(superuser: psycopg.Connection, seconds: int) -> None:
    """Make what waits so much older."""
    superuser.execute(
        "UPDATE skeldir_broker.messages SET sent_at = sent_at - make_interval(secs => %s)", [seconds]
    )


def fill(superuser: psycopg.Connection, queue: str, count: int) -> None:
    """Put so many messages into a queue."""
    superuser.execute(
        """INSERT INTO skeldir_broker.messages (queue, priority, lane, body)
           SELECT %s, 0, 0, '{"headers": {}}' FROM generate_series(1, %s)""",
        [queue, count],
    )


def park(worker: psycopg.Connection, *queues: str) -> list[int]:
    """Begin whatever waits as often as it takes, and never settle it; returns the messages' ids."""
    lease = store.take_lease(worker)
    ids: set[int] = set()
    for _ in range(store.ATTEMPTS_MAX):
        begun = [message.message_id for message in store.claim(worker, lease, list(queues), 100, [], 0)]
        store.release(worker, lease, begun, begun=True)
        ids.update(begun)
    return sorted(ids)
