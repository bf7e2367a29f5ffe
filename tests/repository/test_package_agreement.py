"""The models against the marketing-attribution-models package, where both mean the same.

The package counts in floating numbers and knows neither refunds nor campaigns; its last click is ours, its
Markov chain remembers one touch. Its Shapley values solve any game that it is told; told ours, it agrees.
It is heavy (pandas, polars, scipy, plotly) and nothing but this test needs it.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

import mam
import polars as pl
import pytest
from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.domain.attribution_settings import AttributionSettings
from skeldir.domain.models import Model
from skeldir.repository import attribution, model_fits
from skeldir.repository.model_fits import Fit
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import Booking, Sale, Visit, World

CHANNELS = ("email", "facebook_paid", "google_search_paid", "organic", "referral")
PRICE_CENTS = 10**9
EARNED = text("""
    SELECT channel_code, CAST(sum(allocated_cents) AS bigint) AS cents
      FROM allocations
     WHERE model_version = :version
     GROUP BY channel_code
""")


def made(seed: int, journeys: int) -> World:
    """Make journeys of one order or none, on the hour, so that both decay alike, at one price."""
    chance = random.Random(seed)
    world = World()
    for number in range(journeys):
        journey, at = f"j-{number}", worlds.START
        for _ in range(chance.choice((1, 1, 2, 2, 3, 5))):
            at += timedelta(hours=chance.randrange(1, 90))
            world.visits.append(
                Visit(UUID(int=chance.getrandbits(128)), journey, at, chance.choice(CHANNELS))
            )
        if chance.random() < 0.4:
            world.sales.append(Sale(f"o-{number}", journey, at))
            entry_id = UUID(int=chance.getrandbits(128))
            world.bookings.append(Booking(entry_id, f"o-{number}", "captured", PRICE_CENTS, at))
    return world


def paths(world: World) -> dict[str, list[Visit]]:
    """Return each journey's touches in the order of time."""
    found: dict[str, list[Visit]] = defaultdict(list)
    for visit in sorted(world.visits, key=lambda visit: visit.occurred_at):
        found[visit.journey_id].append(visit)
    return found


@pytest.fixture(scope="module")
def world() -> World:
    return made(seed=51, journeys=400)


@pytest.fixture(scope="module")
def theirs(world: World) -> mam.MAM:
    """Tell the package the journeys, with hours before the last touch."""
    sold = {sale.journey_id for sale in world.sales}
    rows: dict[str, list[Any]] = defaultdict(list)
    for journey, touches in paths(world).items():
        ages = [(touches[-1].occurred_at - touch.occurred_at) / timedelta(hours=1) for touch in touches]
        rows["journey_id"].append(journey)
        rows["path"].append(" > ".join(touch.channel for touch in touches))
        rows["time_till_end"].append(" > ".join(map(str, ages)))
        rows["converted"].append(journey in sold)
    return mam.MAM(pl.DataFrame(rows), "journey", "path", "converted")


@pytest.fixture
def fitted(database: Database, tenant: UUID, world: World) -> Fit:
    """Tell our service the journeys, and fit the Markov model."""
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        attribution.begin_scan(session)
        fit = model_fits.fit_markov(session, AttributionSettings(lookback_days=90))
    assert fit is not None
    return fit


@pytest.fixture
def ours(
    database: Database, tenant: UUID, world: World, fitted: Fit
) -> Iterator[dict[Model, dict[str, float]]]:
    """Attribute and return every model's channels, in orders instead of cents."""
    engine = database.engine("app_worker")
    settings = AttributionSettings(lookback_days=90, markov_weights=fitted.weights)
    models: tuple[Model, ...] = (
        "first_touch", "last_touch", "linear", "time_decay", "position_based", "markov", "shapley",
    )  # fmt: skip
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        attribution.attribute_journeys(session, world.journeys, settings)
        yield {
            model: {
                row.channel_code: row.cents / PRICE_CENTS
                for row in session.execute(EARNED, {"version": settings.version(model)})
            }
            for model in models
        }


def told(frame: Any, key: str) -> dict[str, float]:
    return {row[key]: row["attribution"] for row in frame.iter_rows(named=True) if row["attribution"]}


def test_heuristics_agree(ours: dict[Model, dict[str, float]], theirs: mam.MAM) -> None:
    """First and last touch, linear, position 40/20/40 and time decay of a week, in orders per channel."""
    their_results = {
        "first_touch": theirs.run_first_click(),
        "last_touch": theirs.run_last_click(),
        "linear": theirs.run_linear(),
        "position_based": theirs.run_position_based(),
        "time_decay": theirs.run_time_decay(half_life_hours=168.0),
    }
    for model, result in their_results.items():
        frame = result.to_polars()
        assert ours[model] == pytest.approx(told(frame, "channels"), abs=1e-5), model  # type: ignore[index]


def test_markov_agrees(ours: dict[Model, dict[str, float]], theirs: mam.MAM, fitted: Fit) -> None:
    """Removal effects to the millionth, and what the channels are credited with by them."""
    result = theirs.run_markov()
    assert ours["markov"] == pytest.approx(told(result.to_polars(), "channels"), abs=1e-2)
    effects = result.metadata["removal_effect"]["removal_effect"].to_dict()
    assert {code: weight / 10**6 for code, weight in fitted.weights.items()} == pytest.approx(
        effects, abs=2e-6
    )


def test_shapley_agrees_on_our_game(ours: dict[Model, dict[str, float]], world: World) -> None:
    """Told that a set of channels brings in the orders of all its subsets, it finds what we credit."""
    orders = {sale.journey_id for sale in world.sales}
    needed = Counter(
        frozenset(touch.channel for touch in touches)
        for journey, touches in paths(world).items()
        if journey in orders
    )
    rows: dict[str, list[Any]] = defaultdict(list)
    for size in range(1, len(CHANNELS) + 1):
        for players in combinations(CHANNELS, size):
            worth = sum(count for channels, count in needed.items() if channels <= set(players))
            rows["path"].append(" > ".join(players))
            rows["occurrences"].append(worth)
            rows["converted"].append(True)
    package = mam.MAM(pl.DataFrame(rows), "grouped_journey", "path", "converted")
    result = package.run_shapley(max_size=len(CHANNELS), value_column="conversions")
    [grand] = [
        row[result.metadata["model_name"].join(("attribution_", "_algorithmic"))]
        for row in result.metadata["conv_table"].iter_rows(named=True)
        if row["combinations"] == " > ".join(CHANNELS)
    ]
    assert ours["shapley"] == pytest.approx(dict(zip(CHANNELS, grand, strict=True)), abs=1e-5)
