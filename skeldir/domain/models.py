"""The attribution models, and shares of what they credit."""

from decimal import Context, Decimal
from functools import cache
from typing import Final, Literal, get_args

Model = Literal[
    "first_touch",
    "last_touch",
    "last_non_direct",
    "linear",
    "time_decay",
    "position_based",
    "markov",
    "shapley",
    "custom",
]

MODELS: Final[tuple[Model, ...]] = get_args(Model)

DIRECT: Final = "direct"
"""The channel of an order that no touch led to."""

TAXONOMY_VERSION: Final = 3
"""Raised when channels are mapped differently, so that every window's inputs count as changed."""

_PPM: Final = 1_000_000
_SHARE_PPM_MAX: Final = 10**12


def share_ppm(part_cents: int, whole_cents: int) -> int:
    """Return the part in millionths of the whole, rounded down; 0 of nothing.

    Where parts of both signs nearly cancel out a share has no meaning, and is cut where it is absurd.
    """
    if whole_cents == 0:
        return 0
    return max(-_SHARE_PPM_MAX, min(_SHARE_PPM_MAX, part_cents * _PPM // whole_cents))


_DECAY_SCALE: Final = 1_000_000_000
_EXACT: Final = Context(prec=50)


@cache
def decay_table(half_life_days: int, lookback_days: int) -> tuple[int, ...]:
    """Return what a touch is worth by its age in whole hours, from 0 to the look-back, in billionths.

    `round(10**9 * 2 ** (-hours / half-life))`: integers, worked out in decimals that are the same on
    every machine, where a processor's own powers of two are not.
    """
    half_life_hours = Decimal(24 * half_life_days)
    hours = range(24 * lookback_days + 1)
    worths = (_EXACT.power(2, _EXACT.divide(-hour, half_life_hours)) for hour in hours)
    return tuple(int(_EXACT.multiply(_DECAY_SCALE, worth).to_integral_value()) for worth in worths)
