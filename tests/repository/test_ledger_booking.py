"""Booking in the database: random lives converge, and concurrent deliveries do not undo each other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.domain.facts import CanonicalEvent, Fact, OrderLink, PaymentAlias
from skeldir.domain.ids import fact_id
from skeldir.repository import booking
from skeldir.repository.ledger import Cause
from tests.conftest import Database
from tests.lives.book import Sums, book_of
from tests.lives.lives import life
from tests.lives.told import START

SUMS = text("""
    SELECT order_id, kind, currency, CAST(effective_at AT TIME ZONE 'UTC' AS date) AS day,
           CAST(sum(amount_cents) AS bigint)
      FROM ledger_entries GROUP BY 1, 2, 3, 4 HAVING sum(amount_cents) <> 0
""")
NET = text("""
    SELECT currency, CAST(sum(effect_cents) AS bigint)
      FROM ledger_entries GROUP BY 1 HAVING sum(effect_cents) <> 0
""")

IDENTITIES = text("""
    SELECT order_id, kind, reference, currency, effective_at, correction FROM ledger_entries ORDER BY 1, 2, 3
""")
ORDERS = text("SELECT order_id, ordered_at FROM orders")
# Thousands of orders that are not the one in question.
CROWD = (
    """INSERT INTO facts (fact_id, event_id, order_key, source, authority, kind, reference, amount_cents,
                          currency, effective_at, told_at)
       SELECT gen_random_uuid(), gen_random_uuid(), 'o' || n, 'shopify', 'shop', 'captured', 'o' || n, 1,
              'USD', now(), now() FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO order_hints (hint_id, event_id, order_key, told_at)
       SELECT gen_random_uuid(), gen_random_uuid(), 'o' || n, now() FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO ledger_entries (entry_id, order_id, kind, reference, amount_cents, effect_cents, currency,
                                   effective_at, booked_at, source)
       SELECT gen_random_uuid(), 'o' || n, 'captured', 'o' || n, 1, 1, 'USD', now(), now(), 'shopify'
         FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO orders (order_id, journey_id, ordered_at)
       SELECT 'o' || n, 'o' || n, now() FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO order_links (payment_key, order_id, authority)
       SELECT 'p' || n, 'o' || n, 'shop' FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO payment_aliases (alias, payment_key)
       SELECT 'a' || n, 'p' || n FROM generate_series(1, {rows}) AS n""",
)
ROWS_READ = text("""
    SELECT relname, coalesce(idx_tup_fetch, 0) + seq_tup_read FROM pg_stat_xact_user_tables
     WHERE schemaname = 'public'
""")
SOMEBODY_WAITS = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
MakeTenant: TypeAlias = Callable[[], UUID]

pytestmark = pytest.mark.usefixtures("database")


def deliver(tenant_id: UUID, event: CanonicalEvent) -> None:
    """Book one event as its handler would."""
    with tenant_session(tenant_id) as session:
        booking.book(session, cause(tenant_id, event), event)


def cause(tenant_id: UUID, event: CanonicalEvent) -> Cause:
    """Return what the event's entries are booked for."""
    return Cause(tenant_id, fact_id(tenant_id, "event", event.vendor_event_id), event.vendor)


def sums(tenant_id: UUID) -> tuple[Sums, dict[str, int]]:
    """Return what the ledger adds up to: by day, and in all."""
    with tenant_session(tenant_id, read_only=True) as session:
        daily = {tuple(row[:4]): row[4] for row in session.execute(SUMS)}
        return daily, {row[0]: row[1] for row in session.execute(NET)}


@pytest.mark.parametrize("seed", range(15))
def test_the_database_ends_as_the_algebra_says(make_tenant: MakeTenant, seed: int) -> None:
    tenant_id, lived = make_tenant(), life(seed)
    storm = [told.event for told in lived.storm(Random(seed))]
    for event in storm:
        deliver(tenant_id, event)

    assert sums(tenant_id) == (book_of(storm).daily_sums(), lived.net)


@pytest.mark.parametrize("seed", range(100, 105))
def test_deliveries_at_the_same_time_end_as_one_after_another(make_tenant: MakeTenant, seed: int) -> None:
    tenant_id, lived = make_tenant(), life(seed)
    storm = [told.event for told in lived.deliveries] * 2
    with ThreadPoolExecutor(8) as senders:
        list(senders.map(lambda event: deliver(tenant_id, event), storm))

    assert sums(tenant_id) == (book_of(storm).daily_sums(), lived.net)


def test_what_entries_are_named_by_does_not_depend_on_the_order_of_deliveries(
    make_tenant: MakeTenant,
) -> None:
    paid, refunded = (
        _event(kind, _told(kind, cents)) for kind, cents in (("captured", 10_000), ("refunded", 3_000))
    )
    named = []
    for order in ((paid, refunded), (refunded, paid)):
        tenant_id = make_tenant()
        for event in order:
            deliver(tenant_id, event)
        with tenant_session(tenant_id, read_only=True) as session:
            named.append(session.execute(IDENTITIES).all())

    assert named[0] == named[1]


def test_a_payment_waits_for_one_that_is_linked_to_it_as_if_it_were_an_order(tenant: UUID) -> None:
    """Merchants write what they like where an order's number belongs, another payment's among it."""
    early, late = START, START + timedelta(hours=1)
    linked = _event("1", _paid("pi_1", early), links=(OrderLink("pi_1", "pi_2"),))
    with ThreadPoolExecutor(1) as other:
        with tenant_session(tenant) as session:
            booking.book(session, cause(tenant, linked), linked)
            second = other.submit(deliver, tenant, _event("2", _paid("pi_2", late)))
            while not second.done() and not session.execute(SOMEBODY_WAITS).scalar_one():
                pass
        second.result()

    with tenant_session(tenant, read_only=True) as session:
        assert session.execute(ORDERS).all() == [("pi_2", early)]


def test_a_link_and_an_alias_that_meet_at_one_charge_wait_for_each_other(tenant: UUID) -> None:
    """The shop names the charge while Stripe says which intent's it is: neither sees the other's word yet."""
    order = _event("1", _told("captured", 10_000), links=(OrderLink("ch_1", "1001"),))
    paid = _event("2", _paid("pi_1", START), aliases=(PaymentAlias("ch_1", "pi_1"),))
    with ThreadPoolExecutor(1) as other:
        with tenant_session(tenant) as session:
            booking.book(session, cause(tenant, order), order)
            second = other.submit(deliver, tenant, paid)
            while not second.done() and not session.execute(SOMEBODY_WAITS).scalar_one():
                pass
        second.result()

    assert sums(tenant)[1] == {"USD": 10_000}


@pytest.mark.parametrize("others", [0, 3, 150])
def test_a_tenant_without_statistics_has_only_its_orders_own_rows_read(
    make_tenant: MakeTenant, database: Database, others: int
) -> None:
    """For the planner such a tenant has no rows to speak of, so that any index seems good enough."""
    crowded = make_tenant()
    with database.connect() as superuser:
        # What other tests rolled back may have been analysed since, as pages without rows.
        superuser.execute("VACUUM")
        for _ in range(others):
            _crowd(superuser, uuid4(), 6_000 // others)
        if others:
            superuser.execute("ANALYZE")
        _crowd(superuser, crowded, 5_000)
    event = _event("1", _told("captured", 10_000))

    with tenant_session(crowded) as session:
        session.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))  # as the ingress has it
        session.execute(text("DISCARD PLANS"))  # as the tables' next analysis does
        for _ in range(8):  # prepared at the fifth time, and planned once from then on
            booking.book(session, cause(crowded, event), event)
        before = dict(iter(session.execute(ROWS_READ)))
        booking.book(session, cause(crowded, event), event)
        read = {table: count - before[table] for table, count in session.execute(ROWS_READ)}

    assert {table for table, count in read.items() if count} >= {"facts", "ledger_entries", "orders"}
    crowded_tables = {"facts", "order_hints", "order_links", "payment_aliases", "ledger_entries", "orders"}
    assert {table: read[table] for table in crowded_tables if read[table] >= 20} == {}


def _crowd(superuser: psycopg.Connection, tenant_id: UUID, rows: int) -> None:
    superuser.execute(f"SET app.current_tenant_id = '{tenant_id}'")
    for statement in CROWD:
        superuser.execute(statement.format(rows=rows))


def _event(number: str, fact: Fact, **more: Any) -> CanonicalEvent:
    return CanonicalEvent(
        vendor=fact.source,
        authority=fact.authority,
        topic="any",
        vendor_event_id=number,
        occurred_at=START,
        payload={},
        order_key=fact.order_key,
        facts=(fact,),
        **more,
    )


def _told(kind: Any, cents: int) -> Fact:
    return Fact("shopify", "shop", "1001", kind, f"{kind}-1", cents, "USD", START, START)


def _paid(payment_key: str, at: datetime) -> Fact:
    return Fact("stripe", "processor", payment_key, "captured", payment_key, 10_000, "USD", at, at)
