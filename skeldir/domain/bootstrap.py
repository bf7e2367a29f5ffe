"""The Bayesian bootstrap: how far chance alone could have moved a channel's revenue, in integers.

Source: D. B. Rubin, "The Bayesian Bootstrap", Annals of Statistics 9 (1981), pages 130 to 134. A draw gives
every journey an independent weight of Exp(1); a channel's figure in it is the weighted sum of what the
channel was credited with, scaled so that the weights add up to the number of journeys. Over the draws the
figures follow the posterior distribution under an uninformative prior: their quantiles are a credible
interval.

Random streams and logarithms differ by library, version and processor. Here a weight is looked up in a table
of integers, by a byte of a hash of the journey's name: the same journeys have the same figures everywhere,
whatever their order. And every model is judged by the same draws.

The weights of a journey in all draws are one large integer, a lane of bits for each draw; so one
multiplication by an amount multiplies all of them, and one addition adds them up.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Final

from skeldir.domain.models import share_ppm

DRAWS: Final = 200

LEVEL_PPM: Final = 950_000
"""How much of the posterior an interval holds, in millionths."""

JOURNEYS_MIN: Final = 30
"""A channel with fewer has no interval: it would be too narrow by far, and look all the more certain."""

METHOD_VERSION: Final = 2
"""Raised when the same journeys would get other figures, so that what is stored counts as outdated."""

# The quantiles of Exp(1) in 256 equal parts, in 38ths: each part's root mean square (so that the variance is
# right, and the mean within 0.1 %), at least 1 (so that no draw weighs nothing). The tests work them out.
QUANTILES: Final = bytes.fromhex(
    "0101010101010101010102020202020203030303030303040404040404050505"
    "050506060606060607070707070708080808080909090909090a0a0a0a0a0b0b"
    "0b0b0b0c0c0c0c0c0d0d0d0d0d0e0e0e0e0f0f0f0f0f10101010111111111212"
    "12121213131313141414141515151516161617171717181818181919191a1a1a"
    "1a1b1b1b1c1c1c1d1d1d1e1e1e1f1f1f20202021212122222223232424242525"
    "252626272728282829292a2a2b2b2b2c2c2d2d2e2e2f2f303031323233333434"
    "35363637373839393a3b3b3c3d3e3e3f40414242434445464748494a4b4c4d4e"
    "50515253555658595b5c5e60626466686b6d707376797d81868c929aa3b0c4fc"
)

_TAIL: Final = 5
"""The interval ends at the fifth draw from either end: 2.5 % of 200 are at or beyond it."""

_LABEL: Final = b"skeldir.bootstrap.1\0"

# A lane holds any sum of 64-bit amounts times a weight of 8 bits; sums may be negative, hence the offset.
_LANE_BYTES: Final = 10
_OFFSET: Final = 1 << (8 * _LANE_BYTES - 1)
_OFFSETS: Final = int.from_bytes(_OFFSET.to_bytes(_LANE_BYTES, "little") * DRAWS, "little")

Figure = tuple[str, str, str, int]
"""What a channel was credited with of a journey: journey, currency, channel, signed cents."""


@dataclass(frozen=True, slots=True)
class Certainty:
    """How certain a channel's figure is: an interval of its revenue, one of its share, and its place.

    Cents are in the currency's minor unit, shares in millionths of what all channels have, both rounded
    down. `confidence_ppm` is the part of the draws in which the channel's place in the ranking by revenue is
    the one that it has in the report: as many channels have more.
    """

    low_cents: int
    median_cents: int
    high_cents: int
    low_share_ppm: int
    high_share_ppm: int
    confidence_ppm: int


@dataclass(frozen=True, slots=True)
class ChannelInterval:
    """A channel's figure and its certainty, which is None where too few journeys speak of the channel."""

    currency: str
    channel_code: str
    revenue_cents: int
    journey_count: int
    certainty: Certainty | None = None


@dataclass(slots=True)
class _Channel:
    cents: int = 0
    journeys: int = 0
    lanes: int = 0


@dataclass(slots=True)
class _Currency:
    channels: defaultdict[str, _Channel] = field(default_factory=lambda: defaultdict(_Channel))
    journeys: int = 0
    lanes: int = 0


def weights(journey_id: str) -> bytes:
    """Return a journey's weight in each draw, in 38ths."""
    return hashlib.shake_128(_LABEL + journey_id.encode()).digest(DRAWS).translate(QUANTILES)


def estimate(figures: Iterable[Figure]) -> list[ChannelInterval]:
    """Return each channel's interval, by currency and channel.

    All figures of a journey stand together; beyond that their order does not matter, and they may be a
    stream: what is kept in memory grows with the channels only.
    """
    currencies: defaultdict[str, _Currency] = defaultdict(_Currency)
    buffer = bytearray(DRAWS * _LANE_BYTES)
    for journey_id, own in groupby(figures, key=itemgetter(0)):
        buffer[::_LANE_BYTES] = weights(journey_id)
        lanes = int.from_bytes(buffer, "little")
        cells: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        for _, currency, channel_code, cents in own:
            cells[currency][channel_code] += cents
        for currency, credited in cells.items():
            _add(currencies[currency], lanes, credited)
    return [
        interval
        for currency, summed in sorted(currencies.items())
        for interval in _intervals(currency, summed)
    ]


def _add(currency: _Currency, lanes: int, credited: dict[str, int]) -> None:
    currency.journeys += 1
    currency.lanes += lanes
    for channel_code, cents in credited.items():
        channel = currency.channels[channel_code]
        channel.cents += cents
        channel.journeys += 1
        channel.lanes += lanes * cents


def _intervals(currency: str, summed: _Currency) -> Iterable[ChannelInterval]:
    codes = sorted(summed.channels)
    channels = [summed.channels[code] for code in codes]
    scales = _draws(summed.lanes)
    sums = [_draws(channel.lanes) for channel in channels]
    totals = [sum(draw) for draw in zip(*sums, strict=True)]
    places = _places([channel.cents for channel in channels])
    drawn = [_places(draw) for draw in zip(*sums, strict=True)]
    for number, (code, channel, parts) in enumerate(zip(codes, channels, sums, strict=True)):
        certainty = None
        if channel.journeys >= JOURNEYS_MIN:
            kept = sum(draw[number] == places[number] for draw in drawn)
            cents = [summed.journeys * part // scale for part, scale in zip(parts, scales, strict=True)]
            shares = [share_ppm(part, total) for part, total in zip(parts, totals, strict=True)]
            certainty = _certainty(sorted(cents), sorted(shares), kept)
        yield ChannelInterval(currency, code, channel.cents, channel.journeys, certainty)


def _certainty(cents: Sequence[int], shares: Sequence[int], kept: int) -> Certainty:
    return Certainty(
        low_cents=cents[_TAIL - 1],
        median_cents=cents[DRAWS // 2 - 1],
        high_cents=cents[-_TAIL],
        low_share_ppm=shares[_TAIL - 1],
        high_share_ppm=shares[-_TAIL],
        confidence_ppm=kept * 1_000_000 // DRAWS,
    )


def _draws(lanes: int) -> list[int]:
    """Take the lanes apart: one signed sum per draw."""
    packed = (lanes + _OFFSETS).to_bytes(DRAWS * _LANE_BYTES, "little")
    return [
        int.from_bytes(packed[place : place + _LANE_BYTES], "little") - _OFFSET
        for place in range(0, len(packed), _LANE_BYTES)
    ]


def _places(figures: Sequence[int]) -> list[int]:
    """Return for each figure how many are larger."""
    ordered = sorted(figures, reverse=True)
    return [ordered.index(figure) for figure in figures]
