"""What Stripe's events tell of a payment."""

import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skeldir.domain.facts import CanonicalEvent, Hints, OrderLink
from skeldir.domain.refusals import Refusal
from skeldir.vendors import shopify, stripe, woocommerce
from tests.vendors.payloads import (
    CREATED,
    PERSONAL,
    UNIX,
    charge,
    payment_intent,
    shopify_order,
    stripe_event,
    woocommerce_order,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def told(kind: str, obj: dict[str, Any], **changes: Any) -> CanonicalEvent:
    """Map an event of a kind."""
    return stripe.canonical_event(stripe_event(kind, obj, **changes))


def money(event: CanonicalEvent) -> list[tuple[str, str, int, str]]:
    """Return what an event tells, in short."""
    return [(fact.kind, fact.reference, fact.amount_cents, fact.currency) for fact in event.facts]


def test_a_charge_that_succeeded_is_captured_when_it_was_made() -> None:
    event = told("charge.succeeded", charge(created=1609459200))

    assert money(event) == [("captured", "ch_1", 10000, "USD")]
    assert event.facts[0].effective_at == datetime(2021, 1, 1, tzinfo=UTC)
    assert event.order_key == "ch_1"


def test_a_charge_and_its_payment_intent_tell_of_one_payment() -> None:
    by_charge = told("charge.succeeded", charge(payment_intent="pi_1"))
    by_intent = told("payment_intent.succeeded", payment_intent())

    assert money(by_charge) == money(by_intent) == [("captured", "pi_1", 10000, "USD")]
    assert by_charge.order_key == by_intent.order_key == "pi_1"
    assert by_intent.facts[0].effective_at == CREATED


def test_a_charge_that_is_not_captured_only_authorises() -> None:
    assert money(told("charge.succeeded", charge(captured=False, amount_captured=0))) == [
        ("authorised", "ch_1", 10000, "USD")
    ]


def test_a_partial_capture_counts_what_was_received() -> None:
    assert money(told("payment_intent.succeeded", payment_intent(amount_received=7000))) == [
        ("captured", "pi_1", 7000, "USD")
    ]


def test_a_refund_is_told_as_the_charges_total_so_far() -> None:
    event = told("charge.refunded", charge(amount_refunded=3000, payment_intent="pi_1"), created=UNIX + 60)

    assert money(event) == [("refunded", "ch_1", 3000, "USD")]
    assert event.facts[0].cumulative
    assert event.facts[0].effective_at.timestamp() == UNIX + 60


def test_a_released_authorisation_is_no_refund() -> None:
    assert told("charge.refunded", charge(captured=False, amount_refunded=10000)).facts == ()


def test_amounts_of_stripes_own_exponents_become_iso_minor_units() -> None:
    for code, amount, cents in (("jpy", 500, 500), ("isk", 500, 5), ("ugx", 700, 7)):
        event = told("charge.succeeded", charge(amount=amount, amount_captured=amount, currency=code))
        assert money(event) == [("captured", "ch_1", cents, code.upper())]


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"currency": None}, "missing_required_field", "data.object.currency"),
        ({"currency": "zzz"}, "currency_unknown", "data.object.currency"),
        ({"id": None}, "missing_required_field", "data.object.id"),
        ({"amount": None}, "missing_required_field", "data.object.amount"),
        ({"amount": "100", "amount_captured": None}, "malformed_value", "data.object.amount"),
        ({"amount": -1, "amount_captured": None}, "amount_out_of_range", "data.object.amount"),
        ({"amount": 10**18, "amount_captured": None}, "amount_out_of_range", "data.object.amount"),
        ({"created": None}, "missing_required_field", "data.object.created"),
        ({"created": "now"}, "malformed_value", "data.object.created"),
        ({"created": 10**12}, "malformed_value", "data.object.created"),
        ({"status": "failed"}, "malformed_value", "data.object.status"),
        ({"captured": "yes"}, "malformed_value", "data.object.captured"),
        ({"payment_intent": {"id": "pi_1"}}, "malformed_value", "data.object.payment_intent"),
    ],
)
def test_what_is_wrong_with_a_charge_is_named(changes: dict[str, Any], reason: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        told("charge.succeeded", charge(**changes))

    assert (refused.value.reason_code, refused.value.field) == (reason, field)


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"id": None}, "missing_required_field", "id"),
        ({"type": None}, "missing_required_field", "type"),
        ({"created": None}, "missing_required_field", "created"),
        ({"data": None}, "missing_required_field", "data.object.amount"),
        ({"data": []}, "malformed_value", "data.object.amount"),
        ({"type": "customer.created"}, "unknown_provider_event", "type"),
    ],
)
def test_what_is_wrong_with_an_event_is_named(changes: dict[str, Any], reason: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        told("charge.succeeded", charge(), **changes)

    assert (refused.value.reason_code, refused.value.field) == (reason, field)


def test_metadata_gives_hints_and_the_orders_link() -> None:
    labels = {
        "order_id": "1001",
        "utm_source": "google",
        "utm_medium": "cpc",
        "journey_id": "j-1",
        "gift": "x",
    }

    event = told("charge.succeeded", charge(metadata=labels))

    assert event.hints == Hints("google", "cpc", journey_id="j-1")
    assert event.links == (OrderLink("ch_1", "1001"),)


def test_a_reference_that_is_personal_links_nothing() -> None:
    event = told("charge.succeeded", charge(metadata={"order_id": PERSONAL[0], "journey_id": PERSONAL[1]}))

    assert event.links == ()
    assert event.hints == Hints()


def test_null_personal_keys_are_fine_and_none_is_kept() -> None:
    event = told("charge.succeeded", charge(receipt_email=None))

    assert "receipt_email" not in json.dumps(event.payload)
    assert event.facts


@pytest.mark.parametrize("planted", PERSONAL[:4])
def test_detectable_personal_values_are_kept_at_no_position(planted: str) -> None:
    labels = [{"name": "utm_source", "value": "x"}]
    events = (
        (stripe.stored_payload, "charge.succeeded", stripe_event("charge.succeeded", charge())),
        (shopify.stored_payload, "orders/paid", shopify_order(note_attributes=labels)),
        (woocommerce.stored_payload, "order.updated", woocommerce_order()),
    )
    kept = [
        json.dumps(stored(topic, changed))
        for stored, topic, payload in events
        for changed in _planted(payload, planted)
    ]

    assert len(kept) > 40
    assert not any(planted in text for text in kept)


@pytest.mark.parametrize(
    "order_id", ["80745a50-0498-4422-9041-326151776e0b", "00316084-5920-43db-916f-6722cefeaf44"]
)
def test_an_order_named_by_a_uuid_is_linked_whatever_its_digits_look_like(order_id: str) -> None:
    event = stripe.canonical_event(stripe_event("charge.succeeded", charge(metadata={"order_id": order_id})))

    assert event.links == (OrderLink("ch_1", order_id),)


@given(payload=JSON)
def test_no_payload_fails_otherwise_than_by_a_refusal(payload: object) -> None:
    wrapped = {"id": "evt_1", "type": "charge.refunded", "created": 1, "data": {"object": payload}}
    for candidate in (payload, wrapped):
        stripe.stored_payload("charge.succeeded", candidate)
        shopify.stored_payload("refunds/create", candidate)
        woocommerce.stored_payload("order.updated", candidate)
        for read in (
            partial(stripe.canonical_event, candidate),
            partial(shopify.canonical_event, "orders/paid", candidate, "e", CREATED),
            partial(woocommerce.canonical_event, "order.updated", candidate, "e", CREATED),
        ):
            with pytest.raises(Refusal):
                read()


def _planted(value: Any, planted: str) -> list[Any]:
    """Return copies of a payload, each with the value planted at another position."""
    if isinstance(value, dict):
        return [
            planted,
            *({**value, key: copy} for key, item in value.items() for copy in _planted(item, planted)),
        ]
    if isinstance(value, list):
        return [
            planted,
            *(
                [*value[:at], copy, *value[at + 1 :]]
                for at, item in enumerate(value)
                for copy in _planted(item, planted)
            ),
        ]
    return [planted]
