"""The queue, as far as the service itself looks at it. It holds no tenant."""

from typing import Final

from sqlalchemy import Connection, text

_WAITING: Final = text("""
    SELECT skeldir_broker.has_waiting(:queue, clock_timestamp() - make_interval(secs => :seconds))
""")


def has_waiting(connection: Connection, queue: str, *, longer_than_seconds: float) -> bool:
    """Tell whether a message has waited in the queue for a worker for so long."""
    parameters = {"queue": queue, "seconds": longer_than_seconds}
    return bool(connection.execute(_WAITING, parameters).scalar_one())
