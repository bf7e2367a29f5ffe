"""The kept days of performance: what jobs book is what the rows add up to, however it came about."""

from datetime import timedelta
from itertools import product
from typing import get_args
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.db.session import tenant_session
from skeldir.domain.windows import BEGINNING, END, Window
from skeldir.repository import attribution, performance, performance_days
from skeldir.repository.channel_reports import Mode
from skeldir.repository.performance import CurrencyPerformance
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository import performance_oracle as oracle
from tests.repository.attribution_world import SETTINGS, START, Booking, Visit, World
from tests.repository.performance_oracle import Expected
from tests.repository.test_performance import check, order, rows
from tests.repository.test_summaries import pieces, run, tell
from workers.attribution import attribute_marked
from workers.summaries import refresh_summaries

MODES: tuple[Mode, ...] = get_args(Mode)
LINEAR = SETTINGS.version("linear")
WINDOWS = (Window(BEGINNING, END), Window(START + timedelta(days=20), START + timedelta(days=50)))


def counted(session: Session, window: Window, mode: Mode) -> list[CurrencyPerformance]:
    """Report from the rows, whatever is kept."""
    with session.begin_nested() as apart:
        performance_days.keep_only(session, [])
        found = performance.report(session, LINEAR, window, mode)
        apart.rollback()
    return found


def reports(database: Database, tenant: UUID) -> dict[tuple[Window, Mode], list[CurrencyPerformance]]:
    """Report from the kept days, having compared with the rows in the same snapshot."""
    engine = database.engine("app_worker")
    told = {}
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        assert performance_days.is_listed(session, LINEAR)
        for window, mode in product(WINDOWS, MODES):
            told[window, mode] = performance.report(session, LINEAR, window, mode)
            assert told[window, mode] == counted(session, window, mode)
    return told


def drift(database: Database, tenant: UUID) -> int:
    engine = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        return performance_days.refresh(session, LINEAR)


@pytest.mark.parametrize("seed", [21, 22])
def test_kept_days_are_what_the_rows_and_a_recount_say(database: Database, tenant: UUID, seed: int) -> None:
    """Told in pieces, attributed after each, listed from the first on: late orders, touches and refunds."""
    world = worlds.make(seed, journeys=120)
    so_far = World()
    for piece in pieces(world, seed):
        tell(database, tenant, piece)
        so_far = World(
            so_far.visits + piece.visits, so_far.sales + piece.sales, so_far.bookings + piece.bookings
        )
        assert run(attribute_marked, tenant)["outcome"] == "attributed"
        if not so_far.bookings:
            assert run(refresh_summaries, tenant)["outcome"] == "refreshed"
        told = reports(database, tenant)
    assert drift(database, tenant) == 0
    for (window, mode), found in told.items():
        wanted = oracle.expected(so_far, [], "linear", window, mode)
        for key, figures in rows(found).items():
            check(figures, wanted.get(key, Expected()), key)


def test_who_is_new_follows_an_earlier_order_that_comes_late(database: Database, tenant: UUID) -> None:
    """The later order, of which nothing else changed, is a repeat one from then on."""
    tell(database, tenant, order(1, "j", 5))
    run(attribute_marked, tenant)
    run(refresh_summaries, tenant)
    assert newcomers(reports(database, tenant)) == (1, 1)
    tell(database, tenant, order(2, "j", 1))
    run(attribute_marked, tenant)
    assert newcomers(reports(database, tenant)) == (2, 1)
    assert drift(database, tenant) == 0


def newcomers(told: dict[tuple[Window, Mode], list[CurrencyPerformance]]) -> tuple[int, int]:
    outcome = told[WINDOWS[0], "cash"][0].totals.outcome
    return outcome.conversion_count, outcome.new_conversion_count


def test_a_window_that_is_recomputed_is_followed(database: Database, tenant: UUID) -> None:
    """Allocations that a recompute job replaces count out and in, whoever broke them."""
    touch = Visit(uuid4(), "j", START, "email", "letter")
    tell(database, tenant, order(1, "j", 1))
    run(attribute_marked, tenant)
    run(refresh_summaries, tenant)
    with database.connect() as connection:
        worlds.store(connection, tenant, World([touch], [], []))  # and nobody marks the journey
    engine = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        attribution.attribute_window(session, WINDOWS[0], SETTINGS.parameters("linear"))
    channels = reports(database, tenant)[WINDOWS[0], "cash"][0].channels
    assert [(one.channel.channel_code, list(one.campaigns)) for one in channels] == [("email", ["letter"])]


def test_a_wrong_day_is_found_and_mended(database: Database, tenant: UUID) -> None:
    """The hourly count compares every cell with the rows."""
    tell(database, tenant, order(1, "j", 1))
    run(attribute_marked, tenant)
    run(refresh_summaries, tenant)
    with database.connect() as connection:
        connection.execute(
            "UPDATE performance_days SET conversion_count = 7 WHERE tenant_id = %s AND level = 0", [tenant]
        )
        connection.execute("INSERT INTO repeat_orders VALUES (%s, 'o-1')", [tenant])
    assert drift(database, tenant) > 0
    assert newcomers(reports(database, tenant)) == (1, 1)
    assert drift(database, tenant) == 0


def test_a_version_that_jobs_leave_out_is_no_longer_read(database: Database, tenant: UUID) -> None:
    """After a change of settings the former version's days are not kept up, and the rows are added up."""
    tell(database, tenant, order(1, "j", 1))
    run(attribute_marked, tenant)
    run(refresh_summaries, tenant)
    engine = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        attribution.attribute_journeys(session, ["j"], worlds.AttributionSettings(lookback_days=7))
        assert not performance_days.is_listed(session, LINEAR)
        assert performance.report(session, LINEAR, WINDOWS[0], "cash") != []


def test_a_tenant_whose_days_are_not_kept_costs_jobs_nothing(database: Database, tenant: UUID) -> None:
    """Nothing is written before the first refresh."""
    tell(database, tenant, order(1, "j", 1))
    tell(database, tenant, World([], [], [Booking(uuid4(), "o-1", "refunded", -1, START)]))
    run(attribute_marked, tenant)
    with tenant_session(tenant, read_only=True) as session:
        for table in ("performance_days", "performance_versions", "repeat_orders"):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
