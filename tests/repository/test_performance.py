"""Performance: what was spent beside what it brought, equal to a recount by hand on random worlds."""

import random
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from itertools import product
from typing import get_args
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from skeldir.db.session import tenant_session
from skeldir.domain.ad_spend import Figure, digest
from skeldir.domain.models import Model
from skeldir.domain.performance import LARGEST, PPM, Figures
from skeldir.domain.windows import BEGINNING, END, Window
from skeldir.repository import ad_spend, attribution, channel_reports, performance
from skeldir.repository.channel_reports import Mode
from skeldir.repository.performance import CurrencyPerformance
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository import performance_oracle as oracle
from tests.repository.attribution_world import SETTINGS, START, Booking, Sale, Visit, World
from tests.repository.performance_oracle import Expected, Key, Told

MODES: tuple[Mode, ...] = get_args(Mode)
MODELS: tuple[Model, ...] = ("linear", "last_non_direct", "time_decay")
WINDOWS = (
    Window(BEGINNING, END),
    Window(START + timedelta(days=22), START + timedelta(days=23)),
    Window(START + timedelta(days=20), START + timedelta(days=50)),
)


def spend_of(seed: int) -> list[Told]:
    """Make spend of many days, some in currencies and campaigns that won nothing."""
    chance = random.Random(seed)
    days = [(START + timedelta(days=day)).date() for day in range(60)]
    keys = product(days, worlds.CHANNELS[1:6], worlds.CAMPAIGNS[:4], ("EUR", "USD", "JPY"))
    return [
        Told(
            *key,
            cost_cents=chance.choice((0, 1, 99, 12_345)),
            impressions=chance.choice((None, 0, 1_000)),
            clicks=chance.choice((None, 0, 7)),
        )
        for key in keys
        if chance.random() < 0.3
    ]


def store(database: Database, tenant: UUID, world: World, told: list[Told]) -> None:
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    figures = [
        Figure(row.day, row.channel, row.campaign, row.currency, row.cost_cents, row.impressions, row.clicks)
        for row in told
    ]
    if figures:
        with tenant_session(tenant) as session:
            ad_spend.take_in(
                session, figures, content_digest=digest(figures), media_type="text/csv", imported_by=None
            )
    engine = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        attribution.attribute_journeys(session, world.journeys, SETTINGS)


def rows(found: list[CurrencyPerformance]) -> dict[Key, Figures]:
    told: dict[Key, Figures] = {}
    for block in found:
        told[block.currency, None, None] = block.totals
        for channel in block.channels:
            told[block.currency, channel.channel.channel_code, None] = channel.figures
            for campaign_id, figures in channel.campaigns.items():
                told[block.currency, channel.channel.channel_code, campaign_id] = figures
    return told


def check(found: Figures, wanted: Expected, key: Key) -> None:
    """Compare a row with the recount: sums are equal, shares differ by less than a millionth per order."""
    outcome, spend = found.outcome, found.spend
    assert spend.spend_cents == wanted.spend_cents, key
    assert outcome.revenue_cents == wanted.revenue_cents, key
    assert outcome.conversion_count == len(wanted.orders), key
    assert outcome.new_conversion_count == len(wanted.new_orders), key
    assert abs(outcome.conversions_ppm - wanted.conversions * PPM) <= len(wanted.orders), key
    assert abs(outcome.new_conversions_ppm - wanted.new_conversions * PPM) <= len(wanted.orders), key
    if wanted.spend_cents:
        roas = round(Fraction(wanted.revenue_cents * PPM, wanted.spend_cents))
        assert found.roas_ppm == max(-LARGEST, min(LARGEST, roas)), key
    else:
        assert found.roas_ppm is None
    if outcome.conversions_ppm:
        share = Fraction(outcome.conversions_ppm, PPM)
        assert found.cpa_cents == round(wanted.spend_cents / share), key
    else:
        assert found.cpa_cents is None
    clicks = sum(number for _, number in wanted.clicks)
    cost = sum(cents for cents, _ in wanted.clicks)
    assert found.cpc_cents == (round(Fraction(cost, clicks)) if clicks else None), key


@pytest.mark.parametrize("seed", [11, 12])
def test_every_figure_is_what_a_recount_by_hand_says(database: Database, tenant: UUID, seed: int) -> None:
    """Each model, both modes, any window: currency, channel and campaign, and none is left out."""
    world, told = worlds.make(seed, journeys=150), spend_of(seed)
    store(database, tenant, world, told)
    with tenant_session(tenant, read_only=True) as session:
        for model, mode, window in product(MODELS, MODES, WINDOWS):
            found = rows(performance.report(session, SETTINGS.version(model), window, mode))
            wanted = oracle.expected(world, told, model, window, mode)
            for key, figures in found.items():
                check(figures, wanted.pop(key, Expected()), key)
            assert not [key for key, row in wanted.items() if row != Expected(clicks=row.clicks)]


def test_parts_add_up(database: Database, tenant: UUID) -> None:
    """Campaigns are their channel, channels their currency, and the shares are the number of orders."""
    store(database, tenant, worlds.make(13, journeys=200), spend_of(13))
    with tenant_session(tenant, read_only=True) as session:
        for block in performance.report(session, SETTINGS.version("linear"), WINDOWS[2], "accrual"):
            added = [sum(channel.campaigns.values(), Figures()) for channel in block.channels]
            for channel, campaigns in zip(block.channels, added, strict=True):
                assert campaigns.spend == channel.figures.spend
                assert additive(campaigns) == additive(channel.figures)
            assert additive(sum(added, Figures())) == additive(block.totals)
            assert block.totals.outcome.conversions_ppm == PPM * block.totals.outcome.conversion_count
            assert block.totals.outcome.new_conversions_ppm == PPM * block.totals.outcome.new_conversion_count


def additive(figures: Figures) -> tuple[int, int, int]:
    outcome = figures.outcome
    return outcome.revenue_cents, outcome.conversions_ppm, outcome.new_conversions_ppm


def test_revenue_is_what_the_channel_report_says(database: Database, tenant: UUID) -> None:
    """Two reports of one thing are one figure, pending included."""
    world = worlds.make(14, journeys=150)
    store(database, tenant, world, [])
    with database.connect() as connection:
        worlds.store(connection, tenant, World(bookings=[
            Booking(uuid4(), world.sales[0].order_id, "captured", 777, START, "EUR"),
        ]))  # fmt: skip
    with tenant_session(tenant, read_only=True) as session:
        for mode, window in product(MODES, WINDOWS):
            version = SETTINGS.version("linear")
            assert told_revenue(performance.report(session, version, window, mode)) == {
                (one.currency, row.channel_code): (row.revenue_cents, one.pending_cents)
                for one in channel_reports.report(session, version, window, mode)
                for row in one.channels
                if row.revenue_cents
            }


def told_revenue(found: list[CurrencyPerformance]) -> dict[tuple[str, str], tuple[int, int]]:
    return {
        (block.currency, one.channel.channel_code): (
            one.figures.outcome.revenue_cents,
            block.pending_cents,
        )
        for block in found
        for one in block.channels
        if one.figures.outcome.revenue_cents
    }


NOON = START.replace(hour=12)


def order(number: int, journey: str, days: int, cents: int = 1_000, kind: str = "captured") -> World:
    at = NOON + timedelta(days=days)
    return World([], [Sale(f"o-{number}", journey, at)], [Booking(uuid4(), f"o-{number}", kind, cents, at)])


def together(*parts: World) -> World:
    whole = World()
    for part in parts:
        whole = World(whole.visits + part.visits, whole.sales + part.sales, whole.bookings + part.bookings)
    return whole


def window_of(start_days: int, end_days: int) -> Window:
    return Window(START + timedelta(days=start_days), START + timedelta(days=end_days))


def whole(session: Session, start_days: int, end_days: int) -> Figures:
    window = window_of(start_days, end_days)
    return performance.report(session, SETTINGS.version("linear"), window, "cash")[0].totals


def test_new_and_repeat_are_by_journey_and_reach_beyond_the_window(database: Database, tenant: UUID) -> None:
    """An order before the window makes a later one a repeat; one that was only authorised does not."""
    world = together(
        order(1, "j", 1),
        order(2, "j", 5),
        order(3, "k", 1, 0, "authorised"),
        order(4, "k", 5),
        order(5, "order:o-5", 5),
    )
    store(database, tenant, world, [])
    with tenant_session(tenant, read_only=True) as session:
        first, second = whole(session, 0, 3).outcome, whole(session, 4, 6).outcome
    assert (first.conversion_count, first.new_conversion_count) == (1, 1)
    assert (second.conversion_count, second.new_conversion_count) == (3, 2)


def test_an_earlier_order_that_comes_late_makes_the_other_a_repeat(database: Database, tenant: UUID) -> None:
    """Who is first is asked of the orders as they are known, not of the order in which they came."""
    store(database, tenant, order(1, "j", 5), [])
    with tenant_session(tenant, read_only=True) as session:
        assert whole(session, 4, 6).outcome.new_conversion_count == 1
    store(database, tenant, order(2, "j", 1), [])
    with tenant_session(tenant, read_only=True) as session:
        assert whole(session, 4, 6).outcome.new_conversion_count == 0
        assert whole(session, 0, 3).outcome.new_conversion_count == 1


def test_a_capture_that_was_dated_anew_counts_on_its_new_day(database: Database, tenant: UUID) -> None:
    """What was taken back in its own slot, because it had happened later, is no conversion of that day."""
    again = Booking(uuid4(), "o-1", "captured", 1_000, NOON + timedelta(days=5))
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO ledger_entries (tenant_id, entry_id, order_id, kind, reference, correction,"
            " amount_cents, effect_cents, currency, effective_at, booked_at, source)"
            " VALUES (%s, gen_random_uuid(), 'o-1', 'captured', 'r', 1, -1000, -1000, 'EUR', %s, %s, '')",
            [tenant, NOON + timedelta(days=1), NOON],
        )
    store(database, tenant, together(order(1, "j", 1), World(bookings=[again])), [])
    with tenant_session(tenant, read_only=True) as session:
        assert performance.report(session, SETTINGS.version("linear"), window_of(0, 3), "cash") == []
        assert whole(session, 4, 6).outcome.conversion_count == 1


def test_a_refund_lowers_the_return_of_the_days_that_won_the_order(database: Database, tenant: UUID) -> None:
    """In accrual mode; in cash mode it lowers the return of its own day, and is no conversion anywhere."""
    touch = Visit(uuid4(), "j", NOON, "facebook_paid", "sale")
    refund = Booking(uuid4(), "o-1", "refunded", -400, NOON + timedelta(days=30))
    world = together(World([touch], [], [refund]), order(1, "j", 1))
    store(
        database, tenant, world, [Told(NOON.date() + timedelta(days=1), "facebook_paid", "sale", "EUR", 250)]
    )
    window = Window(START, START + timedelta(days=3))
    with tenant_session(tenant, read_only=True) as session:
        accrual, cash = (
            performance.report(session, SETTINGS.version("linear"), window, mode)[0].totals
            for mode in ("accrual", "cash")
        )
    assert (accrual.roas_ppm, accrual.cpa_cents) == (2_400_000, 250)
    assert (cash.roas_ppm, cash.cpa_cents) == (4_000_000, 250)


def test_nothing_is_compared_across_currencies(database: Database, tenant: UUID) -> None:
    """Spend in dollars has no return in euros: it is a block of its own, with spend and no revenue."""
    store(database, tenant, order(1, "j", 1), [Told(NOON.date(), "direct", "", "USD", 500)])
    with tenant_session(tenant, read_only=True) as session:
        euro, dollar = performance.report(session, SETTINGS.version("linear"), WINDOWS[0], "cash")
    assert (euro.currency, euro.totals.roas_ppm, euro.totals.spend.spend_cents) == ("EUR", None, 0)
    assert (dollar.currency, dollar.totals.roas_ppm, dollar.totals.cpa_cents) == ("USD", 0, None)
    assert dollar.totals.spend.spend_cents == 500


def test_another_tenants_spend_and_orders_are_not_seen(
    database: Database, make_tenant: Callable[[], UUID], tenant: UUID
) -> None:
    """A tenant without anything has an empty report, whatever others have."""
    store(database, make_tenant(), worlds.make(15, journeys=20), spend_of(15))
    with tenant_session(tenant, read_only=True) as session:
        assert performance.report(session, SETTINGS.version("linear"), WINDOWS[0], "cash") == []
