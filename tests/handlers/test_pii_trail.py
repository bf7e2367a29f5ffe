"""What of a delivery was personal can be asked for afterwards: where and of which kind, never what."""

from collections.abc import Iterator
from typing import Any

import pytest

from skeldir.app import create_app
from skeldir.settings import get_settings
from skeldir.vendors import fields
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop
from tests.identity import log_in, make_user
from tests.vendors import paypal_payloads as paypal
from tests.vendors.payloads import (
    PERSONAL,
    attributes,
    charge,
    meta,
    payment_intent,
    shopify_order,
    stripe_event,
    woocommerce_order,
)
from tests.vendors.paypal_authority import Post, trusted


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture(autouse=True)
def post() -> Iterator[Post]:
    with trusted() as post:
        yield post


@pytest.fixture
def shop(api: Api) -> Shop:
    return open_shop(api)


def listed(shop: Shop) -> list[dict[str, Any]]:
    """Return what an auditor is told of each delivery, the oldest first."""
    token = log_in(make_user(shop.tenant_id, "viewer")).tokens.access.token
    reply = shop.api.send("GET", "/api/webhooks/deliveries", token=token)
    assert reply.status_code == 200, reply.text
    assert not [value for value in PERSONAL if value in reply.text]
    return [delivery.get("personal_data", {}) for delivery in reversed(reply.json()["deliveries"])]


def test_every_vendors_delivery_tells_what_was_stripped(shop: Shop) -> None:
    shop.shopify("orders/paid", shopify_order())
    shop.woocommerce("order.updated", woocommerce_order())
    shop.stripe(stripe_event("charge.succeeded", charge()))
    shop.paypal(paypal.disputed("CREATED", 2))

    told = [set(trail["stripped"]) for trail in listed(shop)]

    assert {"email", "customer", "client_details", "payment_details.credit_card_number"} < told[0]
    assert {"billing.email", "customer_ip_address", "line_items[].name"} < told[1]
    assert told[2] == {f"data.object.billing_details.{key}" for key in ("email", "name", "phone", "address")}
    assert "resource.disputed_transactions[].buyer.email" in told[3]


def test_a_merchants_own_text_tells_its_keys_as_well(shop: Shop) -> None:
    shop.paypal(paypal.captured(custom_id='{"order_id": "7", "buyer": {"email": "x"}}'))

    assert "resource.custom_id.buyer.email" in listed(shop)[0]["stripped"]


def test_what_was_withheld_from_fields_that_are_kept_is_told_by_kind(shop: Shop) -> None:
    email, phone, address, ssn, card, _ = PERSONAL
    shop.shopify("orders/paid", shopify_order(note_attributes=attributes(utm_source=email)))
    shop.woocommerce("order.updated", woocommerce_order(meta_data=meta(utm_campaign=phone)))
    shop.stripe(
        stripe_event("payment_intent.succeeded", payment_intent(metadata={"utm_medium": f"at {address}"}))
    )
    shop.paypal(paypal.captured(custom_id=f"utm_source={ssn}&utm_campaign={card}"))
    shop.shopify("orders/paid", shopify_order(9, currency=email))

    assert [trail["withheld"] for trail in listed(shop)] == [
        [{"path": "note_attributes[].utm_source", "kind": "email"}],
        [{"path": "meta_data[].utm_campaign", "kind": "phone"}],
        [{"path": "data.object.metadata.utm_medium", "kind": "ip"}],
        [
            {"path": "resource.custom_id.utm_source", "kind": "ssn"},
            {"path": "resource.custom_id.utm_campaign", "kind": "card"},
        ],
        [{"path": "currency", "kind": "email"}],
    ]


def test_a_key_that_holds_nothing_is_neither_refused_nor_told(shop: Shop) -> None:
    """Stripe's objects carry `receipt_email: null`."""
    intent = payment_intent(receipt_email=None)

    assert shop.stripe(stripe_event("payment_intent.succeeded", intent)).json()["outcome"] == "booked"
    assert listed(shop) == [{}]


def test_what_the_databases_wall_refused_is_told_too(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "personal_value", lambda _: False)
    labels = attributes(utm_medium="x", utm_source=PERSONAL[0])

    told = shop.shopify("orders/paid", shopify_order(note_attributes=labels)).json()

    assert told["reason_code"] == "pii_refused"
    assert listed(shop)[0]["refused"] == "events.payload.note_attributes[].utm_source"


def test_a_dead_letter_that_the_wall_refused_tells_it_too(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fields, "personal_value", lambda _: False)
    labels = attributes(utm_source=PERSONAL[0])

    told = shop.shopify("orders/paid", shopify_order(currency=None, note_attributes=labels)).json()

    assert told["reason_code"] == "missing_required_field"
    assert listed(shop)[0]["refused"] == "dead_letters.payload.note_attributes[].utm_source"
