"""Attribution against the oracle: every cent of every entry, and what a rerun leaves alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.domain.models import MODELS, Model
from skeldir.domain.windows import BEGINNING, END, Window
from skeldir.repository import attribution, channel_reports, ledger_totals
from skeldir.repository.attribution import Changes
from skeldir.repository.attribution_scope import TOUCHES_MAX
from tests.bench import attribution_data
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import LOOKBACK_DAYS, SETTINGS, Booking, Sale, Visit, World

EVERYTHING = Window(BEGINNING, END)
NOON = worlds.START.replace(hour=12)


def attribute(database: Database, tenant: UUID, journeys: list[str]) -> Changes:
    engine = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        return attribution.attribute_journeys(session, journeys, SETTINGS)


def allocated(database: Database, tenant: UUID, model: Model) -> dict[tuple[UUID, str, str], int]:
    statement = text("""
        SELECT entry_id, channel_code, campaign_id, allocated_cents
          FROM allocations
         WHERE model_version = :version
    """)
    with tenant_session(tenant, read_only=True, engine=database.engine("app_worker")) as session:
        rows = session.execute(statement, {"version": SETTINGS.version(model)})
        return {(row[0], row[1], row[2]): row[3] for row in rows}


def digest(database: Database, tenant: UUID) -> str:
    """Digest all of a tenant's allocations, every column, as Postgres writes them out."""
    statement = text("""
        SELECT md5(string_agg(CAST(to_jsonb(row) - 'tenant_id' AS text), chr(10)
                   ORDER BY model_version, entry_id, channel_code, campaign_id COLLATE "C"))
          FROM allocations AS row
    """)
    with tenant_session(tenant, read_only=True, engine=database.engine("app_worker")) as session:
        return str(session.execute(statement).scalar_one())


def physical(database: Database, tenant: UUID) -> list[tuple[object, ...]]:
    """Say where every row lies and which transaction wrote it: what a write of any kind would change."""
    with database.connect() as connection:
        return connection.execute(
            "SELECT ctid, xmin FROM allocations WHERE tenant_id = %s ORDER BY ctid", (tenant,)
        ).fetchall()


@pytest.mark.parametrize("seed", [1, 2])
def test_every_cent_is_where_the_oracle_puts_it(database: Database, tenant: UUID, seed: int) -> None:
    """Thousands of random journeys, with ties, over-refunds and several currencies, under all models."""
    world = worlds.make(seed, journeys=1_500)
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    attribute(database, tenant, world.journeys)
    for model in MODELS:
        assert allocated(database, tenant, model) == worlds.expected(world, model), model


def test_touches_are_counted_beside_the_cents(database: Database, tenant: UUID) -> None:
    """A row tells how many touches its order had; 0 means that nothing led to it and `direct` has it."""
    world = worlds.make(seed=3, journeys=100)
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    attribute(database, tenant, world.journeys)
    with tenant_session(tenant, read_only=True, engine=database.engine("app_worker")) as session:
        rows = session.execute(text("SELECT DISTINCT order_id, touch_count FROM allocations")).all()
    counts = worlds.touch_counts(world)
    assert {row.order_id: row.touch_count for row in rows} == {
        row.order_id: counts[row.order_id] for row in rows
    }


def test_a_rerun_writes_nothing(database: Database, tenant: UUID) -> None:
    """The second run finds every row as it should be and touches none, not even to write it again."""
    world = worlds.make(seed=4, journeys=300)
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    first = attribute(database, tenant, world.journeys)
    before = physical(database, tenant)
    again = attribute(database, tenant, world.journeys)
    assert first.written > 0
    assert (again.written, again.vanished) == (0, 0)
    assert physical(database, tenant) == before


def test_the_order_of_insertion_leaves_no_trace(database: Database, make_tenant: Callable[[], UUID]) -> None:
    """Two tenants told the same in another order, piece by piece in one case, hold identical rows."""
    world = worlds.make(seed=5, journeys=200)
    at_once, piecemeal = make_tenant(), make_tenant()
    other = world.shuffled(seed=6)
    half = len(other.visits) // 2
    with database.connect() as connection:
        worlds.store(connection, at_once, world)
        worlds.store(connection, piecemeal, World(other.visits[:half], other.sales, other.bookings[::2]))
    attribute(database, at_once, world.journeys)
    attribute(database, piecemeal, world.journeys)
    assert digest(database, piecemeal) != digest(database, at_once)
    with database.connect() as connection:
        worlds.store(connection, piecemeal, World(other.visits[half:], [], other.bookings[1::2]))
    changed = attribute(database, piecemeal, other.journeys)
    assert changed.vanished > 0
    assert digest(database, piecemeal) == digest(database, at_once)


def test_a_ledger_adds_up_in_every_currency_while_some_of_it_is_pending(
    database: Database, tenant: UUID
) -> None:
    """What is allocated and what is pending make the ledger's net, half way through and at the end."""
    world = worlds.make(seed=7, journeys=300)
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    for journeys in (world.journeys[::2], world.journeys):
        attribute(database, tenant, journeys)
        for model in MODELS:
            with tenant_session(tenant, read_only=True) as session:
                totals = channel_reports.report(session, SETTINGS.version(model), EVERYTHING)
            assert {total.currency: total.ledger_net_cents for total in totals} == world.net_cents()
            assert all(t.allocated_cents + t.pending_cents == t.ledger_net_cents for t in totals)
    nothing_captured = {
        currency: sum(
            b.effect_cents for b in world.bookings if b.currency == currency and b.entry_id not in entries
        )
        for entries in [{row[0] for row in worlds.expected(world, "linear")}]
        for currency in world.net_cents()
    }
    assert {total.currency: total.pending_cents for total in totals} == nothing_captured


def test_what_cancels_out_is_neither_an_order_nor_taken_back(database: Database, tenant: UUID) -> None:
    """A payment booked on its own and then moved to its order; a refund, by contrast, is taken back."""
    world = World(
        [],
        [Sale("payment", "j", NOON), Sale("order", "j", NOON)],
        [
            Booking(UUID(int=1), "payment", "captured", 500, NOON),
            Booking(UUID(int=2), "order", "captured", 500, NOON),
            Booking(UUID(int=3), "order", "refunded", -40, NOON),
        ],
    )
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
        connection.execute(
            """INSERT INTO ledger_entries (tenant_id, entry_id, order_id, kind, reference, correction,
                      amount_cents, effect_cents, currency, effective_at, booked_at, source)
               SELECT tenant_id, %s, order_id, kind, reference, 1, -500, -500, currency, effective_at,
                      booked_at, source
                 FROM ledger_entries WHERE tenant_id = %s AND order_id = 'payment'""",
            (UUID(int=4), tenant),
        )
    attribute(database, tenant, ["j"])
    with tenant_session(tenant, read_only=True) as session:
        [euros] = channel_reports.report(session, SETTINGS.version("linear"), EVERYTHING)
        [direct] = euros.channels
        assert ledger_totals.totals(session).orders == {"EUR": 1}
    assert (direct.revenue_cents, direct.reversed_cents, direct.order_count) == (460, -40, 1)


def test_a_late_earlier_refund_replays_the_order(database: Database, tenant: UUID) -> None:
    """Reversals count in the order in which they took effect, not in which they became known."""
    world = World(
        [
            Visit(UUID(int=n), "j", NOON, channel)
            for n, channel in enumerate(("email", "organic", "referral"))
        ],
        [Sale("o", "j", NOON)],
        [Booking(UUID(int=9), "o", "captured", 100, NOON), Booking(UUID(int=8), "o", "refunded", -50, NOON)],
    )
    late = Booking(UUID(int=7), "o", "refunded", -1, NOON)
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
        attribute(database, tenant, ["j"])
        worlds.store(connection, tenant, World([], [], [late]))
    attribute(database, tenant, ["j"])
    world.bookings.append(late)
    assert allocated(database, tenant, "linear") == worlds.expected(world, "linear")


def test_a_refund_before_its_capture_waits(database: Database, tenant: UUID) -> None:
    """With nothing captured there is nothing to take back from: the refund has no rows and is pending."""
    world = World([], [Sale("o", "j", NOON)], [Booking(UUID(int=1), "o", "refunded", -700, NOON)])
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
        attribute(database, tenant, ["j"])
        assert allocated(database, tenant, "linear") == {}
        worlds.store(connection, tenant, World([], [], [Booking(UUID(int=2), "o", "captured", 700, NOON)]))
    attribute(database, tenant, ["j"])
    assert sorted(allocated(database, tenant, "linear").values()) == [-700, 700]


def test_an_order_that_changes_journeys_is_attributed_anew(database: Database, tenant: UUID) -> None:
    """Rows of the channels that no longer had a part vanish in the statement that writes the new ones."""
    world = World(
        [Visit(UUID(int=1), "old", NOON, "email"), Visit(UUID(int=2), "new", NOON, "organic", "spring")],
        [Sale("o", "old", NOON)],
        [Booking(UUID(int=3), "o", "captured", 500, NOON)],
    )
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
        attribute(database, tenant, ["old"])
        connection.execute("UPDATE orders SET journey_id = 'new' WHERE tenant_id = %s", (tenant,))
    changes = attribute(database, tenant, ["new"])
    assert (changes.written, changes.vanished) == (len(MODELS), len(MODELS))
    assert allocated(database, tenant, "last_touch") == {(UUID(int=3), "organic", "spring"): 500}


def test_a_look_back_is_as_long_in_every_time_zone(database: Database, tenant: UUID) -> None:
    """Where clocks are put back a day has 25 hours; the look-back's days have 24."""
    ordered_at = datetime(2026, 11, 10, tzinfo=UTC)
    oldest = ordered_at - timedelta(days=LOOKBACK_DAYS)
    visits = [
        Visit(UUID(int=1), "j", oldest, "email"),
        Visit(UUID(int=2), "j", oldest + timedelta(microseconds=1), "organic"),
    ]
    sales, bookings = [Sale("o", "j", ordered_at)], [Booking(UUID(int=3), "o", "captured", 5, ordered_at)]
    with database.connect() as connection:
        worlds.store(connection, tenant, World(visits, sales, bookings))
    engine = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        session.execute(text("SET LOCAL TimeZone = 'America/New_York'"))
        attribution.begin(session)
        attribution.attribute_journeys(session, ["j"], SETTINGS)
    assert allocated(database, tenant, "first_touch") == {(UUID(int=3), "organic", ""): 5}


def test_a_tenant_without_statistics_is_attributed_within_the_job_s_own_timeout(
    database: Database, make_tenant: Callable[[], UUID]
) -> None:
    """100,000 events of a tenant that nobody analysed, among many of a row or two: no statement takes 5 s.

    What a planner loops over that expects a row or two of everybody is quadratic, and takes minutes.
    """
    fresh = make_tenant()
    tables = ("orders", "touchpoints", "ledger_entries", "allocations", "order_digests")
    with database.connect() as connection:
        for number in range(200):
            worlds.store(connection, UUID(int=number), worlds.make(seed=number, journeys=1))
        connection.execute("ANALYZE")
        for table in tables:
            connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        size = attribution_data.store(connection, fresh, 100_000)
        journeys = [
            row[0]
            for row in connection.execute("SELECT journey_id FROM orders WHERE tenant_id = %s", (fresh,))
        ]
    for written in (True, False):
        with tenant_session(
            fresh, isolation="repeatable read", engine=database.engine("app_worker")
        ) as session:
            attribution.begin(session)
            assert session.execute(text("SHOW statement_timeout")).scalar_one() == "5s"
            changes = attribution.attribute_journeys(session, journeys, SETTINGS)
        assert (changes.orders, changes.written > 0) == (size.orders, written)
    with database.connect() as connection:
        for table in tables:
            connection.execute(f"ALTER TABLE {table} RESET (autovacuum_enabled)")
    with tenant_session(fresh, read_only=True) as session:
        session.execute(text("SET LOCAL statement_timeout = '15s'"))
        reports = channel_reports.report(session, SETTINGS.version("linear"), EVERYTHING)
    assert [(report.allocated_cents, report.pending_cents) for report in reports] == [(size.net_cents, 0)]


def test_an_order_counts_its_latest_touches_and_no_more(database: Database, tenant: UUID) -> None:
    """Of the touches within the look-back the latest 200 share; `touch_count` tells how many did."""
    visits = [
        Visit(UUID(int=n), "j", NOON + timedelta(minutes=n), worlds.CHANNELS[n * n % 7]) for n in range(600)
    ]
    sales = [Sale(f"o-{n}", "j", NOON + timedelta(minutes=60 * n)) for n in range(11)]
    bookings = [Booking(UUID(int=1000 + n), f"o-{n}", "captured", 10_007, NOON) for n in range(11)]
    with database.connect() as connection:
        worlds.store(connection, tenant, World(visits, sales, bookings))
    attribute(database, tenant, ["j"])
    for model in ("first_touch", "last_touch", "linear"):
        wanted = {}
        for sale, booking in zip(sales, bookings, strict=True):
            latest = [visit for visit in visits if visit.occurred_at <= sale.ordered_at][-TOUCHES_MAX:]
            wanted |= worlds.expected(World(latest, [sale], [booking]), model)
        assert allocated(database, tenant, model) == wanted, model
    with tenant_session(tenant, read_only=True) as session:
        counts = session.execute(text("SELECT DISTINCT order_id, touch_count FROM allocations")).all()
    assert {row.order_id: row.touch_count for row in counts} == {
        f"o-{n}": min(60 * n + 1, TOUCHES_MAX) for n in range(11)
    }


def test_a_crowded_journey_costs_no_product(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8,000 touches and 1,500 orders of one journey, each with a hint: no statement takes 5 s."""
    monkeypatch.setattr(attribution, "MODELS", heaviest := ("linear", "time_decay", "position_based"))
    with database.connect() as connection:
        worlds.store_crowd(connection, tenant)
    assert attribute(database, tenant, ["crowd"]).orders == 1_500
    with tenant_session(tenant, read_only=True) as session:
        rows = session.execute(
            text("SELECT model_version, sum(allocated_cents), max(touch_count) FROM allocations GROUP BY 1")
        ).all()
    assert {(int(row[1]), row[2] <= 2 * TOUCHES_MAX) for row in rows} == {(1_500 * 999, True)}
    assert len(rows) == len(heaviest)


def test_tenants_with_the_same_names_keep_to_themselves(
    database: Database, make_tenant: Callable[[], UUID]
) -> None:
    """Journeys and orders of the same names in two tenants share neither touches nor cents."""
    one, other = make_tenant(), make_tenant()
    worlds_of = {one: worlds.make(seed=10, journeys=60), other: worlds.make(seed=11, journeys=60)}
    with database.connect() as connection:
        for tenant, world in worlds_of.items():
            worlds.store(connection, tenant, world)
    attribute(database, one, worlds_of[one].journeys)
    assert allocated(database, one, "linear") == worlds.expected(worlds_of[one], "linear")
    assert allocated(database, other, "linear") == {}


def test_one_job_per_tenant_has_its_turn(database: Database, make_tenant: Callable[[], UUID]) -> None:
    """While one job works on a tenant another is told so at once; other tenants do not wait."""
    one, other = make_tenant(), make_tenant()
    engine = database.engine("app_worker")
    with tenant_session(one, engine=engine) as working:
        assert attribution.take_turn(working)
        with tenant_session(one, engine=engine) as second:
            assert not attribution.take_turn(second)
        with tenant_session(other, engine=engine) as elsewhere:
            assert attribution.take_turn(elsewhere)
