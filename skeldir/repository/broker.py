"""The queue, as far as the service itself looks at it. It holds no tenant."""

from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from skeldir.domain.queue_figures import QueueFigures

_WAITING: Final = text("""
    SELECT skeldir_broker.has_waiting(:queue, clock_timestamp() - make_interval(secs => :seconds))
""")

_FIGURES: Final = text("SELECT * FROM skeldir_broker.queue_figures()")


def has_waiting(connection: Connection, queue: str, *, longer_than_seconds: float) -> bool:
    """Tell whether a message has waited in the queue for a worker for so long."""
    parameters = {"queue": queue, "seconds": longer_than_seconds}
    return bool(connection.execute(_WAITING, parameters).scalar_one())


def queue_figures(session: Session) -> list[QueueFigures]:
    """Return how long each queue is; it costs 40 ms per 100,000 vacuumed messages."""
    return [
        QueueFigures(
            queue=row.queue,
            ready=row.ready,
            scheduled=row.scheduled,
            in_flight=row.in_flight,
            parked=row.parked,
            oldest_seconds=float(row.oldest_seconds or 0),
        )
        for row in session.execute(_FIGURES)
    ]
