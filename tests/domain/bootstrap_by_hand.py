"""The Bayesian bootstrap once more, draw by draw in plain loops: it shares nothing with what it judges."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from math import floor, log, sqrt

Row = tuple[str, str, str, int]
Told = tuple[str, str, int, int, tuple[int, ...] | None]
"""Currency, channel, cents, journeys; low, median and high cents, low and high share, confidence."""


def quantile(part: int) -> float:
    """Return the root mean square of Exp(1) between two of 256 equally likely bounds."""
    return sqrt(256 * (_squares_beyond(part) - _squares_beyond(part + 1)))


def _squares_beyond(part: int) -> float:
    rest = 1 - part / 256
    return rest * (log(rest) ** 2 - 2 * log(rest) + 2) if rest else 0.0


TABLE = [max(1, round(38 * quantile(part))) for part in range(256)]


def by_hand(rows: Sequence[Row]) -> list[Told]:
    """Estimate each currency on its own, each draw on its own, in fractions."""
    told: list[Told] = []
    for currency in sorted({row[1] for row in rows}):
        own = [(journey, channel, cents) for journey, of, channel, cents in rows if of == currency]
        told += _currency(currency, own)
    return told


def _currency(currency: str, rows: Sequence[tuple[str, str, int]]) -> list[Told]:
    journeys = sorted({journey for journey, _, _ in rows})
    channels = sorted({channel for _, channel, _ in rows})
    bytes_of = {
        name: hashlib.shake_128(b"skeldir.bootstrap.1\0" + name.encode()).digest(200) for name in journeys
    }
    revenue = _sums(channels, [(channel, Fraction(cents)) for _, channel, cents in rows])
    drawn = []
    for draw in range(200):
        weight = {name: TABLE[bytes_of[name][draw]] for name in journeys}
        scale = Fraction(len(journeys), sum(weight.values()))
        drawn.append(
            _sums(channels, [(channel, cents * weight[name] * scale) for name, channel, cents in rows])
        )
    return [
        (
            currency,
            channel,
            int(revenue[channel]),
            (count := len({journey for journey, of, _ in rows if of == channel})),
            _certainty(channel, revenue, drawn) if count >= 30 else None,
        )
        for channel in channels
    ]


def _bytes(journey: str) -> bytes:
    return hashlib.shake_128(b"skeldir.bootstrap.1\0" + journey.encode()).digest(200)


def _sums(channels: Sequence[str], parts: Sequence[tuple[str, Fraction]]) -> dict[str, Fraction]:
    sums: dict[str, Fraction] = defaultdict(Fraction, dict.fromkeys(channels, Fraction(0)))
    for channel, cents in parts:
        sums[channel] += cents
    return sums


def _certainty(
    channel: str, revenue: dict[str, Fraction], drawn: Sequence[dict[str, Fraction]]
) -> tuple[int, ...]:
    cents = sorted(floor(draw[channel]) for draw in drawn)
    shares = sorted(_share(draw[channel], sum(draw.values(), Fraction(0))) for draw in drawn)
    kept = sum(_ahead(channel, draw) == _ahead(channel, revenue) for draw in drawn)
    return cents[4], cents[99], cents[195], shares[4], shares[195], kept * 5_000


def _share(part: Fraction, whole: Fraction) -> int:
    return 0 if whole == 0 else max(-(10**12), min(10**12, floor(part / whole * 1_000_000)))


def _ahead(channel: str, figures: dict[str, Fraction]) -> int:
    return sum(other > figures[channel] for other in figures.values())
