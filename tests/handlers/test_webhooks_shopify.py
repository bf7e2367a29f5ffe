"""Shopify's webhooks on the wire: what becomes of each in the ledger."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from skeldir.app import create_app
from skeldir.commands import provisioning
from skeldir.queue import sending
from skeldir.settings import get_settings
from skeldir.vendors import fields
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop, receipt
from tests.vendors.payloads import PERSONAL, attributes, shopify_checkout, shopify_order, shopify_refund


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def shop(api: Api) -> Shop:
    return open_shop(api)


def test_a_paid_order_is_booked_and_its_journey_marked(shop: Shop) -> None:
    with receipt(shop.shopify("orders/paid", shopify_order())) as told:
        assert told["outcome"] == "booked"
        assert told["received"] is True

    assert shop.entries() == [("1234567890", "captured", 12999, "USD", "2026-11-20")]
    assert shop.rows("SELECT order_id, event_id IS NOT NULL FROM events") == [("1234567890", True)]
    assert shop.rows("SELECT journey_id FROM dirty_marks") == [("order:1234567890",)]
    assert shop.rows("SELECT ordered_at = '2026-11-20 10:00Z' FROM orders") == [(True,)]


def test_an_order_that_waits_for_its_money_is_only_authorised(shop: Shop) -> None:
    shop.shopify("orders/create", shopify_order(financial_status="pending"))

    assert shop.rows("SELECT kind, amount_cents, effect_cents FROM ledger_entries") == [
        ("authorised", 12999, 0)
    ]


def test_creation_and_payment_of_one_order_are_booked_once_in_either_order(shop: Shop, api: Api) -> None:
    other = open_shop(api)
    for topic in ("orders/create", "orders/paid"):
        shop.shopify(topic, shopify_order())
    for topic in ("orders/paid", "orders/create"):
        other.shopify(topic, shopify_order())

    assert shop.entries() == other.entries() == [("1234567890", "captured", 12999, "USD", "2026-11-20")]
    assert shop.counts()["deliveries"] == 2


def test_a_repeated_delivery_gets_its_first_receipt_and_is_counted(shop: Shop) -> None:
    first, second, third = (shop.shopify("orders/paid", shopify_order()) for _ in range(3))

    assert first.json() == second.json() == third.json()
    assert shop.rows("SELECT redeliveries FROM deliveries") == [(2,)]
    assert shop.counts()["events"] == 1
    assert shop.net() == {"USD": 12999}


def test_the_same_delivery_fifty_times_at_once_books_one_event_and_one_entry(shop: Shop) -> None:
    order = shopify_order(note_attributes=attributes(utm_source="google", utm_medium="cpc"))
    with ThreadPoolExecutor(50) as senders:
        replies = list(senders.map(lambda _: shop.shopify("orders/paid", order), range(50)))

    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.text for reply in replies}) == 1
    assert shop.rows("SELECT redeliveries FROM deliveries") == [(49,)]
    assert [shop.counts()[table] for table in ("events", "order_hints", "orders")] == [1, 1, 1]
    assert len(shop.entries()) == 1


def test_a_delivery_repeated_after_a_refund_changes_nothing(shop: Shop) -> None:
    shop.shopify("orders/paid", shopify_order())
    shop.shopify("refunds/create", shopify_refund())
    before = shop.entries()

    shop.shopify("orders/paid", shopify_order())
    shop.shopify("refunds/create", shopify_refund())

    assert shop.entries() == before
    assert shop.net() == {"USD": 9999}


def test_two_partial_refunds_are_two_entries(shop: Shop) -> None:
    shop.shopify("orders/paid", shopify_order())
    shop.shopify("refunds/create", shopify_refund(555))
    shop.shopify("refunds/create", shopify_refund(556, created_at="2026-11-22T09:00:00Z"))

    assert shop.entries()[1:] == [
        ("1234567890", "refunded", 3000, "USD", "2026-11-21"),
        ("1234567890", "refunded", 3000, "USD", "2026-11-22"),
    ]
    assert shop.net() == {"USD": 6999}


def test_a_refund_before_its_capture_is_booked_at_once(shop: Shop) -> None:
    shop.shopify("refunds/create", shopify_refund())
    assert shop.net() == {"USD": -3000}

    shop.shopify("orders/paid", shopify_order())
    assert shop.net() == {"USD": 9999}
    assert shop.rows("SELECT ordered_at = '2026-11-20 10:00Z' FROM orders") == [(True,)]


def test_a_currency_without_decimals_is_booked_whole(shop: Shop) -> None:
    shop.shopify("orders/paid", shopify_order(total_price="5000", currency="JPY"))

    assert shop.net() == {"JPY": 5000}


@pytest.mark.parametrize(
    ("topic", "payload", "reason", "field"),
    [
        ("orders/paid", shopify_order(currency=None), "missing_required_field", "currency"),
        ("orders/paid", shopify_order(total_price=""), "missing_required_field", "total_price"),
        ("orders/paid", shopify_order(total_price="129.999"), "malformed_value", "total_price"),
        ("orders/paid", shopify_order(total_price="abc.def"), "malformed_value", "total_price"),
        ("orders/paid", shopify_order(total_price="99999999999999.00"), "amount_out_of_range", "total_price"),
        ("orders/paid", shopify_order(currency="ZZZ"), "currency_unknown", "currency"),
        ("refunds/create", shopify_refund(order_id=None), "missing_required_field", "order_id"),
        ("orders/edited", shopify_order(), "unknown_provider_event", "X-Shopify-Topic"),
        ("", shopify_order(), "missing_required_field", "X-Shopify-Topic"),
        ("jane@example.com", shopify_order(), "malformed_value", "X-Shopify-Topic"),
        ("orders/paid", b"{not json", "invalid_json", None),
        ("orders/paid", b"\xff\xfe", "invalid_json", None),
        ("orders/paid", [1, 2], "malformed_value", None),
        ("orders/paid", {}, "missing_required_field", "id"),
    ],
)
def test_what_cannot_be_booked_becomes_a_dead_letter_and_a_200(
    shop: Shop, topic: str, payload: Any, reason: str, field: str | None
) -> None:
    with receipt(shop.shopify(topic, payload)) as told:
        assert (told["outcome"], told["reason_code"], told.get("reason_field")) == (
            "dead_lettered",
            reason,
            field,
        )

    assert shop.rows("SELECT reason_code, reason_field FROM dead_letters") == [(reason, field)]
    assert shop.counts() == {"deliveries": 1, "dead_letters": 1}


def test_a_dead_letter_keeps_only_what_may_be_kept(shop: Shop) -> None:
    shop.shopify("orders/paid", shopify_order(total_price="x", currency=PERSONAL[0]))

    assert shop.rows("SELECT payload FROM dead_letters") == [
        (
            {
                "id": 1234567890,
                "total_price": "x",
                "currency": [],
                "created_at": "2026-11-20T10:00:00+00:00",
                "updated_at": "2026-11-20T10:00:05+00:00",
                "financial_status": "paid",
            },
        )
    ]


def test_personal_data_planted_anywhere_is_nowhere_afterwards(shop: Shop) -> None:
    labels = attributes(
        utm_source=PERSONAL[0], utm_medium="email", utm_campaign=f"for {PERSONAL[1]}", journey_id=PERSONAL[2]
    )
    shop.shopify("orders/paid", shopify_order(note_attributes=labels))
    shop.shopify("refunds/create", shopify_refund())
    shop.shopify("checkouts/update", shopify_checkout(note_attributes=labels))
    shop.shopify("orders/paid", shopify_order(9, total_price=PERSONAL[0]))

    stored = shop.everything()
    assert "email" in stored  # the medium
    assert not [value for value in PERSONAL if value in stored]


def test_a_forged_or_missing_signature_is_one_401_and_stores_nothing(shop: Shop) -> None:
    order = shopify_order()
    replies = [
        shop.shopify("orders/paid", order, **{"X-Shopify-Hmac-SHA256": "AAAA"}),
        shop.shopify("orders/paid", order, **{"X-Shopify-Hmac-SHA256": ""}),
        shop.post("/api/webhooks/shopify/in/ske_nobody", b"{}", shop.by_shopify(b"{}", "orders/paid")),
        shop.post(
            f"/api/webhooks/shopify/in/{shop.key('stripe')}", b"{}", shop.by_shopify(b"{}", "orders/paid")
        ),
        shop.post("/api/webhooks/shopify/orders/paid", b"{}", shop.by_shopify(b"{}", "orders/paid")),
    ]

    assert {reply.status_code for reply in replies} == {401}
    assert len({(reply.json()["detail"], reply.json()["code"]) for reply in replies}) == 1
    assert shop.counts() == {}


def test_another_tenants_secret_opens_nothing(shop: Shop, api: Api) -> None:
    other = open_shop(api)
    reply = shop.post(
        f"/api/webhooks/shopify/in/{other.key('shopify')}", b"{}", shop.by_shopify(b"{}", "orders/paid")
    )

    assert reply.status_code == 401
    assert other.counts() == shop.counts() == {}


def test_either_spelling_of_the_headers_is_read(shop: Shop) -> None:

    body = json.dumps(shopify_order()).encode()
    signed = shop.by_shopify(body, "orders/paid")
    headers = {"shopify-hmac-sha256": signed["X-Shopify-Hmac-SHA256"], "shopify-topic": "orders/paid"}

    reply = shop.post(f"/api/webhooks/shopify/in/{shop.key('shopify')}", body, headers)

    assert reply.json()["outcome"] == "booked"


@pytest.mark.parametrize(
    ("path", "payload", "outcome"),
    [
        ("order_create", shopify_order(), "booked"),
        ("orders/paid", shopify_order(), "booked"),
        ("refunds/create", shopify_refund(), "booked"),
        ("checkouts/update", shopify_checkout(), "recorded"),
    ],
)
def test_each_path_by_tenant_key_is_an_alias(shop: Shop, path: str, payload: Any, outcome: str) -> None:

    body = json.dumps(payload).encode()
    headers = shop.by_shopify(body, "") | {"X-Skeldir-Tenant-Key": shop.tenant.key}

    with receipt(shop.post(f"/api/webhooks/shopify/{path}", body, headers)) as told:
        assert told["outcome"] == outcome


def test_a_suspended_tenants_authentic_delivery_is_kept_but_not_booked(shop: Shop) -> None:
    provisioning.set_status(shop.tenant_id, "suspended")

    with receipt(shop.shopify("orders/paid", shopify_order())) as told:
        assert (told["outcome"], told["reason_code"]) == ("dead_lettered", "tenant_suspended")

    assert shop.counts() == {"deliveries": 1, "dead_letters": 1}


def test_what_only_the_databases_wall_recognises_becomes_a_dead_letter_without_payload(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fields, "personal_value", lambda _: False)
    labels = attributes(utm_source=PERSONAL[0])

    for _ in range(2):
        with receipt(shop.shopify("orders/paid", shopify_order(note_attributes=labels))) as told:
            assert (told["outcome"], told["reason_code"]) == ("dead_lettered", "pii_refused")

    assert shop.counts() == {"deliveries": 1, "dead_letters": 1}
    assert shop.rows("SELECT payload FROM dead_letters") == [(None,)]
    assert PERSONAL[0] not in shop.everything()


def test_a_broker_that_fails_costs_nothing_but_the_wake_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(sending, "send", fail)
    monkeypatch.setattr(sending, "_rest", sending.Rest())  # the broker of other tests is well

    assert shop.shopify("orders/paid", shopify_order()).status_code == 200
    assert shop.net() == {"USD": 12999}


def test_a_booked_delivery_wakes_a_worker_once_it_is_committed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, dict[str, str], int]] = []
    monkeypatch.setattr(
        sending,
        "send",
        lambda message, **_: seen.append((message.name, message.arguments, len(shop.entries()))),
    )

    shop.shopify("orders/paid", shopify_order())

    assert seen == [("attribution.attribute_marked", {"tenant_id": str(shop.tenant_id)}, 1)]
