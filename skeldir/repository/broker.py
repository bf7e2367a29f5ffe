"""The broker's tables, as far as its transport leaves them to be looked after. They hold no tenant."""

from typing import Final

from sqlalchemy import Connection, text

# Hidden messages come first in the index that a claim walks along: the fewer, the quicker.
_PRUNE: Final = text("DELETE FROM kombu_message WHERE visible = false")

_WAITING: Final = text("""
    SELECT EXISTS (SELECT FROM kombu_message AS message
                     JOIN kombu_queue AS queue ON queue.id = message.queue_id
                    WHERE queue.name = :queue AND message.visible
                      AND message.timestamp < clock_timestamp() AT TIME ZONE 'UTC'
                                              - make_interval(secs => :seconds))
""")


def has_waiting(connection: Connection, queue: str, *, longer_than_seconds: float) -> bool:
    """Tell whether a message has waited in the queue for a worker for so long."""
    parameters = {"queue": queue, "seconds": longer_than_seconds}
    return bool(connection.execute(_WAITING, parameters).scalar_one())


def prune_consumed(connection: Connection) -> int:
    """Delete the messages that were handed to a worker; returns how many."""
    return connection.execute(_PRUNE).rowcount
