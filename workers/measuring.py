"""What becomes of tasks, counted where all of a worker's outcomes come together: in its main process.

A child that is killed could tell nothing, and one that waits for its next task would tell it late.
"""

import threading
import time
from typing import Any, Final

from billiard.einfo import ExceptionWithTraceback
from billiard.exceptions import WorkerLostError
from celery.exceptions import Ignore, Reject, Retry
from celery.worker.request import Request

from skeldir.broker.channel import EXPIRY_LISTENERS
from skeldir.domain.task_figures import Outcome, QueueCounts, Report, TaskFigures

ALREADY_DONE: Final = {"outcome": "already_done"}
"""What a task returns that had taken effect before."""
WAITED: Final = {"outcome": "busy"}
"""What a task returns that did nothing, as another one had the tenant's turn."""

_OUTCOMES: Final[dict[str, Outcome]] = {repr(ALREADY_DONE): "skipped", repr(WAITED): "waited"}


class Tally:
    """Counts until somebody takes them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[tuple[str, Outcome], TaskFigures] = {}
        self._queues: dict[str, QueueCounts] = {}

    def ran(self, task_name: str, outcome: Outcome, seconds: float) -> None:
        """Count a run of a task."""
        with self._lock:
            self._figures(task_name, outcome).add(seconds)

    def redelivered(self, queue: str, count: int = 1) -> None:
        """Count messages that were given to a worker before."""
        with self._lock:
            self._counts(queue).redelivered += count

    def expired(self, queue: str, count: int = 1) -> None:
        """Count messages that are thrown away, since they have waited for longer than they were worth."""
        with self._lock:
            self._counts(queue).expired += count

    def take(self) -> Report:
        """Return what was counted, and begin anew."""
        with self._lock:
            report = Report(list(self._tasks.values()), self._queues)
            self._tasks, self._queues = {}, {}
        return report

    def put_back(self, report: Report) -> None:
        """Count what could not be reported once more."""
        with self._lock:
            for figures in report.tasks:
                self._figures(figures.task_name, figures.outcome).add_all(figures)
        for queue, counts in report.queues.items():
            self.redelivered(queue, counts.redelivered)
            self.expired(queue, counts.expired)

    def _figures(self, task_name: str, outcome: Outcome) -> TaskFigures:
        key = (task_name, outcome)
        return self._tasks.setdefault(key, TaskFigures(task_name, outcome))

    def _counts(self, queue: str) -> QueueCounts:
        return self._queues.setdefault(queue, QueueCounts())


tally: Final = Tally()
"""This worker's."""
EXPIRY_LISTENERS.append(tally.expired)


class Measured(Request):  # type: ignore[misc]
    """A request whose outcome is counted."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if (self.delivery_info or {}).get("redelivered"):
            tally.redelivered(self._queue())

    def _announce_revoked(self, reason: str, terminated: bool, signum: Any, expired: bool) -> None:  # noqa: FBT001 - Celery's
        """Count what expired after the worker had taken it."""
        if expired:
            tally.expired(self._queue())
        super()._announce_revoked(reason, terminated, signum, expired)

    def _queue(self) -> str:
        return str((self.delivery_info or {}).get("routing_key"))

    def __init_subclass__(cls, **options: Any) -> None:
        """Count successes in the class that Celery derives for each task, with an `on_success` of its own."""
        super().__init_subclass__(**options)
        if "on_success" not in cls.__dict__:
            return
        settle = cls.on_success

        def on_success(self: Measured, told: tuple[bool, Any, float | None], **more: Any) -> Any:
            failed, result, seconds = told
            if not failed:
                tally.ran(self.name, _OUTCOMES.get(result, "succeeded"), seconds or 0.0)
            return settle(self, told, **more)

        cls.on_success = on_success

    def on_failure(self, exc_info: Any, *arguments: Any, **options: Any) -> Any:
        """Count what did not succeed; `on_success` comes here too when the task itself raised."""
        outcome = _outcome(exc_info.exception)
        if outcome is not None:
            seconds = time.time() - self.time_start if self.time_start else 0.0
            tally.ran(self.name, outcome, max(seconds, 0.0))
        return super().on_failure(exc_info, *arguments, **options)


def _outcome(error: BaseException) -> Outcome | None:
    if isinstance(error, ExceptionWithTraceback):
        error = error.exc
    if isinstance(error, Retry):
        return "retried"
    if isinstance(error, Ignore | Reject):
        return None  # its message is given back, since a retry could not be sent: it will be run again
    return "lost" if isinstance(error, WorkerLostError | SystemExit | KeyboardInterrupt) else "failed"
