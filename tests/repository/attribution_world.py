"""Worlds of journeys, orders and ledgers: made from a seed, stored for a tenant, counted by hand.

`expected` is the oracle: plain Python, one entry at a time, sharing nothing with the SQL it judges.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID, uuid4

import psycopg

from skeldir.domain.attribution_settings import AttributionSettings
from skeldir.domain.models import Model
from tests.repository import credit_oracle

CHANNELS = (
    "direct",
    "email",
    "facebook_brand",
    "facebook_paid",
    "google_display_paid",
    "google_search_paid",
    "organic",
    "referral",
    "tiktok_paid",
    "unknown",
)
CAMPAIGNS = ("", "Zoo", "autumn", "zoo", "übrig")  # Zoo is first in C, last in a dictionary
START = datetime(2026, 8, 1, tzinfo=UTC)
LOOKBACK_DAYS = 30
SETTINGS = AttributionSettings(lookback_days=LOOKBACK_DAYS)


@dataclass(frozen=True)
class Visit:
    """A touch to be."""

    touchpoint_id: UUID
    journey_id: str
    occurred_at: datetime
    channel: str
    campaign: str = ""


@dataclass(frozen=True)
class Sale:
    """An order to be."""

    order_id: str
    journey_id: str
    ordered_at: datetime


@dataclass(frozen=True)
class Booking:
    """A ledger entry to be."""

    entry_id: UUID
    order_id: str
    kind: str
    effect_cents: int
    effective_at: datetime
    currency: str = "EUR"
    reference: str = ""
    """What an adjustment adjusts; otherwise the entry's own."""

    @property
    def counts_as(self) -> str:
        """Return the kind that the entry counts as."""
        return "refunded" if (self.kind, self.reference) == ("adjusted", "refunded") else self.kind


@dataclass
class World:
    """Everything that attribution reads of one tenant."""

    visits: list[Visit] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)

    @property
    def journeys(self) -> list[str]:
        return sorted({sale.journey_id for sale in self.sales} | {visit.journey_id for visit in self.visits})

    def net_cents(self) -> dict[str, int]:
        totals: dict[str, int] = defaultdict(int)
        for booking in self.bookings:
            totals[booking.currency] += booking.effect_cents
        return dict(totals)

    def shuffled(self, seed: int) -> "World":
        """Return the same world told in another order."""
        chance = random.Random(seed)
        parts = [list(part) for part in (self.visits, self.sales, self.bookings)]
        for part in parts:
            chance.shuffle(part)
        return World(*parts)


def make(seed: int, journeys: int) -> World:
    """Make a world of small, nasty journeys: ties, coarse clocks, cents, refunds of more than was paid."""
    chance = random.Random(seed)
    world = World()
    for number in range(journeys):
        journey = f"j-{number}"
        for _ in range(chance.choice((0, 1, 1, 2, 3, 4, 7, 12))):
            at = START + timedelta(days=chance.randrange(60), hours=chance.choice((0, 0, 12)))
            channel, campaign = chance.choice(CHANNELS), chance.choice(CAMPAIGNS)
            world.visits.append(Visit(_uuid(chance), journey, at, channel, campaign))
        for order in range(chance.choice((0, 1, 1, 1, 2))):
            _add_order(world, chance, journey, f"o-{number}-{order}")
    return world


def _add_order(world: World, chance: random.Random, journey: str, order_id: str) -> None:
    ordered_at = START + timedelta(days=chance.randrange(20, 75), hours=chance.choice((0, 6)))
    sale = Sale(order_id, journey, ordered_at)
    world.sales.append(sale)
    for currency in chance.choice((("EUR",), ("EUR",), ("EUR",), ("EUR", "USD"))):
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            cents = chance.choice((0, 1, 2, 3, 5, 99, 100, 10_000, chance.randrange(1, 10**7), 10**15))
            kind = chance.choice(("captured", "captured", "adjusted", "dispute_reversed", "authorised"))
            _book(world, chance, sale, kind, cents, currency)
        for _ in range(chance.choice((0, 0, 0, 1, 2, 5))):
            cents = chance.choice((1, 2, 7, 50, 5_000, chance.randrange(1, 10**7), 10**15 + 1))
            kind = chance.choice(("refunded", "refunded", "disputed", "adjusted"))
            _book(world, chance, sale, kind, -cents, currency)


def _book(  # noqa: PLR0917 - a line of a ledger has these
    world: World, chance: random.Random, sale: Sale, kind: str, cents: int, currency: str
) -> None:
    at = sale.ordered_at + timedelta(days=chance.randrange(-1, 4))
    effect = 0 if kind == "authorised" else cents
    if effect or kind == "authorised":
        reference = "refunded" if kind == "adjusted" and cents % 2 else ""
        world.bookings.append(Booking(_uuid(chance), sale.order_id, kind, effect, at, currency, reference))


def _uuid(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128))


_ORDERS = "orders (tenant_id, order_id, journey_id, ordered_at)"
_TOUCHPOINTS = "touchpoints (tenant_id, touchpoint_id, journey_id, occurred_at, channel_code, campaign_id)"
_ENTRIES = """ledger_entries (tenant_id, entry_id, order_id, kind, reference, correction, amount_cents,
                               effect_cents, currency, effective_at, booked_at, source)"""


_CROWD = (
    """
    INSERT INTO touchpoints (tenant_id, touchpoint_id, journey_id, occurred_at, channel_code, source)
    SELECT %(tenant)s, gen_random_uuid(), 'crowd', %(start)s + n * interval '4 minutes',
           (ARRAY['email', 'organic', 'referral'])[1 + n %% 3], 's' || n %% 50
      FROM generate_series(1, 8000) AS n
    """,
    """
    INSERT INTO orders (tenant_id, order_id, journey_id, ordered_at, hint_touchpoint_id, hint_source,
                        hint_channel_code)
    SELECT %(tenant)s, 'o-' || n, 'crowd', %(start)s + n * interval '20 minutes', gen_random_uuid(),
           's' || n %% 60, 'facebook_paid'
      FROM generate_series(1, 1500) AS n
    """,
    """
    INSERT INTO ledger_entries (tenant_id, entry_id, order_id, kind, reference, amount_cents, effect_cents,
                                currency, effective_at, booked_at, source)
    SELECT tenant_id, gen_random_uuid(), order_id, 'captured', 'r', 999, 999, 'EUR', ordered_at, ordered_at,
           'shopify'
      FROM orders WHERE tenant_id = %(tenant)s
    """,
)


def store_crowd(connection: psycopg.Connection, tenant: UUID) -> None:
    """Write one journey of 8,000 touches and 1,500 orders of 999 cents, each with a hint, from START on."""
    for statement in _CROWD:
        connection.execute(statement, {"tenant": tenant, "start": START})


def store(connection: psycopg.Connection, tenant: UUID, world: World) -> None:
    """Write a world as the superuser, by COPY: quick, and in the order in which it is told."""
    _copy(connection, _ORDERS, ((tenant, *astuple(sale)) for sale in world.sales))
    _copy(connection, _TOUCHPOINTS, ((tenant, *astuple(visit)) for visit in world.visits))
    _copy(connection, _ENTRIES, (_row(tenant, booking) for booking in world.bookings))


def _row(tenant: UUID, booking: Booking) -> tuple[object, ...]:
    entry_id, order_id, kind, effect_cents, effective_at, currency, reference = astuple(booking)
    amount_cents = -effect_cents if kind in ("refunded", "disputed") else effect_cents or 100
    correction = entry_id.int % 10**9 if reference or amount_cents < 0 else 0
    identity = (tenant, entry_id, order_id, kind, reference or str(entry_id), correction)
    return (*identity, amount_cents, effect_cents, currency, effective_at, effective_at, "shopify")


def mark(
    connection: psycopg.Connection, tenant: UUID, journeys: Iterable[str], age_seconds: int = 60
) -> None:
    """Mark journeys dirty, as long ago as given."""
    now = datetime.now(UTC) - timedelta(seconds=age_seconds)
    rows = ((tenant, uuid4(), journey, now, now) for journey in journeys)
    _copy(connection, "dirty_marks (tenant_id, mark_id, journey_id, earliest, marked_at)", rows)


def _copy(connection: psycopg.Connection, target: str, rows: Iterable[Sequence[object]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


Cells = Mapping[tuple[str, str], int | Fraction]
Row = tuple[UUID, str, str]


def expected(world: World, model: Model, settings: AttributionSettings = SETTINGS) -> dict[Row, int]:
    """Allocate every entry by hand: (entry, channel, campaign) to signed cents, without zeros."""
    visits = defaultdict(list)
    for visit in world.visits:
        visits[visit.journey_id].append(visit)
    bookings: dict[str, dict[str, list[Booking]]] = defaultdict(lambda: defaultdict(list))
    for booking in world.bookings:
        if booking.effect_cents:
            bookings[booking.order_id][booking.currency].append(booking)
    rows: dict[Row, int] = {}
    for sale in world.sales:
        seen = within(sale, visits[sale.journey_id], settings.lookback_days)
        weights = credit_oracle.weights(model, settings, seen)
        for in_one_currency in bookings[sale.order_id].values():
            rows.update(_allocate(in_one_currency, weights))
    return {row: cents for row, cents in rows.items() if cents}


def touch_counts(world: World) -> dict[str, int]:
    """Count, per order, the touches within the look-back."""
    visits = defaultdict(list)
    for visit in world.visits:
        visits[visit.journey_id].append(visit)
    return {sale.order_id: len(within(sale, visits[sale.journey_id])) for sale in world.sales}


def within(sale: Sale, visits: list[Visit], lookback_days: int = LOOKBACK_DAYS) -> list[Visit]:
    """Return the touches within the look-back of an order, in the order of time."""
    oldest = sale.ordered_at - timedelta(days=lookback_days)
    seen = [visit for visit in visits if oldest < visit.occurred_at <= sale.ordered_at]
    return sorted(seen, key=lambda visit: (visit.occurred_at, visit.touchpoint_id))


def _allocate(bookings: list[Booking], weights: Cells) -> dict[Row, int]:
    rows: dict[Row, int] = {}
    credited: dict[tuple[str, str], int] = defaultdict(int)
    for booking in (booking for booking in bookings if booking.effect_cents > 0):
        for cell, cents in _split(booking.effect_cents, weights).items():
            rows[booking.entry_id, *cell] = cents
            credited[cell] += cents
    remaining = dict(credited)
    reversals = [booking for booking in bookings if booking.effect_cents < 0 and credited]
    for booking in sorted(reversals, key=lambda booking: (booking.effective_at, booking.entry_id)):
        basis = remaining if sum(remaining.values()) > 0 else credited
        for cell, cents in _split(-booking.effect_cents, basis).items():
            rows[booking.entry_id, *cell] = -cents
            remaining[cell] -= cents
    return rows


def _split(amount: int, weights: Cells) -> dict[tuple[str, str], int]:
    channels: dict[str, int | Fraction] = defaultdict(int)
    for (channel, _), weight in weights.items():
        channels[channel] += weight
    parts: dict[tuple[str, str], int] = {}
    for channel, cents in _largest_remainder(amount, channels).items():
        campaigns = {campaign: weight for (of, campaign), weight in weights.items() if of == channel}
        shares = _largest_remainder(cents, campaigns)
        parts.update({(channel, campaign): share for campaign, share in shares.items()})
    return parts


def _largest_remainder(amount: int, weights: dict[str, int | Fraction]) -> dict[str, int]:
    total = sum(weights.values())
    if not total:
        return dict.fromkeys(weights, 0)
    parts = {name: amount * weight // total for name, weight in weights.items()}
    left = amount - sum(parts.values())
    by_remainder = sorted(weights, key=lambda name: (-(amount * weights[name] % total), name.encode()))
    for name in by_remainder[:left]:
        parts[name] += 1
    return parts
