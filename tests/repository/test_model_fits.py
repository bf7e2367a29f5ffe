"""What the database counts of a tenant's journeys, against paths that are cut and counted by hand."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from skeldir.db.session import tenant_session
from skeldir.domain.attribution_settings import AttributionSettings
from skeldir.domain.markov import CHANNELS_MAX, OTHERS, removal_effects
from skeldir.repository import attribution, attribution_settings, model_fits
from skeldir.repository.model_fits import Fit
from tests.conftest import Database
from tests.domain.markov_paths import Path, transitions_of
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import Booking, Sale, Visit, World
from tests.repository.channel_oracle import first_captures


def paths_of(world: World, lookback_days: int) -> list[Path]:
    """Cut the journeys: to what led to each order that was captured, else to the last days."""
    visits: dict[str, list[Visit]] = defaultdict(list)
    for visit in world.visits:
        visits[visit.journey_id].append(visit)
    earning = {order_id for order_id, _ in first_captures(world)}
    paths = []
    for sale in world.sales:
        seen = worlds.within(sale, visits[sale.journey_id], lookback_days)
        if seen and sale.order_id in earning:
            paths.append(Path(tuple(visit.channel for visit in seen), is_converted=True))
    sold = {sale.journey_id for sale in world.sales}
    for journey, touches in visits.items():
        if journey not in sold:
            last = max(visit.occurred_at for visit in touches)
            end = worlds.Sale("", journey, last)
            seen = worlds.within(end, touches, lookback_days)
            paths.append(Path(tuple(visit.channel for visit in seen), is_converted=False))
    return paths


def fit(database: Database, tenant: UUID, settings: AttributionSettings) -> Fit | None:
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        attribution.begin_scan(session)
        return model_fits.fit_markov(session, settings)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_fit_is_what_the_paths_make_it(database: Database, tenant: UUID, order: int) -> None:
    """Weights in millionths, rounded down; over the bound the least touched channels are fitted as one."""
    world = worlds.make(seed=20 + order, journeys=600)
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    touches = Counter(visit.channel for visit in world.visits)
    ranked = sorted(touches, key=lambda channel: (-touches[channel], channel))
    apart, grouped = ranked[: CHANNELS_MAX[order]], ranked[CHANNELS_MAX[order] :]
    paths = [
        replace(path, channels=tuple(name if name in apart else OTHERS for name in path.channels))
        for path in paths_of(world, 14)
    ]
    effects = removal_effects(transitions_of(paths, order), order)
    fitted = fit(database, tenant, AttributionSettings(14, markov_order=order))
    assert fitted is not None
    assert fitted.weights == {
        channel: int(effects[channel if channel in apart else OTHERS] * 10**6) for channel in ranked
    }
    assert (fitted.grouped_channels, bool(grouped)) == (sorted(grouped), order == 3)
    assert fitted.converted_path_count == sum(path.is_converted for path in paths)
    assert fitted.lost_path_count == sum(not path.is_converted for path in paths)


def test_a_payment_that_comes_before_its_order_converts_no_path_of_its_own(
    database: Database, make_tenant: Callable[[str], UUID]
) -> None:
    """What was booked of the payment alone, and moved to its order, is the same sale: the fits are equal."""
    at = worlds.START
    order_first = World(
        [Visit(uuid4(), "j-1", at, "email")],
        [Sale("o-1", "j-1", at)],
        [Booking(uuid4(), "o-1", "captured", 10_000, at)],
    )
    moved = [Booking(uuid4(), "pi_1", "captured", cents, at) for cents in (10_000, -10_000)]
    payment_first = replace(
        order_first,
        sales=[Sale("pi_1", "j-1", at), *order_first.sales],
        bookings=moved + order_first.bookings,
    )
    fits = []
    for number, world in enumerate((order_first, payment_first)):
        tenant = make_tenant(f"Shop {number}")
        with database.connect() as connection:
            worlds.store(connection, tenant, world)
        fits.append(fit(database, tenant, AttributionSettings(14)))
    assert fits[0] == fits[1]
    assert fits[0] is not None
    assert fits[0].converted_path_count == 1


def test_the_same_again_is_not_kept_again(database: Database, make_tenant: Callable[[], UUID]) -> None:
    """A fit that says nothing new leaves the versions of the model as they are; a new one is the next."""
    tenant = make_tenant()
    world = worlds.make(seed=24, journeys=50)
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    fitted = fit(database, tenant, AttributionSettings(14))
    assert fitted is not None
    other = replace(fitted, weights_digest="other", weights={"email": 1})
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        versions = {attribution_settings.current(session).version("markov")}
        kept = []
        for one in (fitted, fitted, other, fitted):
            kept.append(model_fits.keep(session, one))
            versions.add(attribution_settings.current(session).version("markov"))
        found = model_fits.page(session, limit=10)
    assert kept == [True, False, True, True]
    assert [one.fit_version for one in found] == [3, 2, 1]
    assert found[0].fit == found[2].fit == fitted
    assert len(versions) == 3


def test_without_conversions_there_is_no_fit(database: Database, tenant: UUID) -> None:
    """Neither of an empty tenant nor of one that sold nothing."""
    assert fit(database, tenant, AttributionSettings(14)) is None
    with database.connect() as connection:
        worlds.store(connection, tenant, World(worlds.make(seed=25, journeys=20).visits))
    assert fit(database, tenant, AttributionSettings(14)) is None
