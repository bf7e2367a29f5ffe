"""Figures that are asked for often and cost something: asked for once in a while, told to all."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from skeldir.db.session import lookup_session
from skeldir.domain.queue_figures import QueueFigures
from skeldir.domain.task_figures import QueueWorkers, TaskFigures
from skeldir.domain.unknown_share import Level
from skeldir.queue.messages import QUEUES
from skeldir.repository import broker, unknown_touches, worker_reports

Answer = TypeVar("Answer")

FRESH_SECONDS: Final = 5.0
SHARE: Final = 20
"""What took long to find out stays good for longer: so many times as long."""


class Remembered(Generic[Answer]):
    """An answer that stays good for a while; who comes while it is sought waits for it."""

    def __init__(self, ask: Callable[[], Answer]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._known: tuple[float, Answer] | None = None  # until when, and what

    def __call__(self) -> Answer:
        """Return the answer; raises whatever asking raises, and then remembers nothing."""
        with self._lock:
            begun = time.monotonic()
            if self._known is None or begun >= self._known[0]:
                self._known = None
                answer = self._ask()
                now = time.monotonic()
                self._known = (now + max(FRESH_SECONDS, SHARE * (now - begun)), answer)
            return self._known[1]

    def forget(self) -> None:
        """Ask anew next time."""
        with self._lock:
            self._known = None


@dataclass(frozen=True, slots=True)
class Watched:
    """What the service is like, everybody's together."""

    queues: Sequence[QueueFigures]
    workers: Mapping[str, QueueWorkers]
    """By queue, those of the service itself at least."""
    tasks: Sequence[TaskFigures]
    unknown_shares: Mapping[Level, int]
    """How many tenants are on which level."""


def _look() -> Watched:
    with lookup_session() as session:
        queues = broker.queue_figures(session)
        names = sorted({*QUEUES, *(one.queue for one in queues)})
        workers = {one.queue: one for one in worker_reports.queue_workers(session, names)}
        return Watched(
            queues, workers, worker_reports.task_figures(session), unknown_touches.tenants_by_level(session)
        )


look: Final = Remembered(_look)
"""What queues and workers are like; raises what the database raises."""
