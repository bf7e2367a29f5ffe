"""How the touches of one order share it, by hand: one touch at a time, in fractions.

Shares nothing with the SQL it judges, nor with the tables of integers that the SQL is given.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Final, Protocol
from uuid import UUID

from skeldir.domain.attribution_settings import AttributionSettings
from skeldir.domain.models import Model

Cells = dict[tuple[str, str], Fraction]


class Seen(Protocol):
    """A touch within the look-back."""

    touchpoint_id: UUID
    occurred_at: datetime
    channel: str
    campaign: str


Shares = Sequence[Fraction | int]


def weights(model: Model, settings: AttributionSettings, seen: Sequence[Seen]) -> Cells:
    """Return what each channel's campaigns weigh; `seen` is in the order of time, ties by id."""
    if not seen:
        return {("direct", ""): Fraction(1)}
    shares = RULES[model](settings, seen)
    cells: Cells = {}
    for touch, share in zip(seen, shares if any(shares) else [1] * len(seen), strict=True):
        cell = (touch.channel, touch.campaign)
        cells[cell] = cells.get(cell, Fraction(0)) + share
    return cells


def fallback(model: Model, settings: AttributionSettings, seen: Sequence[Seen]) -> str | None:
    """Return why the order had to be shared as linear does, or None."""
    if model not in ("markov", "custom") or not seen or any(RULES[model](settings, seen)):
        return None
    return "weightless" if _channel_weights(model, settings) else "no_weights"


def _first(_: AttributionSettings, seen: Sequence[Seen]) -> Shares:
    return [int(touch is seen[0]) for touch in seen]


def _last(_: AttributionSettings, seen: Sequence[Seen]) -> Shares:
    return [int(touch is seen[-1]) for touch in seen]


def _last_non_direct(_: AttributionSettings, seen: Sequence[Seen]) -> Shares:
    chosen = ([touch for touch in seen if touch.channel != "direct"] or seen)[-1]
    return [int(touch is chosen) for touch in seen]


def _linear(_: AttributionSettings, seen: Sequence[Seen]) -> Shares:
    return [1] * len(seen)


def _time_decay(settings: AttributionSettings, seen: Sequence[Seen]) -> Shares:
    ages = [seen[-1].occurred_at - touch.occurred_at for touch in seen]
    return [decayed(age // timedelta(hours=1), settings.half_life_days) for age in ages]


@cache
def decayed(hours: int, half_life_days: int) -> int:
    """Return the integer next to 10**9 * 2 ** (-hours / half-life), found by comparing whole powers."""
    root = 24 * half_life_days
    low, high = 0, 10**9
    while low < high:
        middle = (low + high) // 2  # is middle + 1/2 still below the wanted number?
        below = (2 * middle + 1) ** root << hours <= (2 * 10**9) ** root
        low, high = (middle + 1, high) if below else (low, middle)
    return low


def _position_based(settings: AttributionSettings, seen: Sequence[Seen]) -> Shares:
    first, middle, last = (Fraction(percent, 100) for percent in settings.position_weights)
    if len(seen) == 1:
        return [1]
    if len(seen) == 2:
        return [first + middle / 2, last + middle / 2]
    return [first, *[middle / (len(seen) - 2)] * (len(seen) - 2), last]


def _shapley(_: AttributionSettings, seen: Sequence[Seen]) -> Shares:
    touches = Counter(touch.channel for touch in seen)
    return [Fraction(1, len(touches) * touches[touch.channel]) for touch in seen]


def _channel_weights(model: Model, settings: AttributionSettings) -> dict[str, int]:
    return dict(settings.custom_weights if model == "custom" else settings.markov_weights)


def _custom(settings: AttributionSettings, seen: Sequence[Seen]) -> Shares:
    return [settings.custom_weights.get(touch.channel, 0) for touch in seen]


def _markov(settings: AttributionSettings, seen: Sequence[Seen]) -> Shares:
    return [settings.markov_weights.get(touch.channel, 0) for touch in seen]


RULES: Final[dict[Model, Callable[[AttributionSettings, Sequence[Seen]], Shares]]] = {
    "first_touch": _first,
    "last_touch": _last,
    "last_non_direct": _last_non_direct,
    "linear": _linear,
    "time_decay": _time_decay,
    "position_based": _position_based,
    "markov": _markov,
    "shapley": _shapley,
    "custom": _custom,
}
