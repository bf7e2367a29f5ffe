"""An authentic body may be as absurd as it likes: it is answered 200, and booked or kept as a dead letter."""

import json
from typing import Any

import pytest

from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop, receipt
from tests.vendors.payloads import charge, shopify_order, stripe_event
from tests.vendors.paypal_authority import trusted
from tests.vendors.paypal_payloads import captured

PLACE = "PUT-IT-HERE"


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def shop(api: Api) -> Shop:
    return open_shop(api)


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


ABSURD = {
    "too deep": nested(1_000),
    "far too deep": nested(100_000),
    "1e400": "1e400",
    "NaN": "NaN",
    "many digits": "9" * 100_000,
    "half a pair": r'"\ud800"',
}
ODD = {
    "deep": nested(50),
    "an integer of 65 bits": "18446744073709551616",
    "minus zero": "-0",
    "a tiny number": "1e-400",
    "a large number": "1e300",
    "NUL": r'"\u0000"',
    "a long text": json.dumps("x" * 500_000),
    "an empty object": "{}",
}
FIELDS = (
    "id",
    "total_price",
    "currency",
    "created_at",
    "financial_status",
    "note_attributes",
    "test",
    "refunds",
)


def body_with(payload: dict[str, Any], value: str) -> bytes:
    return json.dumps(payload).replace(f'"{PLACE}"', value).encode()


@pytest.mark.parametrize("value", ABSURD.values(), ids=ABSURD)
def test_a_body_beyond_the_limits_becomes_a_dead_letter(shop: Shop, value: str) -> None:
    order = body_with(shopify_order(1, note=PLACE), value)
    event = body_with(stripe_event("charge.succeeded", charge(description=PLACE)), value)

    for reply in (shop.shopify("orders/paid", order), shop.stripe(event)):
        with receipt(reply) as told:
            assert (told["outcome"], told["reason_code"]) == ("dead_lettered", "invalid_json")
    assert shop.counts() == {"deliveries": 2, "dead_letters": 2}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_an_odd_value_anywhere_is_booked_or_kept(shop: Shop, field: str, value: str) -> None:
    body = body_with(shopify_order(1, **{field: PLACE}), value)

    with receipt(shop.shopify("orders/paid", body)) as told:
        assert told["outcome"] in {"booked", "recorded", "dead_lettered"}
    with receipt(shop.shopify("orders/paid", body)) as again:
        assert again["delivery_id"] == told["delivery_id"]


@pytest.mark.parametrize(
    "field", ["id", "amount", "currency", "created", "metadata", "status", "payment_intent"]
)
@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_an_odd_value_in_a_charge_is_booked_or_kept(shop: Shop, field: str, value: str) -> None:
    body = body_with(stripe_event("charge.succeeded", charge(**{field: PLACE})), value)

    with receipt(shop.stripe(body)) as told:
        assert told["outcome"] in {"booked", "recorded", "dead_lettered"}


@pytest.mark.parametrize("part", ["name", "value"])
def test_a_label_may_hide_a_structure(shop: Shop, part: str) -> None:
    """Names and values of free pairs are read as texts: nothing of them is walked through."""
    pairs = [{"name": "utm_source", "value": "google", part: PLACE}]

    for depth, outcome in ((90, "booked"), (900, "dead_lettered")):
        body = body_with(shopify_order(depth, note_attributes=pairs), nested(depth))
        with receipt(shop.shopify("orders/paid", body)) as told:
            assert told["outcome"] == outcome


@pytest.mark.parametrize("depth", [100, 1_000, 50_000])
def test_a_text_that_is_json_may_be_nested_too(shop: Shop, depth: int) -> None:
    """PayPal hands the merchant's own text on, in which we look for labels."""
    own = '{"order_id":' + nested(depth) + "}"

    with trusted(), receipt(shop.paypal(captured(custom_id=own))) as told:
        assert told["outcome"] in {"booked", "dead_lettered"}


def test_two_ids_beyond_64_bits_are_not_taken_for_one(shop: Shop) -> None:
    """Such integers lose their last digits when they are read: they name nothing."""
    for last in (6, 7):
        body = body_with(shopify_order(1, id=PLACE), f"1844674407370955161{last}")
        with receipt(shop.shopify("orders/paid", body)) as told:
            assert told["reason_code"] == "malformed_value"
    assert shop.counts()["dead_letters"] == 2
    assert shop.entries() == []
