"""What is kept of a payload is read as the payload itself was: for better, and never for worse."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skeldir.domain.facts import CanonicalEvent
from skeldir.domain.refusals import Refusal
from skeldir.vendors import shopify, stripe
from skeldir.vendors.fields import ITEMS_MAX
from skeldir.vendors.kept import Kept, read_again
from tests.vendors.payloads import (
    CREATED,
    PERSONAL,
    charge,
    payment_intent,
    shopify_checkout,
    shopify_order,
    shopify_refund,
    stripe_event,
)

PAYLOADS: dict[tuple[str, str], dict[str, Any]] = {
    ("shopify", "orders/paid"): shopify_order(),
    ("shopify", "refunds/create"): shopify_refund(),
    ("shopify", "checkouts/update"): shopify_checkout(),
    ("stripe", "charge.succeeded"): stripe_event("charge.succeeded", charge()),
    ("stripe", "charge.refunded"): stripe_event("charge.refunded", charge(amount_refunded=500)),
    ("stripe", "payment_intent.succeeded"): stripe_event("payment_intent.succeeded", payment_intent()),
}
WRONG = st.sampled_from(
    [
        None,
        "",
        " ",
        " paid ",
        "x",
        0,
        1,
        -5,
        10**18,
        12.5,
        1e300,
        True,
        False,
        [],
        {},
        [1],
        {"a": 1},
        *PERSONAL,
    ]
)


def paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return where values stand in a payload."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [place for key, item in inside for place in paths(item, (*path, key))]
    return ([path] if path else []) + found


@st.composite
def broken(draw: st.DrawFn) -> tuple[str, str, Any]:
    """Draw a payload in which up to two values are replaced or missing."""
    vendor, topic = draw(st.sampled_from(sorted(PAYLOADS)))
    payload = deepcopy(PAYLOADS[vendor, topic])
    for _ in range(draw(st.integers(1, 2))):
        *parents, last = draw(st.sampled_from(paths(payload)))
        holder: Any = payload
        for key in parents:
            holder = holder[key]
        if isinstance(holder, dict) and draw(st.booleans()):
            del holder[last]
        else:
            holder[last] = deepcopy(draw(WRONG))
    return vendor, topic, payload


def said(read: Callable[[], CanonicalEvent]) -> CanonicalEvent | tuple[str | None]:
    """Return the event, or the field at fault."""
    try:
        return read()
    except Refusal as refusal:
        return (refusal.field,)


def at_first(vendor: str, topic: str, payload: Any) -> CanonicalEvent:
    if vendor == "shopify":
        return shopify.canonical_event(topic, payload, "e", CREATED)
    return stripe.canonical_event(payload)


def kept(vendor: str, topic: str, payload: Any) -> dict[str, object]:
    stored = shopify.stored_payload if vendor == "shopify" else stripe.stored_payload
    return stored(topic, payload)


def again(vendor: str, topic: str, stored: dict[str, object]) -> CanonicalEvent:
    return read_again(Kept(vendor, topic, stored, "e", CREATED))


@settings(max_examples=600)
@given(broken())
def test_what_is_kept_of_a_payload_says_what_the_payload_said(drawn: tuple[str, str, Any]) -> None:
    """A refused payload is not taken when its remains are read again, nor is a good one read differently."""
    vendor, topic, payload = drawn
    if vendor == "stripe" and payload.get("type") != topic:
        return  # of a topic that nobody can read nothing but the envelope is kept

    stored = kept(vendor, topic, payload)

    assert said(lambda: again(vendor, topic, stored)) == said(lambda: at_first(vendor, topic, payload))
    assert kept(vendor, topic, stored) == stored


@pytest.mark.parametrize("wrong", ["EURO", "jane.doe@example.com", 978, None])
def test_a_bad_field_costs_no_other_field_that_is_mapped(wrong: object) -> None:
    good = shopify.stored_payload("orders/paid", shopify_order())

    stored = shopify.stored_payload("orders/paid", shopify_order(currency=wrong))

    assert {name: value for name, value in stored.items() if name != "currency"} == {
        name: value for name, value in good.items() if name != "currency"
    }
    assert not any(personal in str(stored) for personal in PERSONAL)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [("charge.succeeded", {"captured": 0}), ("charge.succeeded", {"status": ["failed"]})],
)
def test_a_bad_optional_value_is_not_read_as_if_it_had_been_absent(
    kind: str, changes: dict[str, Any]
) -> None:
    stored = stripe.stored_payload(kind, stripe_event(kind, charge(**changes)))

    with pytest.raises(Refusal):
        stripe.canonical_event(stored)


def test_a_list_that_is_kept_in_part_only_is_not_read_as_if_it_were_whole() -> None:
    """Nor is it read when it comes: what would be booked then could never be replayed."""
    transaction = {"id": 1, "kind": "refund", "status": "success", "amount": "1.00", "currency": "USD"}
    refund = shopify_refund(transactions=[transaction] * (ITEMS_MAX + 1))

    for payload in (refund, shopify.stored_payload("refunds/create", refund)):
        with pytest.raises(Refusal, match="malformed_value: transactions"):
            again("shopify", "refunds/create", payload)


def test_a_checkouts_token_is_needed_and_not_kept() -> None:
    stored = shopify.stored_payload("checkouts/update", shopify_checkout())

    assert "c0ffee42c0ffee42" not in str(stored)
    assert again("shopify", "checkouts/update", stored).topic == "checkouts/update"


def test_a_customers_redaction_under_the_shops_topic_leaves_nothing_that_ends_the_shop() -> None:
    """The topic is not signed: a replay of what was refused must not erase everybody."""
    for name in ("customer", "orders_to_redact", "orders_requested"):
        told = {"shop_id": 1, "shop_domain": "a.example", name: [1]}

        assert shopify.stored_payload("shop/redact", told) == {}
