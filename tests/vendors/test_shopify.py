"""What Shopify's webhooks tell of an order's money and origin."""

from datetime import UTC, datetime
from typing import Any

import pytest

from skeldir.domain.facts import CanonicalEvent, Hints, OrderLink
from skeldir.domain.refusals import Refusal
from skeldir.vendors import shopify
from tests.vendors.payloads import attributes, shopify_checkout, shopify_order, shopify_refund

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def told(topic: str, payload: object) -> CanonicalEvent:
    """Map a payload of a topic."""
    return shopify.canonical_event(topic, payload, "e-1", NOW)


def money(event: CanonicalEvent) -> list[tuple[str, str, int, str]]:
    """Return what an event tells, in short."""
    return [(fact.kind, fact.reference, fact.amount_cents, fact.currency) for fact in event.facts]


def test_an_order_created_unpaid_is_only_authorised() -> None:
    event = told("orders/create", shopify_order(financial_status="pending"))

    assert money(event) == [("authorised", "1234567890", 12999, "USD")]
    assert event.order_key == "1234567890"


def test_an_order_created_already_paid_is_captured_too() -> None:
    assert money(told("orders/create", shopify_order())) == [
        ("authorised", "1234567890", 12999, "USD"),
        ("captured", "1234567890", 12999, "USD"),
    ]


def test_creation_and_payment_tell_the_same_capture() -> None:
    created, paid = told("orders/create", shopify_order()), told("orders/paid", shopify_order())

    assert created.facts == paid.facts


def test_an_order_that_says_it_is_unpaid_is_not_captured_by_an_unsigned_topic() -> None:
    with pytest.raises(Refusal) as refused:
        told("orders/paid", shopify_order(financial_status="pending"))

    assert (refused.value.reason_code, refused.value.field) == ("malformed_value", "financial_status")


@pytest.mark.parametrize(
    ("price", "currency", "cents"),
    [
        ("100.00", "USD", 10000),
        ("0.99", "USD", 99),
        ("1234.56", "USD", 123456),
        ("1.1", "EUR", 110),
        ("1200", "JPY", 1200),
    ],
)
def test_a_price_is_booked_in_its_currencys_minor_units(price: str, currency: str, cents: int) -> None:
    event = told("orders/paid", shopify_order(total_price=price, currency=currency))

    assert {fact.amount_cents for fact in event.facts} == {cents}


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"id": None}, "missing_required_field", "id"),
        ({"total_price": ""}, "missing_required_field", "total_price"),
        ({"total_price": "abc.def"}, "malformed_value", "total_price"),
        ({"total_price": "129.999"}, "malformed_value", "total_price"),
        ({"total_price": 129.99}, "malformed_value", "total_price"),
        ({"total_price": "-1.00"}, "amount_out_of_range", "total_price"),
        ({"currency": None}, "missing_required_field", "currency"),
        ({"currency": "ZZZ"}, "currency_unknown", "currency"),
        ({"created_at": None}, "missing_required_field", "created_at"),
        ({"created_at": "yesterday"}, "malformed_value", "created_at"),
        ({"created_at": "2026-11-20T10:00:00"}, "malformed_value", "created_at"),
        ({"created_at": "9999-12-31T23:59:59-23:59"}, "malformed_value", "created_at"),
        ({"id": {"nested": 1}}, "malformed_value", "id"),
        ({"id": "jane@example.com"}, "malformed_value", "id"),
        ({"financial_status": 7}, "malformed_value", "financial_status"),
    ],
)
def test_what_is_wrong_with_an_order_is_named(changes: dict[str, Any], reason: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        told("orders/paid", shopify_order(**changes))

    assert (refused.value.reason_code, refused.value.field) == (reason, field)


def test_a_refund_is_the_sum_of_its_successful_refund_transactions() -> None:
    def transaction(kind: str, status: str, amount: str, currency: str = "USD") -> dict[str, str]:
        return {"kind": kind, "status": status, "amount": amount, "currency": currency}

    event = told(
        "refunds/create",
        shopify_refund(
            transactions=[
                transaction("refund", "success", "10.00"),
                transaction("refund", "success", "5.50"),
                transaction("refund", "success", "4.00", "EUR"),
                transaction("refund", "failure", "99.00"),
                transaction("void", "success", "99.00"),
            ]
        ),
    )

    assert money(event) == [("refunded", "555", 400, "EUR"), ("refunded", "555", 1550, "USD")]


def test_parts_that_add_up_to_more_than_any_order_are_out_of_range() -> None:
    part = {"kind": "refund", "status": "success", "amount": "999999999999.99", "currency": "USD"}
    with pytest.raises(Refusal) as refused:
        told("refunds/create", shopify_refund(transactions=[part, part]))

    assert refused.value.reason_code == "amount_out_of_range"


def test_a_refund_that_moved_no_money_tells_nothing() -> None:
    assert told("refunds/create", shopify_refund(transactions=[])).facts == ()


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"order_id": None}, "missing_required_field", "order_id"),
        ({"created_at": None}, "missing_required_field", "created_at"),
        ({"transactions": None}, "missing_required_field", "transactions"),
        ({"transactions": [1]}, "malformed_value", "transactions"),
        ({"transactions": [{"kind": "refund", "amount": "1"}]}, "missing_required_field", "currency"),
        (
            {"transactions": [{"kind": "refund", "amount": "x", "currency": "USD"}]},
            "malformed_value",
            "transactions.0.amount",
        ),
    ],
)
def test_what_is_wrong_with_a_refund_is_named(changes: dict[str, Any], reason: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        told("refunds/create", shopify_refund(**changes))

    assert (refused.value.reason_code, refused.value.field) == (reason, field)


def test_a_checkout_is_recorded_without_the_key_to_it() -> None:
    event = told("checkouts/update", shopify_checkout(note_attributes=attributes(utm_source="google")))

    assert event.facts == ()
    assert event.payload == {
        "id": 42,
        "token": [],
        "total_price": "10.00",
        "currency": "USD",
        "created_at": "2026-11-20T09:00:00Z",
        "updated_at": "2026-11-20T09:10:00Z",
        "note_attributes": [{"name": "utm_source", "value": "google"}],
    }


def test_cart_attributes_give_hints_and_the_payments_link() -> None:
    labels = attributes(
        utm_source="google",
        utm_medium="cpc",
        utm_campaign="black-friday",
        session_id="other",
        skeldir_session_id="s-1",
        skeldir_journey_id="j-1",
        payment_intent="pi_9",
        gift_note="for Jane",
    )

    event = told("orders/create", shopify_order(note_attributes=labels))

    assert event.hints == Hints("google", "cpc", "black-friday", "s-1", "j-1")
    assert event.links == (OrderLink("pi_9", "1234567890"),)


def test_a_hint_that_is_personal_is_dropped() -> None:
    labels = attributes(
        utm_source="jane@example.com", utm_medium="email", skeldir_journey_id="+1 415 555 2671"
    )

    event = told("orders/create", shopify_order(note_attributes=labels))

    assert event.hints == Hints(utm_medium="email")


def test_only_what_the_table_names_is_kept() -> None:
    assert shopify.stored_payload("orders/paid", shopify_order(note_attributes=attributes(gift="x"))) == {
        "id": 1234567890,
        "total_price": "129.99",
        "currency": "USD",
        "created_at": "2026-11-20T10:00:00+00:00",
        "updated_at": "2026-11-20T10:00:05+00:00",
        "financial_status": "paid",
    }


def test_an_unknown_topic_is_named_as_such() -> None:
    with pytest.raises(Refusal) as refused:
        told("orders/edited", shopify_order())

    assert refused.value.reason_code == "unknown_provider_event"
    assert shopify.stored_payload("orders/edited", shopify_order()) == {"id": 1234567890}
