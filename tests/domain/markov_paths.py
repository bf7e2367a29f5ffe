"""Paths, and the transitions that they are made of, counted one step at a time."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from skeldir.domain.markov import State, Transition


@dataclass(frozen=True)
class Path:
    """The channels that were touched, in the order of time, and how it ended."""

    channels: tuple[str, ...]
    is_converted: bool


def transitions_of(paths: Iterable[Path], order: int) -> list[Transition]:
    """Count the steps of paths, each by the last touches before it."""
    counts: Counter[tuple[State, str | None, bool]] = Counter()
    for path in paths:
        for place, channel in enumerate(path.channels):
            counts[path.channels[max(0, place - order) : place], channel, False] += 1
        counts[path.channels[-order:], None, path.is_converted] += 1
    return [Transition(*key, path_count=count) for key, count in counts.items()]
