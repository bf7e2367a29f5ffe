"""Digests that jobs keep: always those that a look at everything would give."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from skeldir.db.session import tenant_session
from skeldir.domain.windows import BEGINNING, END, Window
from skeldir.repository import attribution, attribution_orders, recompute_inputs
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import SETTINGS, START, Visit, World

EVERYTHING = Window(BEGINNING, END)


def settle(database: Database, tenant: UUID, journeys: Sequence[str]) -> None:
    """Keep the digests of journeys, a few orders at a time, as jobs do."""
    engine = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        attribution.attribute_journeys(session, journeys, SETTINGS)


def fingerprint(database: Database, tenant: UUID, window: Window = EVERYTHING) -> str:
    with tenant_session(tenant, read_only=True, engine=database.engine("app_worker")) as session:
        return recompute_inputs.fingerprint(recompute_inputs.of_window(session, window))


def some_windows(chance: random.Random) -> list[Window]:
    """Make windows of whole days, cut days, and pieces of one day."""
    starts = [START + timedelta(hours=chance.randrange(24 * 75)) for _ in range(6)]
    spans = (timedelta(minutes=1), timedelta(hours=7), timedelta(days=1), timedelta(days=9, hours=5))
    whole = Window(START + timedelta(days=20), START + timedelta(days=50))
    return [EVERYTHING, whole, *(Window(start, start + chance.choice(spans)) for start in starts)]


@pytest.mark.parametrize("seed", [1, 2])
def test_kept_digests_are_those_of_a_look_at_everything(
    database: Database, make_tenant: Callable[[], UUID], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told piece by piece in any order, settled between, orders moving between journeys: nothing shows."""
    monkeypatch.setattr(attribution, "MODELS", ("linear",))
    monkeypatch.setattr(attribution_orders, "SCOPE_MAX", 7)
    chance = random.Random(seed)
    world = worlds.make(seed, journeys=60)
    piecemeal, at_once = make_tenant(), make_tenant()
    seen = set()
    with database.connect() as connection:
        told = world.shuffled(seed)
        worlds.store(connection, piecemeal, World([], told.sales, []))
        for n in range(5):
            worlds.store(connection, piecemeal, World(told.visits[n::5], [], told.bookings[n::5]))
            moved = chance.choice(told.sales)
            connection.execute(
                """UPDATE orders SET journey_id = 'j-0', ordered_at = ordered_at + interval '1 second'
                    WHERE tenant_id = %s AND order_id = %s""",
                (piecemeal, moved.order_id),
            )
            journeys = sorted({*world.journeys, "j-0"})
            chance.shuffle(journeys)
            settle(database, piecemeal, journeys)
            seen.add(fingerprint(database, piecemeal))
        assert len(seen) == 5, "every piece changed something"
        connection.execute(
            """INSERT INTO orders (tenant_id, order_id, journey_id, ordered_at)
               SELECT %s, order_id, journey_id, ordered_at FROM orders WHERE tenant_id = %s""",
            (at_once, piecemeal),
        )
        worlds.store(connection, at_once, World(world.visits, [], world.bookings))
    settle(database, at_once, sorted({*world.journeys, "j-0"}))
    for window in some_windows(chance):
        assert fingerprint(database, piecemeal, window) == fingerprint(database, at_once, window), window


def test_a_run_that_changes_nothing_leaves_every_digest_where_it_lies(
    database: Database, tenant: UUID
) -> None:
    """Orders without an entry have none, and a touch of one journey changes that journey's orders alone."""
    world = worlds.make(seed=3, journeys=60)
    of_digests = "SELECT order_id, ctid, xmin FROM order_digests WHERE tenant_id = %s ORDER BY 1"
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
        settle(database, tenant, world.journeys)
        before = connection.execute(of_digests, (tenant,)).fetchall()
        settle(database, tenant, world.journeys)
        assert connection.execute(of_digests, (tenant,)).fetchall() == before
        booked = {booking.order_id for booking in world.bookings if booking.effect_cents}
        assert {row[0] for row in before} == booked
        sale = next(sale for sale in world.sales if sale.order_id in booked)
        worlds.store(connection, tenant, World([Visit(UUID(int=7), sale.journey_id, START, "email")], [], []))
        settle(database, tenant, world.journeys)
        after = connection.execute(of_digests, (tenant,)).fetchall()
    changed = {row[0] for row in set(after) - set(before)}
    assert changed == {s.order_id for s in world.sales if s.journey_id == sale.journey_id} & booked
