"""Intervals of a model whose version changes: of what is half filled back nothing is estimated."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from skeldir.db.session import tenant_session
from skeldir.domain import windows
from skeldir.domain.models import MODELS
from skeldir.domain.windows import Window
from skeldir.repository import backfills, channel_intervals
from skeldir.repository.channel_intervals import Estimate, StoredCertainty
from tests import waiting
from tests.conftest import Database
from tests.identity import count
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import Booking, Sale, World
from tests.workers.backfilling import choose, fill, run, tell
from workers import models
from workers.attribution import attribute_marked
from workers.models import backfill
from workers.uncertainty import estimate_intervals, refresh_intervals

ALL_DAYS = windows.days(None, None)
ASKED = windows.days(date(2026, 8, 1), date(2026, 8, 1))
NOON = worlds.START + timedelta(hours=12)
ORDERS = range(1, 101)
SHOP = World(
    [],
    [Sale(f"o-{n:03}", f"j-{n:03}", NOON) for n in ORDERS],
    [Booking(UUID(int=n), f"o-{n:03}", "captured", 1_000, NOON) for n in ORDERS],
)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a backfill take many steps where a worker would take one."""
    monkeypatch.setattr(models, "ROWS_MAX", 40)


@pytest.fixture
def shop(database: Database, tenant: UUID) -> UUID:
    """Return a tenant with a hundred orders, all of them attributed and estimated."""
    tell(database, tenant, SHOP)
    run(attribute_marked, tenant)
    fill(tenant)
    run(refresh_intervals, tenant)
    return tenant


def revenue(tenant: UUID, version: str, window: Window) -> list[tuple[int, int | None, int | None]]:
    """Return a window's figures and their intervals, each as of their estimate."""
    with tenant_session(tenant) as session:
        known = channel_intervals.find(session, version, window)
        found = channel_intervals.intervals(session, known.estimate_id) if known else []
    return [
        (
            one.revenue_cents,
            one.certainty and one.certainty.low_cents,
            one.certainty and one.certainty.high_cents,
        )
        for one in found
    ]


def shown(tenant: UUID, version: str) -> datetime | None:
    """Return of when the interval is that reports show beside the figure of all days, None without one."""
    with tenant_session(tenant, read_only=True) as session:
        known = channel_intervals.certainties(session, version, ALL_DAYS, "cash").known
    return next((one.computed_at for one in known.values() if isinstance(one, StoredCertainty)), None)


def sent(database: Database, tenant: UUID) -> int:
    with database.connect() as connection:
        return waiting.names(connection, tenant).count("maintenance.refresh_intervals")


def test_intervals_are_of_every_order_or_not_there(database: Database, shop: UUID) -> None:
    """Neither the hourly run nor a request is answered of a half; who completes it has both answered."""
    chosen = choose(shop, lookback_days=20)
    version = chosen.version("first_touch")
    while not count(shop, "allocations", f"model_version = '{version}'"):
        run(backfill, shop)
    with tenant_session(shop) as session:
        assert version in backfills.uncovered(session)
        asked = channel_intervals.request(session, shop, "first_touch", version, ASKED)
    assert run(refresh_intervals, shop)["computed"] == 0
    answer = run(estimate_intervals, shop, estimate_id=str(asked.estimate_id))
    assert answer == {"outcome": "nothing_to_do"}
    with tenant_session(shop) as session:
        assert channel_intervals.unanswered(session) == [asked]

    before = sent(database, shop)
    fill(shop)
    assert sent(database, shop) == before + 1
    assert run(refresh_intervals, shop)["computed"] == 4 * len(MODELS) + 1
    for window in (ALL_DAYS, ASKED):
        assert revenue(shop, version, window) == [(100_000, 100_000, 100_000)]


def test_a_version_that_is_chosen_again_is_looked_at_anew(shop: UUID) -> None:
    """However lately it was: what was estimated of it before stands beside no figure until then."""
    version = choose(shop, lookback_days=20).version("first_touch")
    fill(shop)
    run(refresh_intervals, shop)

    def checked() -> Estimate:
        with tenant_session(shop) as session:
            found = channel_intervals.find(session, version, ALL_DAYS)
        assert found
        return found

    before = checked()
    assert shown(shop, version) == before.computed_at
    choose(shop, lookback_days=25)
    fill(shop)
    choose(shop, lookback_days=20)
    assert shown(shop, version) is None
    assert run(refresh_intervals, shop)["unchanged"] == 0
    assert checked() == before
    fill(shop)
    assert shown(shop, version) is None
    assert run(refresh_intervals, shop)["unchanged"] == 4 * len(MODELS)
    assert shown(shop, version) == before.computed_at
    assert run(refresh_intervals, shop)["unchanged"] == 0


def test_what_is_left_of_a_version_is_not_estimated(shop: UUID) -> None:
    """Who asked before the settings changed is answered when the version is chosen again, not of the rest."""
    version = choose(shop, lookback_days=20).version("first_touch")
    fill(shop)
    with tenant_session(shop) as session:
        asked = channel_intervals.request(session, shop, "first_touch", version, ASKED)
    choose(shop, lookback_days=25)
    while count(shop, "allocations", f"model_version = '{version}'") == len(ORDERS):
        run(backfill, shop)
    assert count(shop, "allocations", f"model_version = '{version}'")
    answer = run(estimate_intervals, shop, estimate_id=str(asked.estimate_id))
    assert answer == {"outcome": "nothing_to_do"}
    run(refresh_intervals, shop)
    assert revenue(shop, version, ASKED) == []

    choose(shop, lookback_days=20)
    fill(shop)
    run(refresh_intervals, shop)
    assert revenue(shop, version, ASKED) == [(100_000, 100_000, 100_000)]
