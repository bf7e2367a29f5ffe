"""The Markov model: how much of the converting would be lost without a channel, in exact arithmetic.

Anderl, Becker, von Wangenheim and Schumann, "Mapping the customer journey: Lessons learned from
graph-based online attribution modeling", International Journal of Research in Marketing 33 (2016).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

OTHERS: Final = "(others)"
"""The channel that stands for all beyond the bound; no channel's code can be spelt like this."""

CHANNELS_MAX: Final[Mapping[int, int]] = {1: 50, 2: 11, 3: 5}
"""Per order, the most touched channels that are told apart: solving is cubic in the states they make."""

Order = int
State = tuple[str, ...]
"""The last channels touched, at most as many as the chain's order; none at the start."""


@dataclass(frozen=True, slots=True)
class Transition:
    """How many paths went on from a state: to a touch of `channel`, or, without one, to their end."""

    state: State
    channel: str | None
    is_converted: bool
    path_count: int


def removal_effects(transitions: Sequence[Transition], order: Order) -> dict[str, Fraction]:
    """Return, per channel, which part of the conversions is lost when its touches end their paths.

    The chain remembers the last `order` touches. Empty when no path converted: then no channel has a share
    in anything.
    """
    all_of_it = _conversion(transitions, order)
    if all_of_it == 0:
        return {}
    channels = sorted({one.channel for one in transitions if one.channel is not None})
    return {channel: 1 - _conversion(transitions, order, channel) / all_of_it for channel in channels}


def _conversion(transitions: Iterable[Transition], order: Order, without: str | None = None) -> Fraction:
    """Return the probability that a path converts, where touching one channel ends it unconverted."""
    left: dict[State, int] = defaultdict(int)
    won: dict[State, int] = defaultdict(int)
    went: dict[tuple[State, State], int] = defaultdict(int)
    for one in transitions:
        if without is None or without not in one.state:
            left[one.state] += one.path_count
            if one.channel is None:
                won[one.state] += one.path_count * one.is_converted
            else:  # to a state of `without` too, which is none of the rows: whoever goes there is lost
                went[one.state, (*one.state, one.channel)[-order:]] += one.path_count
    if not left:
        return Fraction(0)
    states = sorted(left, reverse=True)  # the start, which is shorter than any other, comes last
    rows = [
        [*(left[state] * (state == other) - went[state, other] for other in states), won[state]]
        for state in states
    ]
    return _last_unknown(rows)


def _last_unknown(rows: list[list[int]]) -> Fraction:
    """Solve integer equations, the right-hand sides last, for their last unknown; uses the rows up.

    Bareiss' elimination keeps every number an integer. Nothing needs to be swapped: from every state
    some path came to its end, so no pivot is 0.
    """
    past = 1
    for step in range(len(rows) - 1):
        chosen = rows[step]
        pivot = chosen[step]
        for row in rows[step + 1 :]:
            factor = row[step]
            for place in range(step + 1, len(row)):
                row[place] = (row[place] * pivot - factor * chosen[place]) // past
        past = pivot
    return Fraction(rows[-1][-1], rows[-1][-2])
