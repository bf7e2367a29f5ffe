"""Figures that are asked for often and cost something: asked for once in a while, told to all."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Generic, TypeVar

from skeldir.db.session import lookup_session
from skeldir.domain.queue_figures import QueueFigures
from skeldir.domain.task_figures import QueueWorkers, TaskFigures
from skeldir.domain.unknown_share import Level
from skeldir.queue.messages import QUEUES
from skeldir.repository import audit_findings, broker, schedule, unknown_touches, worker_reports
from skeldir.repository.audit_findings import AuditFigures

Answer = TypeVar("Answer")

FRESH_SECONDS: Final = 5.0
FAILED_SECONDS: Final = 1.0
SHARE: Final = 20
"""What took long to find out stays good for longer: so many times as long."""


@dataclass(frozen=True, slots=True)
class Failed:
    """How asking failed, and until when nobody tries again."""

    until: float
    error: Exception
    traceback: TracebackType | None


class Remembered(Generic[Answer]):
    """An answer that stays good for a while, asked for by one at a time.

    Meanwhile others get the former one, or wait where there is none; what failed has failed for all of
    them, so that no queue of threads waits for a database that does not answer.
    """

    def __init__(self, ask: Callable[[], Answer]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._known: tuple[float, Answer] | None = None  # until when, and what
        self._failed: Failed | None = None

    def __call__(self) -> Answer:
        """Return the answer; raises whatever asking raised."""
        known = self._known
        if not self._lock.acquire(blocking=known is None) and known is not None:
            return known[1]
        try:
            return self._answer()
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Ask anew next time."""
        with self._lock:
            self._known = self._failed = None

    def _answer(self) -> Answer:
        begun = time.monotonic()
        if self._known is not None and begun < self._known[0]:
            return self._known[1]
        if self._failed is not None and begun < self._failed.until:
            raise self._failed.error.with_traceback(self._failed.traceback)  # or it would grow each time
        try:
            answer = self._ask()
        except Exception as error:  # whatever it is, it is told to all who ask meanwhile
            failed = Failed(time.monotonic() + FAILED_SECONDS, error, error.__traceback__)
            self._known, self._failed = None, failed
            raise
        now = time.monotonic()
        self._known, self._failed = (now + max(FRESH_SECONDS, SHARE * (now - begun)), answer), None
        return answer


@dataclass(frozen=True, slots=True)
class Watched:
    """What the service is like, everybody's together."""

    queues: Sequence[QueueFigures]
    workers: Mapping[str, QueueWorkers]
    """By queue, those of the service itself at least."""
    tasks: Sequence[TaskFigures]
    unknown_shares: Mapping[Level, int]
    """How many tenants are on which level."""
    audits: AuditFigures
    schedule_age_seconds: float
    """Since a beat last sent something, which it does every few seconds; infinite where none ever ran."""


def _look() -> Watched:
    with lookup_session() as session:
        queues = broker.queue_figures(session)
        names = sorted({*QUEUES, *(one.queue for one in queues)})
        workers = {one.queue: one for one in worker_reports.queue_workers(session, names)}
        return Watched(
            queues,
            workers,
            worker_reports.task_figures(session),
            unknown_touches.tenants_by_level(session),
            audit_findings.figures(session),
            schedule.age_seconds(session),
        )


look: Final = Remembered(_look)
"""What queues and workers are like; raises what the database raises."""
