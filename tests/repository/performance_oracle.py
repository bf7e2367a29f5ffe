"""What performance reports must say of a world and its spend, counted by hand in fractions."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from skeldir.domain.models import Model
from skeldir.domain.windows import Window
from skeldir.repository.channel_reports import Mode
from tests.repository import attribution_world as worlds
from tests.repository import channel_oracle
from tests.repository.attribution_world import World

Key = tuple[str, str | None, str | None]
"""Currency, channel (None: all of them), campaign (None: all of them)."""

Shares = dict[tuple[str, str], dict[tuple[str, str], int]]
"""By order and currency, then by channel and campaign: cents of what was captured."""


@dataclass(frozen=True)
class Told:
    """A row of spend."""

    day: date
    channel: str
    campaign: str
    currency: str
    cost_cents: int
    impressions: int | None = None
    clicks: int | None = None


@dataclass
class Expected:
    """What one block, channel or campaign must show."""

    spend_cents: int = 0
    revenue_cents: int = 0
    orders: set[str] = field(default_factory=set)
    new_orders: set[str] = field(default_factory=set)
    conversions: Fraction = Fraction(0)
    new_conversions: Fraction = Fraction(0)
    clicks: list[tuple[int, int]] = field(default_factory=list)
    """Per row that tells clicks: the cost and the clicks."""


def expected(world: World, told: list[Told], model: Model, window: Window, mode: Mode) -> dict[Key, Expected]:
    """Count, all of it attributed that can be; shares of orders are exact here."""
    found: dict[Key, Expected] = defaultdict(Expected)
    bookings = {booking.entry_id: booking for booking in world.bookings}
    captured_at = channel_oracle.first_captures(world)
    shares: Shares = defaultdict(lambda: defaultdict(int))
    for (entry_id, channel, campaign), cents in worlds.expected(world, model).items():
        booking = bookings[entry_id]
        if window.start <= channel_oracle.counted_at(booking, captured_at, mode) < window.end:
            for key in _keys(booking.currency, channel, campaign):
                found[key].revenue_cents += cents
        if booking.counts_as in ("captured", "adjusted"):
            shares[booking.order_id, booking.currency][channel, campaign] += cents
    inside = {key: parts for key, parts in shares.items()
              if window.start <= captured_at.get(key, window.end) < window.end}  # fmt: skip
    _count_orders(found, inside, _first_of_journeys(world))
    for row in told:
        if window.start.date() <= row.day < window.end.date():
            for key in _keys(row.currency, row.channel, row.campaign):
                found[key].spend_cents += row.cost_cents
                found[key].clicks += [] if row.clicks is None else [(row.cost_cents, row.clicks)]
    return found


def _count_orders(found: dict[Key, Expected], shares: Shares, new: set[str]) -> None:
    for (order_id, currency), parts in shares.items():
        whole = sum(parts.values())
        for (channel, campaign), cents in parts.items() if whole > 0 else ():
            for key in _keys(currency, channel, campaign) if cents else ():
                _count(found[key], order_id, Fraction(cents, whole), is_new=order_id in new)


def _keys(currency: str, channel: str, campaign: str) -> Iterator[Key]:
    yield currency, None, None
    yield currency, channel, None
    yield currency, channel, campaign


def _count(row: Expected, order_id: str, share: Fraction, *, is_new: bool) -> None:
    row.orders.add(order_id)
    row.conversions += share
    if is_new:
        row.new_orders.add(order_id)
        row.new_conversions += share


def _first_of_journeys(world: World) -> set[str]:
    """Return the first captured order of each journey, by the time it was placed."""
    captured: dict[tuple[str, str], int] = defaultdict(int)
    for booking in world.bookings:
        if booking.counts_as in ("captured", "adjusted"):
            captured[booking.order_id, booking.currency] += booking.effect_cents
    live = channel_oracle.first_captures(world)
    paid = {key[0] for key, cents in captured.items() if cents > 0 and key in live}
    first: dict[str, str] = {}
    for sale in sorted(world.sales, key=lambda sale: (sale.ordered_at, sale.order_id)):
        if sale.order_id in paid:
            first.setdefault(sale.journey_id, sale.order_id)
    return set(first.values())
