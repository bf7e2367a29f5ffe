"""The id that follows one request through logs, workers and problem documents."""

from contextvars import ContextVar
from uuid import UUID, uuid4

_current: ContextVar[UUID | None] = ContextVar("correlation_id", default=None)


def accept_or_make(sent: str | None) -> UUID:
    """Return the caller's correlation id if it is a UUID, else a new one, and make it current."""
    try:
        correlation_id = UUID(sent) if sent else uuid4()
    except ValueError:
        correlation_id = uuid4()
    _current.set(correlation_id)
    return correlation_id


def current() -> UUID | None:
    """Return the correlation id of the request or task that this code runs for."""
    return _current.get()
