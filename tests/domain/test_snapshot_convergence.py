"""Snapshots converge: in whatever order an order's states arrive, the ledger ends at the last of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from skeldir.domain.facts import Fact, OrderLink
from skeldir.vendors import woocommerce
from tests.domain.test_ledger_convergence import START, Delivery, Life, book_of

PAID = {"processing", "completed", "on-hold"}
States = list[tuple[str, int, int]]  # status, total, what the next refund gives back


@st.composite
def snapshots(draw: st.DrawFn) -> Life:
    """Make an order that is edited, paid, refunded and voided, each state delivered by a webhook."""
    statuses = st.sampled_from(["pending", "failed", "processing", "on-hold", "completed", "cancelled"])
    states: States = draw(
        st.lists(st.tuples(statuses, st.integers(500, 900), st.integers(0, 90)), min_size=1, max_size=5)
    )
    refunds: list[dict[str, Any]] = []
    paid_at = net_cents = 0
    deliveries = []
    for number, (status, cents, refunded) in enumerate(states):
        second = number + 1
        if status in PAID - {"on-hold"}:
            paid_at = paid_at or second
        if paid_at and status in PAID and refunded:
            refunds = [*refunds, {"id": 800 + number, "total": f"-0.{refunded:02}"}]
        refunded_cents = sum(int(refund["total"][3:]) for refund in refunds)
        net_cents = cents - refunded_cents if paid_at and status in {*PAID, "pending"} else 0
        deliveries.append(_delivery(status, cents, refunds, paid_at, second))
    if draw(st.booleans()):  # the processor tells the one payment too, and the last state agrees with it
        net_cents = _told_by_processor(deliveries, states[-1][1], refunds)
    return Life(tuple(deliveries), net_cents)


def _delivery(status: str, cents: int, refunds: list[dict[str, Any]], paid_at: int, second: int) -> Delivery:
    def at(seconds: int) -> str:
        return (START + timedelta(hours=seconds)).strftime("%Y-%m-%dT%H:%M:%S")

    order = {
        "id": 1001,
        "status": status,
        "currency": "USD",
        "total": f"{cents // 100}.{cents % 100:02}",
        "date_created_gmt": at(0),
        "date_modified_gmt": at(second),
        "date_paid_gmt": at(paid_at) if paid_at else None,
        "refunds": refunds,
    }
    event = woocommerce.canonical_event("order.updated", order, str(second), datetime.now(UTC))
    return Delivery(event.facts)


def _told_by_processor(deliveries: list[Delivery], cents: int, refunds: list[dict[str, Any]]) -> int:
    """Add the processor's words on the last state; returns the net, in which its word is the last."""

    def fact(kind: Any, reference: str, amount: int, hours: int) -> Fact:
        when = START + timedelta(hours=hours)
        return Fact(
            "stripe", "processor", "pi_1", kind, reference, amount, "USD", when, when, kind == "refunded"
        )

    link = OrderLink("pi_1", "1001")
    deliveries[0] = replace(deliveries[0], links=(link,))
    deliveries.append(Delivery((fact("captured", "pi_1", cents, 1),)))
    refunded_cents = 0
    for refund in refunds:
        refunded_cents += int(refund["total"][3:])
        deliveries.append(Delivery((fact("refunded", "ch_1", refunded_cents, 50 + refund["id"]),)))
    return cents - refunded_cents


@settings(max_examples=300, deadline=None)
@given(life=snapshots(), seeds=st.lists(st.integers(0, 2**32), min_size=3, max_size=3, unique=True))
def test_any_order_of_snapshots_ends_in_the_last_state(life: Life, seeds: list[int]) -> None:
    books = [book_of(life, Random(seed)) for seed in seeds]

    assert books[0].daily_sums() == books[1].daily_sums() == books[2].daily_sums()
    assert {book.net_cents() for book in books} == {life.net_cents}
