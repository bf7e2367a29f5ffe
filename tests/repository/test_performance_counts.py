"""Counted days of performance: whatever has changed since, reports are what the rows add up to."""

from datetime import timedelta
from itertools import product
from typing import get_args
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.domain.attribution_settings import AttributionSettings
from skeldir.domain.models import Model
from skeldir.domain.windows import BEGINNING, END, Window
from skeldir.repository import attribution, performance, performance_counts, performance_days
from skeldir.repository.channel_reports import Mode
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository import performance_oracle as oracle
from tests.repository.attribution_world import SETTINGS, START, Booking, Visit, World
from tests.repository.performance_oracle import Expected
from tests.repository.test_performance import check, order, rows
from tests.repository.test_summaries import pieces, run, tell
from workers.attribution import attribute_marked
from workers.performance import count_days
from workers.summaries import refresh_summaries

MODES: tuple[Mode, ...] = get_args(Mode)
MODELS: tuple[Model, ...] = ("first_touch", "last_touch", "time_decay")
WINDOWS = (Window(BEGINNING, END), Window(START + timedelta(days=20), START + timedelta(days=50)))
FIRST_TOUCH = SETTINGS.version("first_touch")


def follow(tenant: UUID) -> None:
    """Have everything kept and counted, as once an hour."""
    assert run(refresh_summaries, tenant)["outcome"] == "refreshed"
    assert run(count_days, tenant)["outcome"] == "counted"


def stale_days(tenant: UUID) -> int:
    with tenant_session(tenant, read_only=True) as session:
        assert performance_counts.are_kept(session, FIRST_TOUCH)
        return len(performance_counts.stale(session, FIRST_TOUCH, BEGINNING.date(), END.date()))


def judge(tenant: UUID, so_far: World) -> None:
    """Compare what is read from counts, and from what is stale of them, with a recount by hand."""
    with tenant_session(tenant, read_only=True) as session:
        for model, window, mode in product(MODELS, WINDOWS, MODES):
            version = SETTINGS.version(model)
            assert not performance_days.is_listed(session, version)
            assert performance_counts.are_kept(session, version)
            found = rows(performance.report(session, version, window, mode))
            wanted = oracle.expected(so_far, [], model, window, mode)
            for key, figures in found.items():
                check(figures, wanted.get(key, Expected()), key)
            assert all(told == Expected() for key, told in wanted.items() if key not in found)


@pytest.mark.parametrize("seed", [31, 32])
def test_counts_and_what_is_stale_of_them_are_what_a_recount_says(
    database: Database, tenant: UUID, seed: int
) -> None:
    """Told in pieces, attributed after each, counted now and then: late orders, touches and refunds."""
    so_far = World()
    for number, piece in enumerate(pieces(worlds.make(seed, journeys=120), seed)):
        tell(database, tenant, piece)
        so_far = World(
            so_far.visits + piece.visits, so_far.sales + piece.sales, so_far.bookings + piece.bookings
        )
        assert run(attribute_marked, tenant)["outcome"] == "attributed"
        if number in {0, 2}:
            follow(tenant)
            assert stale_days(tenant) == 0
            judge(tenant, so_far)
    assert stale_days(tenant) > 0
    judge(tenant, so_far)


def test_only_the_days_of_changed_orders_are_counted_anew(database: Database, tenant: UUID) -> None:
    """An order's refund turns its two days stale, and a second run finds nothing to do."""
    for number, journey in enumerate(("h", "i", "k", "j")):
        tell(database, tenant, order(number, journey, number))
    run(attribute_marked, tenant)
    follow(tenant)
    refund = Booking(uuid4(), "o-3", "refunded", -1, START + timedelta(days=9))
    tell(database, tenant, World([], [], [refund]))
    run(attribute_marked, tenant)
    assert stale_days(tenant) == 2
    versions = 8
    assert run(count_days, tenant)["days"] == 2 * versions
    assert run(count_days, tenant)["days"] == 0


def test_a_day_is_stale_once_somebody_ceases_to_be_new_on_it(database: Database, tenant: UUID) -> None:
    """An earlier order that comes late changes nothing of the later one but that it is a repeat one."""
    tell(database, tenant, order(1, "j", 5))
    run(attribute_marked, tenant)
    follow(tenant)
    assert newcomers(tenant) == (1, 1)
    tell(database, tenant, order(2, "j", 1))
    run(attribute_marked, tenant)
    assert stale_days(tenant) == 2
    assert newcomers(tenant) == (2, 1)
    follow(tenant)
    assert newcomers(tenant) == (2, 1)


def newcomers(tenant: UUID) -> tuple[int, int]:
    with tenant_session(tenant, read_only=True) as session:
        outcome = performance.report(session, FIRST_TOUCH, WINDOWS[0], "cash")[0].totals.outcome
    return outcome.conversion_count, outcome.new_conversion_count


def test_counts_go_with_the_version_they_are_of(database: Database, tenant: UUID) -> None:
    """What jobs no longer follow is not read, also when it becomes current again."""
    tell(database, tenant, order(1, "j", 1))
    run(attribute_marked, tenant)
    follow(tenant)
    engine = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        attribution.attribute_journeys(session, ["j"], AttributionSettings(lookback_days=7))
        assert not performance_counts.are_kept(session, FIRST_TOUCH)
        for table in ("counted_days", "counted_performance"):
            left = text(f"SELECT count(*) FROM {table} WHERE model_version = :version")
            assert session.execute(left, {"version": FIRST_TOUCH}).scalar_one() == 0
        assert performance.report(session, FIRST_TOUCH, WINDOWS[0], "cash") != []


def test_a_count_that_a_job_overtakes_is_stale_at_once(database: Database, tenant: UUID) -> None:
    """Counting waits for nobody: what came after its snapshot is not in it, and is seen not to be."""
    tell(database, tenant, order(1, "j", 1))
    run(attribute_marked, tenant)
    follow(tenant)
    touch = Visit(uuid4(), "j", START, "email", "letter")
    tell(database, tenant, World([touch], [], []))
    run(attribute_marked, tenant)
    engine = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        stale = performance_counts.stale(session, FIRST_TOUCH, BEGINNING.date(), END.date())
        tell(database, tenant, World([Visit(uuid4(), "j", START - timedelta(1), "organic")], [], []))
        run(attribute_marked, tenant)
        performance_counts.keep(session, FIRST_TOUCH, stale)
    assert stale_days(tenant) == 1
    with tenant_session(tenant, read_only=True) as session:
        [block] = performance.report(session, FIRST_TOUCH, WINDOWS[0], "cash")
    assert [one.channel.channel_code for one in block.channels] == ["organic"]
