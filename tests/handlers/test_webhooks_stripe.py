"""Stripe's webhooks on the wire, alone and together with a shop's."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from handlers.webhooks import intake
from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop, receipt
from tests.vendors.payloads import (
    PERSONAL,
    UNIX,
    attributes,
    charge,
    payment_intent,
    shopify_order,
    shopify_refund,
    stripe_event,
)

DAY = 86_400


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def shop(api: Api) -> Shop:
    return open_shop(api)


def succeeded(event_id: str = "evt_1", **changes: Any) -> dict[str, Any]:
    """Return a charge that succeeded."""
    return stripe_event("charge.succeeded", charge(**changes), event_id)


def refunded(total_cents: int, day: int, event_id: str, **changes: Any) -> dict[str, Any]:
    """Return a charge of which so much is refunded by that day."""
    obj = charge(amount_refunded=total_cents, refunded=total_cents == 10000, **changes)
    return stripe_event("charge.refunded", obj, event_id, created=UNIX + day * DAY)


def test_a_charge_is_booked_under_its_own_key_while_nothing_links_it(shop: Shop) -> None:
    with receipt(shop.stripe(succeeded())) as told:
        assert told["outcome"] == "booked"

    assert shop.entries() == [("ch_1", "captured", 10000, "USD", "2026-11-20")]


def test_a_charge_and_its_payment_intent_are_one_capture_in_either_order(shop: Shop, api: Api) -> None:
    by_charge = succeeded("evt_1", payment_intent="pi_1")
    by_intent = stripe_event("payment_intent.succeeded", payment_intent(), "evt_2", created=UNIX + 3)
    other = open_shop(api)
    for event in (by_charge, by_intent):
        shop.stripe(event)
    for event in (by_intent, by_charge):
        other.stripe(event)

    assert shop.net() == other.net() == {"USD": 10000}
    assert shop.entries() == [("pi_1", "captured", 10000, "USD", "2026-11-20")]


def test_cumulative_refunds_are_booked_as_what_each_added_in_any_order(api: Api) -> None:
    events = [
        succeeded(),
        refunded(3000, 1, "evt_2"),
        refunded(5000, 2, "evt_3"),
        refunded(10000, 3, "evt_4"),
    ]
    ends = set()
    for order in list(permutations(events))[::5]:
        shop = open_shop(api)
        for event in (*order, order[0]):
            shop.stripe(event)
        sums = shop.rows("""
            SELECT kind, CAST(effective_at AS date)::text, sum(amount_cents)::int FROM ledger_entries
             GROUP BY 1, 2 HAVING sum(amount_cents) <> 0 ORDER BY 2
        """)
        ends.add(tuple(sums))
        assert shop.net() == {"USD": 0}

    assert ends == {
        (
            ("captured", "2026-11-20", 10000),
            ("refunded", "2026-11-21", 3000),
            ("refunded", "2026-11-22", 2000),
            ("refunded", "2026-11-23", 5000),
        )
    }


def test_a_partial_refund_takes_back_its_part_and_never_the_whole(shop: Shop) -> None:
    shop.stripe(succeeded())
    shop.stripe(refunded(3000, 1, "evt_2"))
    shop.stripe(refunded(3000, 1, "evt_2"))

    assert shop.entries()[1:] == [("ch_1", "refunded", 3000, "USD", "2026-11-21")]
    assert shop.net() == {"USD": 7000}


def test_an_authorisation_earns_nothing_until_it_is_captured(shop: Shop) -> None:
    shop.stripe(succeeded("evt_1", captured=False, amount_captured=0, payment_intent="pi_1"))
    assert shop.net() == {"USD": 0}

    intent = payment_intent(amount_received=7000)
    shop.stripe(stripe_event("payment_intent.succeeded", intent, "evt_2", created=UNIX + DAY))
    assert shop.entries() == [("pi_1", "captured", 7000, "USD", "2026-11-21")]


def test_shop_and_processor_tell_one_sale_and_the_processors_amount_wins(shop: Shop) -> None:
    shop.shopify("orders/paid", shopify_order(1001, total_price="100.00"))
    shop.stripe(succeeded(amount=9700, amount_captured=9700, metadata={"order_id": "1001"}))
    shop.shopify("refunds/create", shopify_refund(order_id=1001))
    shop.stripe(refunded(3000, 2, "evt_2", metadata={"order_id": "1001"}))

    assert shop.net() == {"USD": 6700}
    assert [entry[:3] for entry in shop.entries()] == [
        ("1001", "adjusted", -300),
        ("1001", "captured", 10000),
        ("1001", "refunded", 3000),
    ]


def test_a_late_link_moves_the_payments_entries_to_the_order_it_paid(shop: Shop) -> None:
    shop.stripe(succeeded(payment_intent="pi_9"))
    shop.shopify("orders/paid", shopify_order(1001, total_price="100.00"))
    assert shop.net() == {"USD": 20000}  # nothing says yet that they are one sale

    linked = shopify_order(1001, total_price="100.00", note_attributes=attributes(payment_intent="pi_9"))
    shop.shopify("orders/create", linked)

    assert shop.net() == {"USD": 10000}
    assert shop.rows("SELECT order_id, sum(effect_cents)::int FROM ledger_entries GROUP BY 1 ORDER BY 1") == [
        ("1001", 10000),
        ("pi_9", 0),
    ]


@pytest.mark.parametrize("stripe_first", [True, False])
def test_the_shops_word_on_what_a_payment_paid_beats_the_merchants_own_number(
    shop: Shop, *, stripe_first: bool
) -> None:
    paid = succeeded(payment_intent="pi_9", metadata={"order_id": "cart-55"})
    order = shopify_order(1001, total_price="100.00", note_attributes=attributes(payment_intent="pi_9"))
    for is_stripe in (stripe_first, not stripe_first):
        shop.stripe(paid) if is_stripe else shop.shopify("orders/paid", order)

    assert shop.net() == {"USD": 10000}
    assert shop.rows(
        "SELECT DISTINCT order_id FROM ledger_entries GROUP BY 1 HAVING sum(effect_cents) <> 0"
    ) == [("1001",)]


def test_deliveries_of_two_vendors_end_the_same_in_any_order(api: Api) -> None:
    deliveries = [
        ("orders/create", shopify_order(1001, total_price="100.00")),
        ("refunds/create", shopify_refund(order_id=1001)),
        (None, succeeded("evt_1", payment_intent="pi_1")),
        (None, refunded(3500, 2, "evt_2", payment_intent="pi_1", metadata={"order_id": "1001"})),
    ]
    ends = set()
    for order in permutations(deliveries):
        shop = open_shop(api)
        for topic, payload in order:
            shop.stripe(payload) if topic is None else shop.shopify(topic, payload)
        sums = shop.rows("""
            SELECT order_id, kind, CAST(effective_at AS date)::text, sum(amount_cents)::int
              FROM ledger_entries
             GROUP BY 1, 2, 3 HAVING sum(amount_cents) <> 0 ORDER BY 1, 2, 3
        """)
        ends.add((tuple(sums), shop.net()["USD"]))

    assert {net for _, net in ends} == {6500}
    assert len(ends) == 1


def test_two_vendors_delivering_at_once_book_one_sale(shop: Shop) -> None:

    linked = {"order_id": "1001"}
    events = [succeeded(f"evt_{n}", payment_intent="pi_1", metadata=linked) for n in range(10)]
    orders = [("orders/paid", shopify_order(1001, total_price="100.00", confirmed=str(n))) for n in range(10)]
    with ThreadPoolExecutor(20) as senders:
        sent = [senders.submit(shop.stripe, event) for event in events]
        sent += [senders.submit(shop.shopify, *order) for order in orders]
        assert {future.result().status_code for future in sent} == {200}

    assert shop.net() == {"USD": 10000}
    assert shop.counts()["events"] == 20


@pytest.mark.parametrize(
    ("event", "reason", "field"),
    [
        (succeeded(currency=None), "missing_required_field", "data.object.currency"),
        (succeeded(currency="zzz"), "currency_unknown", "data.object.currency"),
        (succeeded(amount="100", amount_captured=None), "malformed_value", "data.object.amount"),
        (succeeded(amount=10**17, amount_captured=None), "amount_out_of_range", "data.object.amount"),
        (stripe_event("customer.created", {"id": "cus_1"}), "unknown_provider_event", "type"),
        ({"type": "charge.succeeded", "created": 1, "data": {}}, "missing_required_field", "id"),
        (b" ", "invalid_json", None),
        (b"[" * 5000, "invalid_json", None),
        (json.dumps(succeeded(currency="u\x00d")).encode(), "currency_unknown", "data.object.currency"),
        (json.dumps(succeeded(id="ch_\x00")).encode(), "malformed_value", "data.object.id"),
    ],
)
def test_what_cannot_be_booked_becomes_a_dead_letter(
    shop: Shop, event: Any, reason: str, field: str | None
) -> None:
    with receipt(shop.stripe(event)) as told:
        assert (told["outcome"], told["reason_code"], told.get("reason_field")) == (
            "dead_lettered",
            reason,
            field,
        )

    assert shop.counts() == {"deliveries": 1, "dead_letters": 1}


def test_null_personal_keys_are_no_reason_to_refuse(shop: Shop) -> None:
    with receipt(shop.stripe(succeeded(receipt_email=None, billing_details={"email": None}))) as told:
        assert told["outcome"] == "booked"


def test_personal_data_is_nowhere_afterwards(shop: Shop) -> None:
    labels = {
        "utm_source": PERSONAL[0],
        "utm_medium": "cpc",
        "journey_id": PERSONAL[1],
        "order_id": PERSONAL[3],
    }
    shop.stripe(succeeded(metadata=labels, description=PERSONAL[5]))
    shop.stripe(stripe_event("payment_intent.succeeded", payment_intent(status=PERSONAL[0]), "evt_2"))

    stored = shop.everything()
    assert not [value for value in PERSONAL if value in stored]


@pytest.mark.parametrize(("age", "status"), [(299, 200), (302, 401), (-299, 200), (-302, 401)])
def test_a_replayed_or_future_timestamp_is_refused(
    shop: Shop, age: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps(succeeded()).encode()
    headers, signed_at = shop.by_stripe(body), intake.now()
    monkeypatch.setattr(intake, "now", lambda: signed_at + timedelta(seconds=age))

    assert shop.post(f"/api/webhooks/stripe/in/{shop.key('stripe')}", body, headers).status_code == status


@pytest.mark.parametrize(
    ("path", "event"),
    [
        ("charge/succeeded", succeeded()),
        ("charge/refunded", refunded(100, 1, "evt_1")),
        ("payment_intent/succeeded", stripe_event("payment_intent.succeeded", payment_intent())),
        ("payment_intent_succeeded", stripe_event("payment_intent.succeeded", payment_intent())),
    ],
)
def test_each_path_by_tenant_key_is_an_alias(shop: Shop, path: str, event: dict[str, Any]) -> None:
    body = json.dumps(event).encode()
    reply = shop.post(
        f"/api/webhooks/stripe/{path}", body, shop.by_stripe(body) | {"X-Skeldir-Tenant-Key": shop.tenant.key}
    )

    with receipt(reply) as told:
        assert told["outcome"] == "booked"
    assert ("Sunset" in reply.headers) == (path == "payment_intent_succeeded")


def test_one_event_id_is_booked_once_for_each_tenant(shop: Shop, api: Api) -> None:
    other = open_shop(api)
    first, second = shop.stripe(succeeded()), other.stripe(succeeded())

    assert first.json()["event_id"] != second.json()["event_id"]
    assert shop.net() == other.net() == {"USD": 10000}
