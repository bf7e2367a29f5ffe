"""Operators see what became of every authentic delivery, their own tenant's only."""

import pytest

from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop
from tests.identity import log_in, make_user
from tests.vendors.payloads import charge, shopify_order, stripe_event

PATH = "/api/webhooks/deliveries"


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def shop(api: Api) -> Shop:
    return open_shop(api)


def viewer(shop: Shop) -> str:
    """Return the access token of somebody who may look."""
    return log_in(make_user(shop.tenant_id)).tokens.access.token


def test_deliveries_are_listed_newest_first_with_what_became_of_them(shop: Shop) -> None:
    shop.shopify("orders/paid", shopify_order())
    shop.stripe(stripe_event("charge.succeeded", charge(currency=None)))
    shop.stripe(stripe_event("charge.succeeded", charge(currency=None)))

    reply = shop.api.send("GET", PATH, token=viewer(shop))

    assert reply.status_code == 200, reply.text
    first, second = reply.json()["deliveries"]
    assert (first["vendor"], first["outcome"], first["redelivery_count"]) == ("stripe", "dead_lettered", 1)
    assert (first["reason_code"], first["reason_field"]) == ("missing_required_field", "data.object.currency")
    assert (second["vendor"], second["topic"], second["outcome"]) == ("shopify", "orders/paid", "booked")
    assert "reason_code" not in second


def test_pages_follow_one_another_without_gaps_under_a_filter(shop: Shop) -> None:
    for number in range(5):
        shop.shopify("orders/paid", shopify_order(number + 1))
    shop.shopify("orders/paid", shopify_order(99, currency=None))
    token, cursor, seen = viewer(shop), None, []
    while True:
        params = {"limit": 2, "outcome": "booked", "vendor": "shopify"} | (
            {"cursor": cursor} if cursor else {}
        )
        page = shop.api.send("GET", PATH, token=token, params=params).json()
        seen += [delivery["delivery_id"] for delivery in page["deliveries"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == 5


def test_a_cursor_is_good_for_its_own_filter_and_tenant_only(shop: Shop, api: Api) -> None:
    other = open_shop(api)
    for number in range(2):
        shop.shopify("orders/paid", shopify_order(number + 1))
    cursor = shop.api.send("GET", PATH, token=viewer(shop), params={"limit": 1}).json()["next_cursor"]

    for token, params in (
        (viewer(shop), {"cursor": cursor, "vendor": "stripe"}),
        (viewer(other), {"cursor": cursor}),
        (viewer(shop), {"cursor": cursor[:-2]}),
    ):
        assert shop.api.send("GET", PATH, token=token, params=params).status_code == 400


def test_another_tenants_deliveries_are_not_listed(shop: Shop, api: Api) -> None:
    other = open_shop(api)
    shop.shopify("orders/paid", shopify_order())

    assert other.api.send("GET", PATH, token=viewer(other)).json() == {"deliveries": [], "next_cursor": None}
