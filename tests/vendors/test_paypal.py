"""What PayPal's events tell, whatever stands in them."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skeldir.domain.refusals import Refusal
from skeldir.vendors import paypal
from tests.vendors.payloads import PERSONAL
from tests.vendors.paypal_payloads import captured, disputed, given_back, sale_given_back, sold

LABELS = json.dumps({"order_id": 7, "utm_source": "google", "journey_id": "j-1", "gift": "x"})
EVENTS = (
    captured(custom_id=LABELS, invoice_id="INV-7"),
    sold(custom=LABELS),
    given_back("30.00", 1, "WH-2"),
    given_back("30.00", 1, "WH-2", "REVERSED"),
    sale_given_back("-30.00", 1, "WH-2"),
    disputed("CREATED", 1),
    disputed("RESOLVED", 2, outcome="RESOLVED_SELLER_FAVOUR"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


def replaced(value: Any, planted: Any) -> list[Any]:
    """Return copies of a payload, each with another value planted at another position."""
    if isinstance(value, dict):
        return [planted, *({**value, key: copy} for key in value for copy in replaced(value[key], planted))]
    if isinstance(value, list):
        return [planted, *([copy] for item in value for copy in replaced(item, planted))]
    return [planted]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["event_type"])
def test_what_is_kept_of_an_event_tells_the_same_again(event: dict[str, Any]) -> None:
    told = paypal.canonical_event(event)

    assert paypal.canonical_event(told.payload) == told


@settings(max_examples=30, deadline=None)
@example(planted=[])
@example(planted={})
@given(planted=JSON)
def test_nothing_at_any_position_fails_otherwise_than_by_a_refusal(planted: object) -> None:
    for event in EVENTS:
        for payload in replaced(event, planted):
            paypal.stored_payload(event["event_type"], payload)
            with suppress(Refusal):
                paypal.canonical_event(payload)


@pytest.mark.parametrize("planted", PERSONAL[:4])
def test_detectable_personal_values_are_kept_at_no_position(planted: str) -> None:
    kept = [
        json.dumps(paypal.stored_payload(event["event_type"], payload))
        for event in EVENTS
        for payload in replaced(event, planted)
    ]

    assert len(kept) > 100
    assert not any(planted in text for text in kept)
