"""An order's time and journey follow from all that is told of it, in whatever order."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

from skeldir.domain.facts import CanonicalEvent, Fact, Hints
from skeldir.domain.orders import Order, OrderHint, Origin, hint_of, settle

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def fact(kind: Any, hours: int) -> Fact:
    """Tell a fact that many hours after noon."""
    when = NOON + timedelta(hours=hours)
    return Fact("shopify", "shop", "1001", kind, "r", 100, "USD", when, when)


def event(hints: Hints) -> CanonicalEvent:
    """Return an event that brings hints."""
    return CanonicalEvent("stripe", "processor", "t", "e", NOON, {}, order_key="pi_1", hints=hints)


def test_an_order_was_placed_when_money_first_moved() -> None:
    facts = [fact("refunded", -5), fact("captured", 2), fact("authorised", 1)]

    assert settle("1001", facts, []).ordered_at == NOON + timedelta(hours=1)


def test_a_refund_alone_stands_in_for_the_orders_time() -> None:
    assert settle("1001", [fact("refunded", 5)], []).ordered_at == NOON + timedelta(hours=5)


def test_what_is_told_first_wins_whatever_its_place() -> None:
    hints = [
        OrderHint("pi_1", NOON - timedelta(days=1), origin=Origin("google", "cpc")),
        OrderHint("1001", NOON + timedelta(hours=1), "j-late", Origin("tiktok", "cpc")),
        OrderHint("1001", NOON, "j-early"),
        OrderHint("1001", NOON, "j-equal"),
    ]

    orders = {settle("1001", [fact("captured", 0)], order) for order in permutations(hints)}

    assert orders == {Order("1001", "j-early", NOON, Origin("google", "cpc"))}


def test_an_order_of_which_nobody_names_the_journey_has_one_of_its_own() -> None:
    assert settle("1001", [fact("captured", 0)], []) == Order("1001", "order:1001", NOON)


def test_a_journey_is_preferred_to_a_session_and_a_bare_origin_is_a_hint_too() -> None:
    assert hint_of(event(Hints(journey_id="j", session_id="s"))) == OrderHint("pi_1", NOON, "j")
    assert hint_of(event(Hints(session_id="s"))) == OrderHint("pi_1", NOON, "s")
    assert hint_of(event(Hints(utm_source="google"))) == OrderHint("pi_1", NOON, None, Origin("google", None))
    assert hint_of(event(Hints())) is None


def test_a_placeholder_names_no_journey() -> None:
    """All strangers of a front end without pseudonyms are not one person."""
    for placeholder in ("undefined", "NULL", " none ", "[object Object]"):
        assert Hints(journey_id=placeholder, session_id="s").journey == "s"
        assert Hints(journey_id=placeholder).journey is None
