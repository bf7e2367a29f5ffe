"""What every task has in common: a tenant, one transaction, effects that happen once, bounded retries."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn, cast
from uuid import UUID

from celery import Task
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from skeldir.db.engine import get_engine
from skeldir.db.session import Isolation, tenant_session
from skeldir.observability import correlation
from skeldir.queue.sending import CORRELATION_HEADER
from skeldir.repository import task_effects
from workers.app import app

RETRIES_MAX: Final = 5
BACKOFF_SECONDS: Final = 0.5
BACKOFF_SECONDS_MAX: Final = 30.0


class AlreadyDone(Exception):
    """The task has taken effect before: this is a second delivery of its message."""


class Busy(Exception):
    """Another job works on the tenant; this one is worth another try."""


TRANSIENT: Final = (OperationalError, InterfaceError, Busy)
"""Lost connections, serialization failures, deadlocks, timeouts, and waiting for one's turn."""


class SystemTask(Task):  # type: ignore[misc]
    """A task of no tenant: it reads who there is and sends to each; it touches no tenant's table."""

    abstract = True


class TenantTask(Task):  # type: ignore[misc]
    """A task of one tenant. Its arguments are keywords, JSON-safe, and name things by their ids."""

    abstract = True
    max_retries = RETRIES_MAX

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - a task returns what it likes
        """Run the task; what is transient is tried again, what was done before is not repeated."""
        if args:
            raise TypeError(f"{self.name} takes keyword arguments only")
        correlation.accept_or_make((self.request.headers or {}).get(CORRELATION_HEADER))
        try:
            return self.run(**kwargs)
        except AlreadyDone:
            return {"outcome": "already_done"}
        except TRANSIENT as error:
            self.try_again(error)

    def try_again(self, error: Exception) -> NoReturn:
        """Retry after a pause that grows and is jittered; raises the error itself after the last try."""
        attempt = self.request.retries or 0
        pause = min(BACKOFF_SECONDS * 2**attempt, BACKOFF_SECONDS_MAX)
        raise self.retry(exc=error, countdown=random.uniform(pause / 2, pause))  # noqa: S311

    @contextmanager
    def effect(self, tenant_id: str, *, isolation: Isolation = "read committed") -> Iterator[Session]:
        """Open the transaction in which the task takes effect, once however often it is delivered.

        Raises AlreadyDone when it did before.
        """
        with self.transaction(tenant_id, isolation=isolation) as session:
            if not task_effects.claim(session, UUID(self.request.id), self.name):
                raise AlreadyDone
            yield session

    @contextmanager
    def transaction(
        self, tenant_id: str, *, isolation: Isolation = "read committed", is_durable: bool = True
    ) -> Iterator[Session]:
        """Open a transaction of the tenant that may happen again when the task is delivered again."""
        engine = get_engine("app_worker")
        with tenant_session(
            UUID(tenant_id), isolation=isolation, is_durable=is_durable, engine=engine
        ) as session:
            yield session


def task(name: str, base: type[Task]) -> Callable[[Callable[..., object]], Task]:
    """Register a function as the task of a stable name; it receives the task itself first."""
    return cast("Callable[[Callable[..., object]], Task]", app.task(name=name, base=base, bind=True))
