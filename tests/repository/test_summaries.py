"""Summaries: what reports read is what the rows add up to, in every snapshot, however it came about."""

import random
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from typing import get_args
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.db.session import tenant_session
from skeldir.domain.models import MODELS
from skeldir.domain.windows import BEGINNING, END, Window
from skeldir.repository import attribution, attribution_settings, channel_reports, summaries
from skeldir.repository.channel_reports import CurrencyReport, Mode
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository import channel_oracle as oracle
from tests.repository.attribution_world import SETTINGS, START, Booking, Sale, Visit, World
from workers.attribution import attribute_marked
from workers.summaries import refresh_summaries

MODES: tuple[Mode, ...] = get_args(Mode)
EVERYTHING = Window(BEGINNING, END)
WINDOWS = (
    EVERYTHING,
    Window(START + timedelta(days=22), START + timedelta(days=23)),
    Window(START + timedelta(days=20), START + timedelta(days=50)),
)
LONG_AGO = text("""
    UPDATE summarised_versions SET checked_at = now() - interval '1 hour' WHERE model_version = :version
""")
LINEAR = SETTINGS.version("linear")


def run(task: object, tenant: UUID) -> dict[str, object]:
    """Run a task here and now, as a worker would."""
    result: dict[str, object] = task.apply(kwargs={"tenant_id": str(tenant)}, task_id=str(uuid4())).get()  # type: ignore[attr-defined]
    return result


def tell(database: Database, tenant: UUID, world: World) -> None:
    """Store a world and mark what it touches, in one transaction, as booking does."""
    touched = {sale.order_id for sale in world.sales}
    journeys = set(world.journeys) | {
        booking.order_id.replace("o-", "j-", 1).rsplit("-", 1)[0]
        for booking in world.bookings
        if booking.order_id not in touched
    }
    with database.connect() as connection, connection.transaction():
        worlds.store(connection, tenant, world)
        worlds.mark(connection, tenant, sorted(journeys))


def pieces(world: World, seed: int) -> Iterator[World]:
    """Cut a world into pieces as they may arrive: an order before its entries, all else in any order."""
    chance = random.Random(seed)
    shuffled = world.shuffled(seed)
    yield World([], shuffled.sales, [])
    rest: list[Visit | Booking] = [*shuffled.visits, *shuffled.bookings]
    chance.shuffle(rest)
    third = len(rest) // 3
    for part in (rest[:third], rest[third : 2 * third], rest[2 * third :]):
        yield World(
            [visit for visit in part if isinstance(visit, Visit)],
            [],
            [booking for booking in part if isinstance(booking, Booking)],
        )


def both_ways(
    session: Session, version: str, window: Window, mode: Mode
) -> tuple[list[CurrencyReport], list[CurrencyReport]]:
    """Report from the summaries and from the rows, in one snapshot."""
    assert version in summaries.listed(session)
    summed = channel_reports.report(session, version, window, mode)
    with session.begin_nested() as apart:
        summaries.keep_only(session, [])
        added_up = channel_reports.report(session, version, window, mode)
        apart.rollback()
    return summed, added_up


def ledger_net(session: Session) -> dict[str, int]:
    """Add up what the ledger holds."""
    rows = session.execute(
        text(
            "SELECT currency, sum(effect_cents) FROM ledger_entries GROUP BY 1 HAVING sum(effect_cents) <> 0"
        )
    )
    return {row[0]: int(row[1]) for row in rows}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_reports_are_what_the_oracle_counts(database: Database, tenant: UUID, seed: int) -> None:
    """Told in pieces, attributed after each: every model, both modes, any window, with entries that wait."""
    world = worlds.make(seed, journeys=150)
    so_far = World()
    for piece in pieces(world, seed):
        tell(database, tenant, piece)
        so_far = World(
            so_far.visits + piece.visits, so_far.sales + piece.sales, so_far.bookings + piece.bookings
        )
        assert run(attribute_marked, tenant)["outcome"] == "attributed"
        engine = database.engine("app_worker")
        with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
            for model, mode, window in product(MODELS, MODES, WINDOWS):
                wanted = oracle.expected(so_far, model, window, mode)
                for report in both_ways(session, SETTINGS.version(model), window, mode):
                    assert oracle.told(report) == wanted, (model, mode, window)


def test_what_is_allocated_and_pending_is_the_ledger_while_much_is_marked(
    database: Database, tenant: UUID
) -> None:
    """From the summaries and from the rows alike, when pieces of known orders came and no job ran since."""
    world = worlds.make(seed=4, journeys=200)
    for number, piece in enumerate(pieces(world, seed=4)):
        tell(database, tenant, piece)
        if number < 2:
            run(attribute_marked, tenant)
            continue
        engine = database.engine("app_worker")
        with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
            net = ledger_net(session)
            for model, mode, window in product(MODELS, MODES, WINDOWS):
                summed, added_up = both_ways(session, SETTINGS.version(model), window, mode)
                assert summed == added_up, (model, mode, window)
                if window == EVERYTHING:
                    assert {r.currency: r.ledger_net_cents for r in summed if r.ledger_net_cents} == net
                    assert any(report.pending_cents for report in summed)


def test_no_snapshot_shows_a_ledger_that_does_not_add_up(database: Database, tenant: UUID) -> None:
    """One books, one attributes, one reads, all at once: each reading agrees with the raw sums beside it."""
    world = worlds.make(seed=5, journeys=240)
    tell(database, tenant, World([], world.sales, []))
    run(attribute_marked, tenant)
    parts: list[Visit | Booking] = [*world.shuffled(5).visits, *world.shuffled(5).bookings]
    random.Random(5).shuffle(parts)
    is_told = threading.Event()
    faults: list[BaseException] = []

    def book() -> None:
        for start in range(0, len(parts), 25):
            some = parts[start : start + 25]
            visits = [part for part in some if isinstance(part, Visit)]
            tell(database, tenant, World(visits, [], [p for p in some if isinstance(p, Booking)]))

    def attribute() -> None:
        while not is_told.is_set():
            run(attribute_marked, tenant)

    def keep_fault(call: Callable[[], None]) -> None:
        try:
            call()
        except BaseException as fault:  # noqa: BLE001 - shown by the test
            faults.append(fault)

    booking = threading.Thread(target=keep_fault, args=(book,))
    attributing = threading.Thread(target=keep_fault, args=(attribute,))
    booking.start()
    attributing.start()
    readings = 0
    while booking.is_alive():
        with tenant_session(
            tenant, isolation="repeatable read", engine=database.engine("app_worker")
        ) as session:
            net = ledger_net(session)
            summed, added_up = both_ways(session, LINEAR, EVERYTHING, MODES[readings % 2])
        assert summed == added_up
        assert {r.currency: r.ledger_net_cents for r in summed if r.ledger_net_cents} == net
        readings += 1
    booking.join()
    is_told.set()
    attributing.join()
    assert not faults
    assert readings > 1


def test_a_version_that_a_job_leaves_out_is_added_up_again(database: Database, tenant: UUID) -> None:
    """It no longer follows what is marked; so its summary is not trusted, and goes."""
    tell(database, tenant, worlds.make(seed=6, journeys=20))
    run(attribute_marked, tenant)
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        assert set(summaries.listed(session)) == {SETTINGS.version(model) for model in MODELS}
        summaries.keep_only(session, [LINEAR])
        summaries.prune(session)
        assert summaries.listed(session) == [LINEAR]
        versions = session.execute(text("SELECT DISTINCT model_version FROM channel_days")).scalars().all()
    assert versions == [LINEAR]
    assert run(refresh_summaries, tenant)["completed"] == len(MODELS) - 1


def test_the_check_finds_and_mends_what_is_not_the_sum_of_its_rows(database: Database, tenant: UUID) -> None:
    """A cell that is off, one that is missing, an entry that waits and should not."""
    tell(database, tenant, worlds.make(seed=7, journeys=40))
    run(attribute_marked, tenant)
    for spoil, places in (
        ("UPDATE channel_days SET accrual_cents = accrual_cents + 1", None),
        ("DELETE FROM channel_days WHERE cash_cents > 0", None),
        (
            """INSERT INTO waiting_entries (model_version, entry_id, order_id, currency, effective_at,
                                            accrued_at, effect_cents)
               VALUES (:version, :entry_id, 'o', 'EUR', now(), now(), 1)""",
            1,
        ),
    ):
        with tenant_session(tenant, engine=database.engine("app_worker")) as session:
            session.execute(LONG_AGO, {"version": LINEAR})
            session.execute(text(spoil), {"version": LINEAR, "entry_id": uuid4()} if places else {})
        spoiled = run(refresh_summaries, tenant)
        assert (spoiled["checked"], bool(spoiled["drifted"])) == (LINEAR, True)
        assert places is None or spoiled["drifted"] == places
        with tenant_session(tenant, engine=database.engine("app_worker")) as session:
            attribution.begin(session)
            assert summaries.drift(session, LINEAR) == 0


def test_a_refresh_waits_for_nobody(database: Database, tenant: UUID) -> None:
    """While another job has the tenant's turn it says so; the next hour will do."""
    with tenant_session(tenant, engine=database.engine("app_worker")) as working:
        assert attribution.take_turn(working)
        assert run(refresh_summaries, tenant) == {"outcome": "busy"}


def test_a_refund_counts_on_its_own_day_or_on_its_capture_s(database: Database, tenant: UUID) -> None:
    """Cash shows it in the month in which it was paid back, accrual in the one that it was earned in."""
    sold, refunded = START.replace(hour=12), START.replace(month=9, hour=12)
    world = World(
        [Visit(UUID(int=1), "j-1", sold, "email")],
        [Sale("o-1-0", "j-1", sold)],
        [
            Booking(UUID(int=2), "o-1-0", "captured", 1_000, sold),
            Booking(UUID(int=3), "o-1-0", "refunded", -400, refunded),
        ],
    )
    tell(database, tenant, world)
    run(attribute_marked, tenant)
    august, september = Window(START, START.replace(month=9)), Window(START.replace(month=9), END)
    with tenant_session(tenant, read_only=True) as session:
        assert attribution_settings.current(session).version("linear") == LINEAR
        figures = {
            (mode, window.start.month): oracle.told(channel_reports.report(session, LINEAR, window, mode))
            for mode in MODES
            for window in (august, september)
        }
    assert figures == {
        ("cash", 8): {"EUR": (0, {"email": (1_000, 0, 1)})},
        ("cash", 9): {"EUR": (0, {"email": (-400, -400, 0)})},
        ("accrual", 8): {"EUR": (0, {"email": (600, -400, 1)})},
        ("accrual", 9): {},
    }
