"""What every task has in common: a tenant, one transaction, effects that happen once, bounded retries."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NoReturn, cast
from uuid import UUID

from billiard.einfo import ExceptionWithTraceback
from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError
from celery import Task
from celery.exceptions import Reject
from celery.utils.log import get_task_logger
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.orm import Session
from structlog.contextvars import bind_contextvars, clear_contextvars

from skeldir.db.engine import get_engine
from skeldir.db.faults import DATABASE_ERRORS, TRANSIENT_ERRORS
from skeldir.db.session import Isolation, tenant_session
from skeldir.domain.failed_jobs import ErrorKind, kept_arguments, place
from skeldir.observability import correlation
from skeldir.repository import failed_jobs, task_effects, tenants
from skeldir.repository.failed_jobs import Failure
from workers.app import app
from workers.measuring import ALREADY_DONE, WAITED, Measured

RETRIES_MAX: Final = 5
BACKOFF_SECONDS: Final = 0.5
BACKOFF_SECONDS_MAX: Final = 30.0

SYSTEM_SOFT_LIMIT_SECONDS: Final = 50
SYSTEM_HARD_LIMIT_SECONDS: Final = 60
"""Of tasks that only send; the others' limits are the application's."""


class AlreadyDone(Exception):
    """The task has taken effect before: this is a second delivery of its message."""


class Busy(Exception):
    """Another job works on the tenant; this one is worth another try.

    To have waited in vain is no failure. Only tasks raise it whose work the sweep finds again.
    """


class InvalidArgument(ValueError):
    """A task was sent with arguments that no retry makes right."""


class NoTenant(InvalidArgument):
    """A tenant's task was sent without one, or for one that there is not."""


TRANSIENT: Final = (*TRANSIENT_ERRORS, BrokerError, Busy)
"""What the database or the broker may do at another try, and waiting for one's turn."""


_KINDS: Final[tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], ErrorKind], ...]] = (
    ((SoftTimeLimitExceeded, TimeLimitExceeded), "time_limit"),
    (WorkerLostError, "worker_lost"),
    (TRANSIENT, "transient"),
    (DATABASE_ERRORS, "database"),
    ((ValueError, TypeError, KeyError), "invalid_argument"),
)

log = get_task_logger(__name__)


class Recorded(Measured):
    """A request whose failure is kept also where it is not the task's own process that tells of it."""

    _is_given_up = False

    def on_timeout(self, soft: bool, timeout: float) -> None:  # noqa: FBT001 - Celery's
        """Have `on_failure` see the message of a task that was ended at its hard limit."""
        with self._known_to_its_task():
            super().on_timeout(soft, timeout)

    def on_failure(self, exc_info: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - Celery's
        """Give up a task that has ended its process again, where the broker would deliver it for ever.

        The queue in PostgreSQL counts how often a message was begun and parks it; RabbitMQ only tells that it
        was before.
        """
        error = exc_info.exception
        error = error.exc if isinstance(error, ExceptionWithTraceback) else error
        is_again = isinstance(error, WorkerLostError) and self.delivery_info["redelivered"]
        if is_again and self.app.is_elsewhere:
            self._is_given_up = True
            with self._known_to_its_task():
                self.task.on_failure(error, self.id, self.args, self.kwargs, exc_info)
        return super().on_failure(exc_info, *arguments, **options)

    def reject(self, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - Celery's
        """Give the message back, unless it is given up."""
        super().reject(requeue=requeue and not self._is_given_up)

    @contextmanager
    def _known_to_its_task(self) -> Iterator[None]:
        self.task.push_request(**self.request_dict)
        try:
            yield
        finally:
            self.task.pop_request()


class BaseTask(Task):  # type: ignore[misc]
    """A task: its arguments are keywords and JSON-safe, and it is tried again a bounded number of times."""

    abstract = True
    max_retries = RETRIES_MAX
    Request = Recorded

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - a task returns what it likes
        """Run the task under its sender's correlation id; what is transient is tried again."""
        if args:
            raise TypeError(f"{self.name} takes keyword arguments only")
        correlation.accept(self.request.headers or {})
        clear_contextvars()
        bind_contextvars(task_name=self.name, task_id=self.request.id)
        try:
            self.check(kwargs)
            return self.run(**kwargs)
        except AlreadyDone:
            return dict(ALREADY_DONE)
        except TRANSIENT as error:
            if isinstance(error, Busy) and (self.request.retries or 0) >= self.max_retries:
                return dict(WAITED)
            self.try_again(error)

    def signature(self, args: Any = None, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - Celery's
        """Return the task with its arguments, for a canvas; what ran before it hands it no result.

        So `.s(…)` is the same as `.si(…)`: its arguments are all there, and are not added to later. Raises
        TypeError for one without a name, which would only fail in the worker.
        """
        if args:
            raise TypeError(f"{self.name} takes keyword arguments only")
        return super().signature(args, *arguments, **options | {"immutable": True})

    def apply_async(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - Celery's
        """Send the task; a chord's part has its result kept, or what follows would wait for it for ever."""
        if options.get("chord") is not None:
            options["ignore_result"] = False
        return super().apply_async(*arguments, **options)

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Refuse arguments before anything is done; raises InvalidArgument."""

    def try_again(self, error: Exception) -> NoReturn:
        """Retry after a pause; raises the error itself after the last try.

        A retry that cannot be sent gives the message back: Celery would throw it away.
        """
        try:
            headers = (self.request.headers or {}) | correlation.carried()
            raise self.retry(exc=error, countdown=pause_seconds(self.request.retries or 0), headers=headers)
        except Reject as unsent:
            raise Reject(unsent.reason, requeue=True) from error


class SystemTask(BaseTask):
    """A task of no tenant: it reads who there is and sends to each; it touches no tenant's table.

    The schedule sends it again, so that one which fails for good is only logged.
    """

    abstract = True
    soft_time_limit = SYSTEM_SOFT_LIMIT_SECONDS
    time_limit = SYSTEM_HARD_LIMIT_SECONDS


class TenantTask(BaseTask):
    """A task of one tenant, which it opens its transactions for. Its arguments name things by their ids."""

    abstract = True

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Refuse a tenant's task without a tenant before it touches the database, and a stranger's work."""
        try:
            tenant_id = UUID(arguments["tenant_id"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise NoTenant(f"{self.name} needs a tenant_id") from None
        _refuse_stranger(tenant_id)

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:  # noqa: ANN401, ARG002
        """Keep a task that failed for good, for who may retry it; of no tenant there is nobody."""
        if not isinstance(exc, NoTenant):
            keep_failure(self, exc, task_id, kwargs)

    @contextmanager
    def effect(
        self, tenant_id: str, *, isolation: Isolation = "read committed", is_durable: bool = True
    ) -> Iterator[Session]:
        """Open the transaction in which the task takes effect, once however often it is delivered.

        An effect that is not durable may be undone by a crash of the server, so it must be one that is found
        again without its message, as marks and jobs are. Of the queue in PostgreSQL the message would be back
        as well, for its end is written after the effect.
        Raises AlreadyDone when it did before.
        """
        with self.transaction(tenant_id, isolation=isolation, is_durable=is_durable) as session:
            if not task_effects.claim(session, UUID(self.request.id), self.name):
                raise AlreadyDone
            yield session

    @contextmanager
    def transaction(
        self,
        tenant_id: str,
        *,
        isolation: Isolation = "read committed",
        is_durable: bool = True,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> Iterator[Session]:
        """Open a transaction of the tenant that may happen again when the task is delivered again."""
        engine = get_engine("app_worker")
        with tenant_session(
            UUID(tenant_id), isolation=isolation, is_durable=is_durable, settings=settings, engine=engine
        ) as session:
            yield session


def keep_failure(failed: Task, error: BaseException, task_id: str, arguments: Mapping[str, Any]) -> None:
    """Write down that a task failed for good; where even that fails it is logged, without its arguments."""
    kind: ErrorKind = next((kind for classes, kind in _KINDS if isinstance(error, classes)), "application")
    told = (failed.request.headers or {}).get(correlation.CORRELATION_HEADER)
    try:
        tenant_id = UUID(arguments["tenant_id"])
        failure = Failure(
            failed_job_id=UUID(task_id),
            task_name=failed.name,
            queue=(failed.request.delivery_info or {}).get("routing_key") or failed.name.partition(".")[0],
            arguments=kept_arguments(arguments),
            error_type=type(error).__name__,
            error_kind=kind,
            error_place=place(error.__traceback__),
            attempts=1 + (failed.request.retries or 0),
            correlation_id=UUID(told) if told else None,
        )
        with tenant_session(tenant_id, engine=get_engine("app_worker")) as session:
            failed_jobs.add(session, failure)
    except Exception:  # whatever it is, the task's own error matters more
        log.exception("a failure was not kept", extra={"task": failed.name, "task_id": task_id})


@lru_cache(maxsize=10_000)
def _refuse_stranger(tenant_id: UUID) -> None:
    """Raise NoTenant where there is no such tenant; tenants stay, so each is looked for once."""
    with tenant_session(tenant_id, read_only=True, engine=get_engine("app_worker")) as session:
        if tenants.find(session) is None:
            raise NoTenant(f"there is no tenant {tenant_id}")


def pause_seconds(retries: int) -> float:
    """Return how long to wait before the next try: longer each time, and not all at the same moment."""
    pause = min(BACKOFF_SECONDS * 2**retries, BACKOFF_SECONDS_MAX)
    return random.uniform(pause / 2, pause)  # noqa: S311


def task(name: str, base: type[Task]) -> Callable[[Callable[..., object]], Task]:
    """Register a function as the task of a stable name; it receives the task itself first."""
    return cast("Callable[[Callable[..., object]], Task]", app.task(name=name, base=base, bind=True))
