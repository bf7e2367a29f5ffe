"""What WooCommerce's snapshots tell of an order's money and origin."""

from datetime import UTC, datetime
from typing import Any

import pytest

from skeldir.domain.facts import CanonicalEvent, Hints, OrderLink
from skeldir.domain.refusals import Refusal
from skeldir.vendors import woocommerce
from tests.vendors.payloads import meta, woocommerce_order, woocommerce_refund

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PAID_AT = datetime(2026, 11, 20, 10, 0, 4, tzinfo=UTC)
UNPAID = {"date_paid": None, "date_paid_gmt": None}


def told(payload: object, topic: str = "order.updated") -> CanonicalEvent:
    """Map a payload of a topic."""
    return woocommerce.canonical_event(topic, payload, "digest", NOW)


def money(event: CanonicalEvent) -> list[tuple[str, str, int, str]]:
    """Return what an event tells beside the authorisation, in short."""
    facts = [fact for fact in event.facts if fact.kind != "authorised"]
    return [(fact.kind, fact.reference, fact.amount_cents, fact.currency) for fact in facts]


def test_a_paid_order_is_authorised_when_made_and_captured_when_paid() -> None:
    authorised, captured = told(woocommerce_order()).facts

    assert (authorised.kind, authorised.amount_cents) == ("authorised", 12999)
    assert authorised.effective_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert (captured.kind, captured.amount_cents, captured.effective_at) == ("captured", 12999, PAID_AT)
    assert captured.told_at == datetime(2026, 11, 20, 10, 0, 5, tzinfo=UTC)
    assert (captured.authority, captured.order_key) == ("shop", "727")


@pytest.mark.parametrize("topic", ["order.created", "order.updated", "order.restored", "order.refunded"])
def test_every_topic_tells_the_same_of_the_same_snapshot(topic: str) -> None:
    assert told(woocommerce_order(), topic).facts == told(woocommerce_order(), "order.completed").facts


@pytest.mark.parametrize("status", ["pending", "on-hold", "cancelled", "failed"])
def test_what_is_not_paid_is_only_authorised(status: str) -> None:
    assert money(told(woocommerce_order(status=status, **UNPAID))) == []


@pytest.mark.parametrize("status", ["processing", "completed", "refunded"])
def test_a_status_that_follows_payment_is_a_capture_without_its_date_too(status: str) -> None:
    assert money(told(woocommerce_order(status=status, **UNPAID))) == [("captured", "727", 12999, "USD")]


def test_an_order_on_hold_after_its_payment_stays_captured() -> None:
    assert money(told(woocommerce_order(status="on-hold"))) == [("captured", "727", 12999, "USD")]


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_a_void_order_shows_no_capture_and_no_refund(status: str) -> None:
    event = told(woocommerce_order(status=status, refunds=[woocommerce_refund()]))

    assert money(event) == []


def test_a_checkout_that_nobody_sent_off_tells_nothing() -> None:
    assert told(woocommerce_order(status="checkout-draft", **UNPAID)).facts == ()


def test_each_refund_is_a_fact_of_its_own_in_either_spelling() -> None:
    refunds = [woocommerce_refund(), {"id": 802, "amount": "20.50"}, woocommerce_refund(803, "-0.01")]

    assert money(told(woocommerce_order(refunds=refunds)))[1:] == [
        ("refunded", "801", 3000, "USD"),
        ("refunded", "802", 2050, "USD"),
        ("refunded", "803", 1, "USD"),
    ]


def test_the_status_refunded_invents_no_refund() -> None:
    """WooCommerce lists the refund of the balance itself, and made-up ones would be counted beside it."""
    assert money(told(woocommerce_order(status="refunded"))) == [("captured", "727", 12999, "USD")]


def test_without_a_status_the_topic_says_whether_the_order_is_paid() -> None:
    order = woocommerce_order(status=None, **UNPAID)

    assert money(told(order, "order.completed")) == [("captured", "727", 12999, "USD")]
    assert money(told(order, "order.updated")) == []
    assert money(told(order | {"status": "pending"}, "order.completed")) == []


def test_a_deleted_order_tells_no_money() -> None:
    event = told({"id": 727}, "order.deleted")

    assert (event.order_key, event.facts, event.payload) == ("727", (), {"id": 727})


@pytest.mark.parametrize(
    ("total", "currency", "cents"),
    [("10.5", "EUR", 1050), ("10.500", "EUR", 1050), ("1200", "JPY", 1200), ("1200.00", "JPY", 1200),
     ("1.234", "KWD", 1234), ("7", "USD", 700)],
)  # fmt: skip
def test_a_total_is_exact_whatever_decimals_the_shop_prints(total: str, currency: str, cents: int) -> None:
    assert money(told(woocommerce_order(total=total, currency=currency))) == [
        ("captured", "727", cents, currency)
    ]


def test_times_without_their_gmt_twin_must_name_their_zone() -> None:
    order = woocommerce_order(date_created="2026-11-20T05:00:00-05:00", date_created_gmt=None)
    assert told(order).facts[0].effective_at == datetime(2026, 11, 20, 10, tzinfo=UTC)

    with pytest.raises(Refusal) as refused:
        told(order | {"date_created": "2026-11-20T05:00:00"})
    assert (refused.value.reason_code, refused.value.field) == ("malformed_value", "date_created")


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"id": None}, "missing_required_field", "id"),
        ({"total": ""}, "missing_required_field", "total"),
        ({"currency": None}, "missing_required_field", "currency"),
        ({"date_created": None, "date_created_gmt": None}, "missing_required_field", "date_created_gmt"),
        ({"id": {"nested": 1}}, "malformed_value", "id"),
        ({"total": "abc"}, "malformed_value", "total"),
        ({"total": "10.505"}, "malformed_value", "total"),
        ({"total": 10.5}, "malformed_value", "total"),
        ({"total": "-1.00"}, "amount_out_of_range", "total"),
        ({"currency": "ZZZ"}, "currency_unknown", "currency"),
        ({"status": 7}, "malformed_value", "status"),
        ({"date_created_gmt": "yesterday"}, "malformed_value", "date_created_gmt"),
        ({"date_modified_gmt": 5}, "malformed_value", "date_modified_gmt"),
        ({"date_paid_gmt": "2026-13-01T00:00:00"}, "malformed_value", "date_paid_gmt"),
        ({"refunds": "none"}, "malformed_value", "refunds"),
        ({"refunds": [{"id": 1}]}, "missing_required_field", "refunds.0.total"),
        ({"refunds": [{"total": "-1"}]}, "missing_required_field", "refunds.0.id"),
        ({"refunds": [{"id": 1, "total": "--1"}]}, "amount_out_of_range", "refunds.0.total"),
        ({"refunds": [{"id": 1, "total": -1.5}]}, "malformed_value", "refunds.0.total"),
    ],
)
def test_what_is_wrong_with_an_order_is_named(changes: dict[str, Any], reason: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        told(woocommerce_order(**changes))

    assert (refused.value.reason_code, refused.value.field) == (reason, field)


@pytest.mark.parametrize("topic", ["product.updated", "action.woocommerce_add_to_cart", "order.shipped"])
def test_a_topic_that_means_nothing_here_is_named(topic: str) -> None:
    with pytest.raises(Refusal) as refused:
        told(woocommerce_order(), topic)

    assert (refused.value.reason_code, refused.value.field) == (
        "unknown_provider_event",
        "X-WC-Webhook-Topic",
    )
    assert woocommerce.stored_payload(topic, woocommerce_order()) == {"id": 727}


def test_meta_data_gives_hints_and_the_shops_own_words_come_first() -> None:
    labels = meta(
        _wc_order_attribution_utm_source="google",
        _wc_order_attribution_utm_medium="cpc",
        _wc_order_attribution_utm_campaign="spring",
        utm_source="newsletter",
        skeldir_session_id="s-1",
        skeldir_journey_id="j-1",
        gift_note="for Jane",
        _wc_order_attribution_user_agent={"nested": "Mozilla/5.0"},
    )

    assert told(woocommerce_order(meta_data=labels)).hints == Hints(
        "newsletter", "cpc", "spring", session_id="s-1", journey_id="j-1"
    )


@pytest.mark.parametrize(
    ("transaction_id", "keys"),
    [
        ("ch_3PqX", ["ch_3PqX"]),
        ("pi_3PqX", ["pi_3PqX"]),
        ("8AB12345CD678901E", ["8AB12345CD678901E"]),
        ("1001", []),
        ("12345678901234567", []),
        ("tr_WDqYK6vllg", []),
        ("jane@example.com", []),
        ("", []),
        (None, []),
        (17, []),
    ],
)
def test_a_transaction_links_the_order_to_a_payment_if_it_names_one(
    transaction_id: object, keys: list[str]
) -> None:
    event = told(woocommerce_order(transaction_id=transaction_id))

    assert event.links == tuple(OrderLink(key, "727") for key in keys)


def test_the_intent_that_stripes_plugins_note_is_linked_too() -> None:
    event = told(woocommerce_order(transaction_id="ch_1", meta_data=meta(_stripe_intent_id="pi_1")))

    assert event.links == (OrderLink("ch_1", "727"), OrderLink("pi_1", "727"))


def test_what_is_kept_reads_as_what_was_sent() -> None:
    order = woocommerce_order(
        refunds=[woocommerce_refund()],
        transaction_id="ch_1",
        meta_data=meta(_wc_order_attribution_utm_source="google", journey_id="j-1", note="x"),
    )
    kept = woocommerce.stored_payload("order.updated", order)

    assert told(kept) == told(order)
    assert kept["meta_data"] == [
        {"key": "_wc_order_attribution_utm_source", "value": "google"},
        {"key": "journey_id", "value": "j-1"},
    ]
    assert kept["refunds"] == [{"id": 801, "total": "-30.00"}]
    assert set(kept).isdisjoint({"order_key", "billing", "customer_note", "payment_url"})
