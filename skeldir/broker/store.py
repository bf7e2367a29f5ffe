"""The broker's functions in the database, called on a connection of the driver."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg

ATTEMPTS_MAX: Final = 5
"""A message that was begun so often and never settled is parked: it must not end workers for ever."""

CHANNEL: Final = "skeldir_broker"
"""What sleepers listen to; the payload is a queue's name."""

# A message is due and expires by the database's clock, whatever its sender's says.
_IN: Final = "clock_timestamp() + make_interval(secs => %s)"
_PUBLISH: Final = f"skeldir_broker.publish(%s, %s, %s, %s::smallint, %s, {_IN}, {_IN}, %s)"
_SEND: Final = f"SELECT skeldir_broker.wake({_PUBLISH})"
_WAKE: Final = "SELECT skeldir_broker.wake(%s)"
_CLAIM: Final = "SELECT * FROM skeldir_broker.claim(%s, %s, %s, %s::bigint[], %s)"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way to one or more queues."""

    exchange: str
    kind: str
    """The exchange's: direct, fanout or topic."""
    routing_key: str
    body: str
    priority: int = 0
    lane: int = 0
    """Who claims goes from lane to lane: a number made of whom the message is for."""
    delay_seconds: float | None = None
    expires_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that a lease holds."""

    message_id: int
    queue: str
    priority: int
    attempts: int
    has_expired: bool | None
    body: str


def publish(connection: psycopg.Connection, message: Outgoing) -> list[str]:
    """Put a message into the queues that it is for; returns them. Nobody is woken yet."""
    row = connection.execute(f"SELECT {_PUBLISH}", _parameters(message), prepare=True).fetchone()
    return row[0] or [] if row else []


def send(connection: psycopg.Connection, message: Outgoing) -> None:
    """Put a message into the queues that it is for and wake who sleeps over them, in one go."""
    connection.execute(_SEND, _parameters(message), prepare=True)


def wake(connection: psycopg.Connection, queues: Collection[str]) -> None:
    """Wake who sleeps over these queues when this transaction commits: its last statement."""
    if queues:
        connection.execute(_WAKE, (list(queues),), prepare=True)


def claim(  # noqa: PLR0917 - as the function in the database has them
    connection: psycopg.Connection,
    lease: int,
    queues: Sequence[str],
    wanted: int,
    settled: Sequence[int],
    first_lane: int,
) -> list[Claimed]:
    """Delete what is settled, and take up to so many messages, the most urgent first."""
    found = connection.execute(_CLAIM, (lease, queues, wanted, settled, first_lane), prepare=True).fetchall()
    claimed = [Claimed(*row) for row in found]
    claimed.sort(key=lambda one: (-one.priority, one.message_id))
    return claimed


def release(connection: psycopg.Connection, lease: int, message_ids: Sequence[int], *, begun: bool) -> None:
    """Give messages back; those that were begun have used up an attempt."""
    _call(connection, "release(%s, %s::bigint[], %s, %s)", lease, message_ids, begun, ATTEMPTS_MAX)


def take_lease(connection: psycopg.Connection) -> int:
    """Take a lease that lives as long as the connection."""
    return int(_call(connection, "take_lease()"))


def sweep(connection: psycopg.Connection) -> int:
    """Give back what dead consumers held; returns how many messages."""
    return int(_call(connection, "sweep(%s)", ATTEMPTS_MAX))


def promote(connection: psycopg.Connection) -> float | None:
    """Move what is due to its queue; returns in how many seconds the next will be, None for nothing."""
    seconds: float | None = _call(connection, "promote()")
    return seconds


def lie_down(connection: psycopg.Connection, lease: int, queues: Sequence[str]) -> None:
    """Have publishers wake this lease."""
    _call(connection, "sleep(%s, %s)", lease, list(queues))


def get_up(connection: psycopg.Connection, lease: int) -> None:
    """Have publishers spare themselves the waking."""
    _call(connection, "get_up(%s)", lease)


def has_queue(connection: psycopg.Connection, queue: str) -> bool:
    """Tell whether a queue was declared."""
    return bool(_call(connection, "has_queue(%s)", queue))


def declare_queue(connection: psycopg.Connection, queue: str, lease: int | None) -> None:
    """Declare a queue; one with a lease is deleted with it."""
    _call(connection, "declare_queue(%s, %s)", queue, lease)


def has_binding(connection: psycopg.Connection, exchange: str, routing_key: str, queue: str) -> bool:
    """Tell whether messages of an exchange with a routing key go to a queue."""
    return bool(_call(connection, "has_binding(%s, %s, %s)", exchange, routing_key, queue))


def bind(
    connection: psycopg.Connection, exchange: str, routing_key: str, queue: str, pattern: str | None
) -> None:
    """Have messages of an exchange go to a queue; `pattern` is a topic's, as a regular expression."""
    _call(connection, "bind(%s, %s, %s, %s)", exchange, routing_key, queue, pattern)


def unbind(connection: psycopg.Connection, exchange: str, routing_key: str, queue: str) -> None:
    """Have messages of an exchange go to a queue no more."""
    _call(connection, "unbind(%s, %s, %s)", exchange, routing_key, queue)


def bindings(connection: psycopg.Connection, exchange: str) -> list[tuple[str, str | None, str]]:
    """Return an exchange's bindings: routing key, pattern, queue."""
    return connection.execute("SELECT * FROM skeldir_broker.bindings(%s)", (exchange,)).fetchall()


def delete_queue(connection: psycopg.Connection, queue: str) -> None:
    """Delete a queue with all that is in it."""
    _call(connection, "delete_queue(%s)", queue)


def delete_queue_unless(connection: psycopg.Connection, queue: str, *, used: bool, filled: bool) -> bool:
    """Delete a queue unless somebody uses it, or has left something in it; tells whether it was deleted."""
    return bool(_call(connection, "delete_queue_unless(%s, %s, %s)", queue, used, filled))


def size(connection: psycopg.Connection, queue: str) -> int:
    """Count the messages of a queue that are ready."""
    return int(_call(connection, "size(%s)", queue))


def purge(connection: psycopg.Connection, queue: str) -> int:
    """Delete a queue's messages, due or not, that nobody holds; returns how many."""
    return int(_call(connection, "purge(%s)", queue))


def _parameters(message: Outgoing) -> tuple[object, ...]:
    return (
        message.exchange,
        message.kind,
        message.routing_key,
        message.priority,
        message.lane,
        message.delay_seconds,
        message.expires_seconds,
        message.body,
    )


def _call(connection: psycopg.Connection, call: str, *arguments: object) -> Any:  # noqa: ANN401
    row = connection.execute(f"SELECT skeldir_broker.{call}", arguments, prepare=True).fetchone()
    return row[0] if row else None
