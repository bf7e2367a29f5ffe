"""Every model with chosen parameters against the oracle, and what it says when it has nothing to go by."""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from itertools import chain, combinations, permutations
from uuid import UUID

import pytest
from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.domain.attribution_settings import AttributionSettings
from skeldir.domain.models import MODELS, decay_table
from skeldir.domain.windows import BEGINNING, END, Window
from skeldir.repository import attribution, channel_reports
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository import credit_oracle
from tests.repository.attribution_world import Booking, Row, Sale, Visit, World

CHOSEN = AttributionSettings(
    lookback_days=14,
    half_life_days=3,
    position_weights=(50, 15, 35),
    custom_weights={"email": 7, "organic": 0, "direct": 1, "google_search_paid": 10**6, "gone": 4},
    markov_weights={"referral": 123_457, "tiktok_paid": 900_001, "email": 1},
)
ROWS = text("""
    SELECT entry_id, channel_code, campaign_id, allocated_cents, order_id, fallback
      FROM allocations
     WHERE model_version = :version
""")


@pytest.fixture(scope="module")
def world() -> World:
    return worlds.make(seed=11, journeys=2_000)


def attribute(database: Database, tenant: UUID, world: World, settings: AttributionSettings) -> None:
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    engine = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        attribution.attribute_journeys(session, world.journeys, settings)


def test_every_model_is_what_the_oracle_makes_of_thousands_of_journeys(
    database: Database, tenant: UUID, world: World
) -> None:
    """To the cent and the fallback; and each model's rows and what is pending make the ledger's net."""
    attribute(database, tenant, world, CHOSEN)
    visits = defaultdict(list)
    for visit in world.visits:
        visits[visit.journey_id].append(visit)
    seen = {sale.order_id: worlds.within(sale, visits[sale.journey_id], 14) for sale in world.sales}
    with tenant_session(tenant, read_only=True, engine=database.engine("app_worker")) as session:
        for model in MODELS:
            rows = session.execute(ROWS, {"version": CHOSEN.version(model)}).all()
            found: dict[Row, int] = {(row[0], row[1], row[2]): row[3] for row in rows}
            assert found == worlds.expected(world, model, CHOSEN), model
            assert {(row.order_id, row.fallback) for row in rows} == {
                (row.order_id, credit_oracle.fallback(model, CHOSEN, seen[row.order_id])) for row in rows
            }
            totals = channel_reports.report(session, CHOSEN.version(model), Window(BEGINNING, END))
            assert all(t.allocated_cents + t.pending_cents == t.ledger_net_cents for t in totals)
            assert {total.currency: total.ledger_net_cents for total in totals} == world.net_cents()


def test_a_model_without_weights_shares_as_linear_does_and_says_so(database: Database, tenant: UUID) -> None:
    """Before a first fit or choice `no_weights`; with weights, but none of the order's, `weightless`."""
    journey = [
        Visit(UUID(int=1), "j", worlds.START, "email"),
        Visit(UUID(int=2), "j", worlds.START, "organic"),
        Visit(UUID(int=3), "j", worlds.START, "email"),
    ]
    world = World(journey, [Sale("o", "j", worlds.START)])
    world.bookings.append(Booking(UUID(int=9), "o", "captured", 100, worlds.START))
    some = AttributionSettings(lookback_days=14, custom_weights={"referral": 1})
    attribute(database, tenant, world, some)
    with tenant_session(tenant, read_only=True, engine=database.engine("app_worker")) as session:
        shares = {
            model: [
                (row.channel_code, row.allocated_cents, row.fallback)
                for row in session.execute(ROWS, {"version": some.version(model)})
            ]
            for model in MODELS
        }
    assert sorted(shares["linear"]) == [("email", 67, None), ("organic", 33, None)]
    assert sorted(shares["markov"]) == [("email", 67, "no_weights"), ("organic", 33, "no_weights")]
    assert sorted(shares["custom"]) == [("email", 67, "weightless"), ("organic", 33, "weightless")]


def test_the_channels_revenue_under_shapley_is_the_games_exhaustive_solution(
    database: Database, tenant: UUID, world: World
) -> None:
    """Averaged over all orders in which the channels could have joined: an order's cent apart at most.

    A set of channels is worth what the orders brought in whose touches were all of its channels.
    """
    players = ("email", "facebook_paid", "organic", "referral", "direct")
    visits: dict[str, list[Visit]] = defaultdict(list)
    for visit in world.visits:
        if visit.channel in players:
            visits[visit.journey_id].append(visit)
    sold = {booking.order_id: booking for booking in world.bookings if 0 < booking.effect_cents < 10**9}
    kept = [sale for sale in world.sales if sale.order_id in sold]
    game = World(list(chain.from_iterable(visits.values())), kept, [sold[sale.order_id] for sale in kept])
    brought: dict[frozenset[str], int] = defaultdict(int)
    for sale in kept:
        seen = worlds.within(sale, visits[sale.journey_id], CHOSEN.lookback_days)
        brought[frozenset(visit.channel for visit in seen) or frozenset({"direct"})] += sold[
            sale.order_id
        ].effect_cents

    attribute(database, tenant, game, CHOSEN)

    with tenant_session(tenant, read_only=True, engine=database.engine("app_worker")) as session:
        rows = session.execute(ROWS, {"version": CHOSEN.version("shapley")}).all()
    earned: dict[str, int] = defaultdict(int)
    for row in rows:
        earned[row.channel_code] += row.allocated_cents
    solution = exhaustive_shapley(players, brought)
    assert len({frozenset(group) for group in brought}) > 20
    assert sum(solution.values()) == sum(earned.values()) == sum(brought.values())
    assert all(abs(earned[channel] - solution[channel]) < len(kept) for channel in players)


def exhaustive_shapley(players: Iterable[str], brought: dict[frozenset[str], int]) -> dict[str, Fraction]:
    """Return each player's mean marginal worth over every order of joining."""
    players = tuple(players)
    subsets = chain.from_iterable(combinations(players, size) for size in range(len(players) + 1))
    worth = {
        frozenset(subset): sum(cents for group, cents in brought.items() if group <= frozenset(subset))
        for subset in subsets
    }
    joined = list(permutations(players))
    return {
        player: Fraction(
            sum(
                worth[frozenset(order[: order.index(player) + 1])]
                - worth[frozenset(order[: order.index(player)])]
                for order in joined
            ),
            len(joined),
        )
        for player in players
    }


@pytest.mark.parametrize("half_life_days", [1, 7])
def test_what_decays_is_rounded_exactly(half_life_days: int) -> None:
    """Each integer of the table is the one next to the true power of two, by comparing whole powers."""
    table = decay_table(half_life_days, 90)
    assert len(table) == 90 * 24 + 1
    sampled = {*range(60), *range(24 * half_life_days, 24 * 90 + 1, 97), 24 * 90}
    assert {hours: table[hours] for hours in sampled} == {
        hours: credit_oracle.decayed(hours, half_life_days) for hours in sampled
    }
