"""What became of tasks and how long they took, counted; and which queues have somebody to work on them."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

Outcome = Literal["succeeded", "failed", "retried", "waited", "skipped", "lost"]
"""Waited: others had the tenant's turn, so it did nothing and is sent again, by itself or by the schedule.
Skipped: it had taken effect before. Lost: its process died, and the queue gives it to another.
"""

BOUNDS_SECONDS: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0)
"""The buckets' upper bounds, inclusive; one more bucket holds what took longer."""


@dataclass(slots=True)
class TaskFigures:
    """All runs of one task with one outcome."""

    task_name: str
    outcome: Outcome
    bucket_counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_SECONDS) + 1))
    duration_seconds: float = 0.0
    """Of all runs together."""

    def add(self, seconds: float) -> None:
        """Count a run."""
        self.bucket_counts[bisect_left(BOUNDS_SECONDS, seconds)] += 1
        self.duration_seconds += seconds

    def add_all(self, other: "TaskFigures") -> None:
        """Count the runs of another."""
        pairs = zip(self.bucket_counts, other.bucket_counts, strict=True)
        self.bucket_counts = [ours + theirs for ours, theirs in pairs]
        self.duration_seconds += other.duration_seconds


@dataclass(frozen=True, slots=True)
class QueueWorkers:
    """Who works on one queue, and what came to workers from it again."""

    queue: str
    alive: int
    """Workers that were heard of lately."""
    heartbeat_age_seconds: float | None
    """Since the latest was heard of, dead or alive; None where there was none for an hour."""
    redelivered: int
    """Messages that workers were given again, as somebody had begun and not settled them; ever since."""
    expired: int
    """Messages that workers threw away, as these had waited for longer than they were worth; ever since."""


@dataclass(slots=True)
class QueueCounts:
    """What came of one queue's messages besides tasks."""

    redelivered: int = 0
    expired: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What one worker tells: that it lives, and what has happened since its last report."""

    tasks: Sequence[TaskFigures]
    queues: Mapping[str, QueueCounts]
