"""Publishing inside somebody's transaction: what is sent there is a row of it, seen when it commits.

`publishing_over` names the connection; whatever is sent meanwhile in this context, by whatever means of
Celery's, goes over it. Its owner calls `Outbox.wake` as the last statement before the commit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

import psycopg

from skeldir.broker import store


@dataclass(slots=True)
class Outbox:
    """A connection in a transaction, and the queues that were sent to in it."""

    connection: psycopg.Connection
    queues: set[str] = field(default_factory=set)

    def publish(self, message: store.Outgoing) -> None:
        """Send as a part of the transaction."""
        self.queues.update(store.publish(self.connection, message))

    def wake(self) -> None:
        """Wake who sleeps over these queues, once the transaction commits."""
        store.wake(self.connection, self.queues)
        self.queues.clear()


_current: Final[ContextVar[Outbox | None]] = ContextVar("skeldir_outbox", default=None)


def current() -> Outbox | None:
    """Return the outbox that publishing goes through in this context."""
    return _current.get()


@contextmanager
def publishing_over(outbox: Outbox | None) -> Iterator[None]:
    """Have everything that is sent meanwhile go through an outbox, or past every one (None)."""
    token = _current.set(outbox)
    try:
        yield
    finally:
        _current.reset(token)
