"""What is told of a queue: figures, never messages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """One queue at one moment."""

    queue: str
    ready: int
    """Messages that a worker could take."""
    scheduled: int
    """Messages that are not due yet."""
    in_flight: int
    """Messages that workers hold."""
    parked: int
    """Messages that ended the workers that took them, and are put aside."""
    oldest_seconds: float
    """How long the oldest of the ready ones has waited; 0 without any."""
