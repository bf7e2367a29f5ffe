"""The id that follows one request through logs, workers and problem documents."""

import random
from contextvars import ContextVar
from uuid import UUID

_current: ContextVar[UUID | None] = ContextVar("correlation_id", default=None)


def accept_or_make(sent: str | None) -> UUID:
    """Return the caller's correlation id if it is a UUID, else a new one, and make it current."""
    try:
        correlation_id = UUID(sent) if sent else _made()
    except ValueError:
        correlation_id = _made()
    _current.set(correlation_id)
    return correlation_id


def current() -> UUID | None:
    """Return the correlation id of the request or task that this code runs for."""
    return _current.get()


def _made() -> UUID:
    # It keeps nobody out, so that a generator which asks the kernel for every one would be waste.
    return UUID(int=random.getrandbits(128), version=4)
