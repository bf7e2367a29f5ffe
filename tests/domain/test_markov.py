"""Removal effects against the fundamental matrix, against simulation, and by hand."""

import random
from bisect import bisect
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from math import sqrt

import pytest

from skeldir.domain.markov import CHANNELS_MAX, State, removal_effects
from tests.domain.markov_paths import Path, transitions_of

CONVERSION, LOST = "(conversion)", "(lost)"


def made(seed: int, channels: int, paths: int) -> list[Path]:
    """Make paths: geometric in length, now and then the same channel again, one in five converted."""
    chance = random.Random(seed)
    names = [f"channel_{number}" for number in range(channels)]
    found = []
    for _ in range(paths):
        path = [chance.choice(names)]
        while chance.random() < 0.6:
            path.append(chance.choice((path[-1], *names)))
        found.append(Path(tuple(path), is_converted=chance.random() < 0.2))
    return found


def absorbing(
    paths: Sequence[Path], order: int, without: str | None = None
) -> dict[State, dict[State | str, Fraction]]:
    """Return the chain of the last touches as probabilities; a touch of `without` is the end, lost."""
    counts: dict[State, Counter[State | str]] = {}
    for path in paths:
        state: State = ()
        for channel in path.channels:
            after = (*state, channel)[-order:]
            counts.setdefault(state, Counter())[LOST if channel == without else after] += 1
            state = after
        counts.setdefault(state, Counter())[CONVERSION if path.is_converted else LOST] += 1
    return {
        state: {to: Fraction(count, sum(went.values())) for to, count in went.items()}
        for state, went in counts.items()
    }


def by_fundamental_matrix(chain: dict[State, dict[State | str, Fraction]]) -> Fraction:
    """Return the first row of (I - Q)^-1 R for conversion, the inverse by Gauss and Jordan in fractions."""
    states: list[State] = sorted(chain)
    size = len(states)
    rows = [
        [int(i == j) - chain[states[i]].get(states[j], Fraction(0)) for j in range(size)]
        + [Fraction(int(i == j)) for j in range(size)]
        for i in range(size)
    ]
    for step in range(size):
        pivot = rows[step][step]
        rows[step] = [value / pivot for value in rows[step]]
        for other in range(size):
            if other != step and rows[other][step]:
                factor = rows[other][step]
                rows[other] = [a - factor * b for a, b in zip(rows[other], rows[step], strict=True)]
    visits = rows[states.index(())][size:]
    converting = [chain[state].get(CONVERSION, Fraction(0)) for state in states]
    return sum((times * part for times, part in zip(visits, converting, strict=True)), Fraction(0))


@pytest.mark.parametrize(("order", "channels"), [(1, 6), (2, 4), (3, 3)])
def test_effects_are_those_of_the_fundamental_matrix(order: int, channels: int) -> None:
    """Equal as fractions, for chains that remember one, two or three touches."""
    paths = made(order, channels, 300)
    effects = removal_effects(transitions_of(paths, order), order)
    whole = by_fundamental_matrix(absorbing(paths, order))
    assert effects == {
        channel: 1 - by_fundamental_matrix(absorbing(paths, order, channel)) / whole for channel in effects
    }
    assert len(effects) == channels


def test_effects_are_what_walking_the_chain_shows() -> None:
    """Forty thousand walks per channel come out within four standard errors."""
    paths, walks = made(4, 5, 2_000), 40_000
    effects = removal_effects(transitions_of(paths, 1), 1)
    converted = simulated(absorbing(paths, 1), walks)
    for channel, effect in effects.items():
        kept = simulated(absorbing(paths, 1, channel), walks)
        error = kept / converted * sqrt(1 / kept + 1 / converted)
        assert abs(1 - kept / converted - float(effect)) < 4 * error, channel


def simulated(chain: dict[State, dict[State | str, Fraction]], walks: int) -> int:
    """Return how many of some random walks end in a conversion."""
    chance = random.Random(5)
    ends = {state: (list(went), list(accumulate(map(float, went.values())))) for state, went in chain.items()}
    converted = 0
    for _ in range(walks):
        state: State | str = ()
        while not isinstance(state, str):
            targets, bounds = ends[state]
            state = targets[min(bisect(bounds, chance.random()), len(targets) - 1)]
        converted += state == CONVERSION
    return converted


def test_a_channel_that_every_conversion_needed_has_all_of_the_effect() -> None:
    """And one that no conversion came by has none: by hand."""
    paths = [
        Path(("a", "b"), is_converted=True),
        Path(("a",), is_converted=True),
        Path(("c",), is_converted=False),
        Path(("b",), is_converted=False),
    ]
    effects = removal_effects(transitions_of(paths, 1), 1)
    # From the start half go to a; from a half convert, half go to b; from b half convert.
    assert effects == {"a": Fraction(3, 4), "b": Fraction(1, 2), "c": Fraction(0)}


def test_without_conversions_there_is_nothing_to_share() -> None:
    """No effects at all, and none without paths."""
    assert removal_effects(transitions_of([Path(("a",), is_converted=False)], 1), 1) == {}
    assert removal_effects([], 1) == {}


def test_a_loop_on_one_channel_changes_nothing() -> None:
    """Touching a channel once more before going on leaves every effect as it was."""
    once = [Path(("a", "b"), is_converted=True), Path(("b",), is_converted=False)]
    twice = [Path(("a", "a", "b", "b", "b"), is_converted=True), Path(("b",), is_converted=False)]
    effects = removal_effects(transitions_of(once, 1), 1)
    assert effects.keys() == {"a", "b"}
    assert effects["b"] == removal_effects(transitions_of(twice, 1), 1)["b"] == 1


def test_the_bound_keeps_the_states_few() -> None:
    """Of each order at most three hundred, the group of the others counted in."""
    for order, channels in CHANNELS_MAX.items():
        assert sum((channels + 1) ** length for length in range(order + 1)) < 300
