"""Booking in the database: random lives converge, and concurrent deliveries do not undo each other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.domain.facts import CanonicalEvent, Fact, OrderLink
from skeldir.domain.ids import fact_id
from skeldir.repository import booking
from skeldir.repository.ledger import Cause
from tests.domain.test_ledger_convergence import START, Delivery, Life, book_of, lives

SUMS = text("""
    SELECT order_id, kind, currency, CAST(effective_at AT TIME ZONE 'UTC' AS date) AS day,
           CAST(sum(amount_cents) AS bigint)
      FROM ledger_entries GROUP BY 1, 2, 3, 4 HAVING sum(amount_cents) <> 0
""")
NET = text("SELECT CAST(coalesce(sum(effect_cents), 0) AS bigint) FROM ledger_entries")

IDENTITIES = text("""
    SELECT order_id, kind, reference, currency, effective_at, correction FROM ledger_entries ORDER BY 1, 2, 3
""")
ORDERS = text("SELECT order_id, ordered_at FROM orders")
SOMEBODY_WAITS = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
MakeTenant: TypeAlias = Callable[[], UUID]

pytestmark = pytest.mark.usefixtures("database")


def booked_for(tenant_id: UUID, delivery: Delivery, number: int) -> tuple[Cause, CanonicalEvent]:
    """Return what a delivery's handler would book."""
    fact = delivery.facts[0]
    event = CanonicalEvent(
        vendor=fact.source,
        authority=fact.authority,
        topic="any",
        vendor_event_id=str(number),
        occurred_at=START,
        payload={},
        order_key=fact.order_key,
        facts=delivery.facts,
        links=delivery.links,
    )
    return Cause(tenant_id, fact_id(tenant_id, "event", str(number)), fact.source), event


def deliver(tenant_id: UUID, delivery: Delivery, number: int) -> None:
    """Book one delivery as its handler would."""
    with tenant_session(tenant_id) as session:
        booking.book(session, *booked_for(tenant_id, delivery, number))


def sums(tenant_id: UUID) -> tuple[dict[tuple[object, ...], int], int]:
    """Return what the ledger adds up to."""
    with tenant_session(tenant_id, read_only=True) as session:
        daily = {tuple(row[:4]): row[4] for row in session.execute(SUMS)}
        return daily, session.execute(NET).scalar_one()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(life=lives(), seed=st.integers(0, 2**32))
def test_the_database_ends_as_the_algebra_says(make_tenant: MakeTenant, life: Life, seed: int) -> None:
    tenant_id, order = make_tenant(), Random(seed)
    storm = [*life.deliveries, *order.choices(life.deliveries, k=3)]
    order.shuffle(storm)
    for number, delivery in enumerate(storm):
        deliver(tenant_id, delivery, number)

    assert sums(tenant_id) == (book_of(life, order).daily_sums(), life.net_cents)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(life=lives())
def test_deliveries_at_the_same_time_end_as_one_after_another(make_tenant: MakeTenant, life: Life) -> None:
    tenant_id = make_tenant()
    storm = [*life.deliveries, *life.deliveries]
    with ThreadPoolExecutor(8) as senders:
        list(senders.map(lambda numbered: deliver(tenant_id, numbered[1], numbered[0]), enumerate(storm)))

    assert sums(tenant_id) == (book_of(life, Random(0)).daily_sums(), life.net_cents)


def test_what_entries_are_named_by_does_not_depend_on_the_order_of_deliveries(
    make_tenant: MakeTenant,
) -> None:
    paid, refunded = (
        Delivery((_told(kind, cents),)) for kind, cents in (("captured", 10_000), ("refunded", 3_000))
    )
    named = []
    for order in ((paid, refunded), (refunded, paid)):
        tenant_id = make_tenant()
        for number, delivery in enumerate(order):
            deliver(tenant_id, delivery, number)
        with tenant_session(tenant_id, read_only=True) as session:
            named.append(session.execute(IDENTITIES).all())

    assert named[0] == named[1]


def test_a_payment_waits_for_one_that_is_linked_to_it_as_if_it_were_an_order(tenant: UUID) -> None:
    """Merchants write what they like where an order's number belongs, another payment's among it."""
    early, late = START, START + timedelta(hours=1)
    linked = Delivery((_paid("pi_1", early),), (OrderLink("pi_1", "pi_2"),))
    with ThreadPoolExecutor(1) as other:
        with tenant_session(tenant) as session:
            booking.book(session, *booked_for(tenant, linked, 1))
            second = other.submit(deliver, tenant, Delivery((_paid("pi_2", late),)), 2)
            while not second.done() and not session.execute(SOMEBODY_WAITS).scalar_one():
                pass
        second.result()

    with tenant_session(tenant, read_only=True) as session:
        assert session.execute(ORDERS).all() == [("pi_2", early)]


def _told(kind: Any, cents: int) -> Fact:
    return Fact("shopify", "shop", "1001", kind, f"{kind}-1", cents, "USD", START, START)


def _paid(payment_key: str, at: datetime) -> Fact:
    return Fact("stripe", "processor", payment_key, "captured", payment_key, 10_000, "USD", at, at)
