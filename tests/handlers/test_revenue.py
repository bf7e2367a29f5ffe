"""An order's revenue and what is missing of orders, as analysts ask for them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from skeldir.app import create_app
from skeldir.commands import provisioning
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop, receipt
from tests.identity import log_in, make_user
from tests.vendors.payloads import (
    UNIX,
    attributes,
    charge,
    dispute,
    shopify_order,
    shopify_refund,
    stripe_event,
)
from tests.vendors.paypal_authority import trusted
from tests.vendors.paypal_payloads import sale_given_back, sold

DAY = 86_400
ORDER, UNRESOLVED = "/api/v1/revenue/order", "/api/v1/revenue/unresolved-orders"
NEW_YEAR = 1_609_459_200
PAID = stripe_event(
    "charge.succeeded", charge("ch_1abc", created=NEW_YEAR, metadata={}), "evt_1", created=NEW_YEAR
)
CAPTURED = {"from_state": "authorised", "to_state": "captured", "effective_at": "2021-01-01T00:00:00Z"}


class Analyst:
    """A shop, and somebody who may look at its revenue."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.token = log_in(make_user(shop.tenant_id, "viewer")).tokens.access.token

    def order(self, order_id: str) -> Any:
        """Ask for an order."""
        reply = self.shop.api.send("GET", ORDER, token=self.token, params={"order_id": order_id})
        return reply.json() if reply.status_code == 200 else reply.status_code

    def transitions(self, order_id: str) -> list[tuple[str, str]]:
        """Return an order's states and the days on which it came to them."""
        return [(told["to_state"], told["effective_at"][:10]) for told in self.order(order_id)["transitions"]]

    def unresolved(self, **asked: Any) -> list[tuple[str, str]]:
        """Return which orders are listed, and why."""
        reply = self.shop.api.send("GET", UNRESOLVED, token=self.token, params=asked)
        assert reply.status_code == 200, reply.text
        return [(told["order_id"], told["reason"]) for told in reply.json()["unresolved_orders"]]


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture(autouse=True)
def _post() -> Iterator[None]:
    with trusted():
        yield


@pytest.fixture
def analyst(api: Api) -> Analyst:
    return Analyst(open_shop(api))


def refunded(total_cents: int, day: int, event_id: str) -> dict[str, Any]:
    """Return the charge of which so much is refunded by that day of the year 2021."""
    obj = charge("ch_1abc", created=NEW_YEAR, amount_refunded=total_cents)
    return stripe_event("charge.refunded", obj, event_id, created=NEW_YEAR + day * DAY)


def test_a_charge_is_one_entry_and_one_transition(analyst: Analyst) -> None:
    analyst.shop.stripe(PAID)
    order = analyst.order("ch_1abc")
    told = order["entries"][0]

    assert len(order["entries"]) == 1
    assert (told["kind"], told["reference"], told["amount_cents"]) == ("captured", "ch_1abc", 10000)
    assert (told["currency"], told["source"]) == ("USD", "stripe")
    assert told["effective_at"] == "2021-01-01T00:00:00Z"
    assert order["transitions"] == [CAPTURED]
    assert "dead_letters" not in analyst.shop.counts()


def test_a_charge_without_currency_is_a_dead_letter_and_no_order(analyst: Analyst) -> None:
    with receipt(
        analyst.shop.stripe(stripe_event("charge.succeeded", charge("ch_1abc", currency=None)))
    ) as told:
        assert told["reason_code"] == "missing_required_field"
        assert told["reason_field"] == "data.object.currency"

    assert analyst.order("ch_1abc") == 404
    assert analyst.shop.counts() == {"deliveries": 1, "dead_letters": 1}


def test_a_full_refund_told_again_and_again_is_one_transition_at_its_first_instant(analyst: Analyst) -> None:
    told_first = refunded(10000, 3, "evt_2")
    for event in (PAID, told_first, told_first, refunded(10000, 5, "evt_3")):
        analyst.shop.stripe(event)

    assert analyst.transitions("ch_1abc") == [("captured", "2021-01-01"), ("refunded", "2021-01-04")]


def test_a_partial_refund_takes_its_part_and_says_so(analyst: Analyst) -> None:
    for event in (PAID, refunded(3000, 3, "evt_2")):
        analyst.shop.stripe(event)
    order = analyst.order("ch_1abc")

    assert order["state"] == "partially_refunded"
    assert order["currencies"] == [
        {
            "currency": "USD",
            "net_cents": 7000,
            "captured_cents": 10000,
            "refunded_cents": 3000,
            "disputed_cents": 0,
        }
    ]


@pytest.mark.parametrize(
    ("price", "cents"),
    [("129.99", 12999), ("100.00", 10000), ("0.99", 99), ("1234.56", 123456), ("1.1", 110), ("1", 100)],
)
def test_a_price_is_booked_to_the_cent(analyst: Analyst, price: str, cents: int) -> None:
    analyst.shop.shopify("orders/paid", shopify_order(1234567890, total_price=price))

    assert analyst.order("1234567890")["currencies"][0]["net_cents"] == cents


@pytest.mark.parametrize(
    ("price", "reason"),
    [("abc.def", "malformed_value"), ("129.999", "malformed_value"), ("", "missing_required_field")],
)
def test_a_price_that_is_none_books_nothing(analyst: Analyst, price: str, reason: str) -> None:
    with receipt(analyst.shop.shopify("orders/paid", shopify_order(1234567890, total_price=price))) as told:
        assert (told["reason_code"], told["reason_field"]) == (reason, "total_price")

    assert analyst.order("1234567890") == 404


def test_a_refund_of_no_order_books_nothing(analyst: Analyst) -> None:
    with receipt(analyst.shop.shopify("refunds/create", shopify_refund() | {"order_id": None})) as told:
        assert (told["reason_code"], told["reason_field"]) == ("missing_required_field", "order_id")

    assert analyst.shop.counts() == {"deliveries": 1, "dead_letters": 1}


def test_a_reversed_sale_is_disputed_and_earns_nothing(analyst: Analyst) -> None:
    for event in (sold(invoice_number="1001"), sale_given_back("-100.00", 2, "WH-2", "REVERSED")):
        analyst.shop.paypal(event)
    order = analyst.order("1001")

    assert order["state"] == "disputed"
    assert order["currencies"][0]["net_cents"] == 0


def test_a_won_dispute_returns_an_order_to_what_it_was(analyst: Analyst) -> None:
    by_charge = {"charge": "ch_1abc", "payment_intent": None}
    opened = stripe_event("charge.dispute.created", dispute(**by_charge), "evt_2", created=NEW_YEAR + DAY)
    won = stripe_event(
        "charge.dispute.closed", dispute(status="won", **by_charge), "evt_3", created=NEW_YEAR + 9 * DAY
    )
    for event in (won, PAID, opened):
        analyst.shop.stripe(event)

    assert analyst.transitions("ch_1abc") == [
        ("captured", "2021-01-01"),
        ("disputed", "2021-01-02"),
        ("captured", "2021-01-10"),
    ]


def test_an_order_is_found_by_the_names_of_its_payments_too(analyst: Analyst) -> None:
    paid = charge("ch_1abc", payment_intent="pi_1abc")
    analyst.shop.stripe(stripe_event("charge.succeeded", paid))
    alone = [analyst.order(name)["order_id"] for name in ("ch_1abc", "pi_1abc")]
    named = attributes(payment_intent="ch_1abc")
    analyst.shop.shopify("orders/paid", shopify_order(1001, total_price="100.00", note_attributes=named))

    assert alone == ["pi_1abc", "pi_1abc"]
    assert [analyst.order(name)["order_id"] for name in ("ch_1abc", "pi_1abc", "1001")] == ["1001"] * 3
    assert analyst.order("1002") == 404


def days_ago(days: float) -> str:
    """Write an instant some days before now."""
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_refund_without_its_capture_is_unresolved_after_a_week_until_it_comes(analyst: Analyst) -> None:
    for order_id, days in ((1001, 6.9), (1002, 7.1), (1003, 30)):
        refund = shopify_refund(order_id, order_id, created_at=days_ago(days))
        analyst.shop.shopify("refunds/create", refund)
    listed = analyst.unresolved()
    analyst.shop.shopify("orders/paid", shopify_order(1003, created_at=days_ago(31)))

    assert listed == [("1003", "unresolved_order"), ("1002", "unresolved_order")]
    assert analyst.unresolved() == [("1002", "unresolved_order")]


def test_a_payment_that_nobody_links_is_listed_until_somebody_does(analyst: Analyst) -> None:
    paid = stripe_event("charge.succeeded", charge("ch_1", payment_intent="pi_1"), "evt_1")
    other = charge("ch_2", payment_intent="pi_2", metadata={"order_id": "1002"})
    for event in (paid, stripe_event("charge.succeeded", other, "evt_2", created=UNIX)):
        analyst.shop.stripe(event)
    listed = analyst.unresolved()
    named = attributes(payment_intent="ch_1")
    analyst.shop.shopify("orders/paid", shopify_order(1001, note_attributes=named))

    assert listed == [("pi_1", "unlinked_payment")]
    assert analyst.unresolved() == []


def test_without_a_shop_there_is_nothing_to_link_a_payment_to(api: Api) -> None:
    tenant = provisioning.create_tenant("Payments only", ["stripe"])
    analyst = Analyst(Shop(api, tenant))
    analyst.shop.stripe(PAID)

    assert analyst.unresolved() == []


def test_pages_and_filters_name_each_unresolved_order_once(analyst: Analyst) -> None:
    for number in range(5):
        obj = charge(f"ch_{number}", created=UNIX + number, currency="eur" if number % 2 else "usd")
        analyst.shop.stripe(stripe_event("charge.succeeded", obj, f"evt_{number}", created=UNIX))
        refund = shopify_refund(number, 1000 + number, created_at=days_ago(400))  # all at one instant
        analyst.shop.shopify("refunds/create", refund | {"created_at": "2025-01-01T00:00:00Z"})
    shown: list[str] = []
    sizes, cursor = [], {}
    while True:
        reply = analyst.shop.api.send(
            "GET", UNRESOLVED, token=analyst.token, params={"limit": 3, **cursor}
        ).json()
        sizes.append(len(reply["unresolved_orders"]))
        shown += [told["order_id"] for told in reply["unresolved_orders"]]
        if reply["next_cursor"] is None:
            break
        cursor = {"cursor": reply["next_cursor"]}

    assert sizes == [3, 3, 3, 1]
    assert shown == [*(str(1000 + n) for n in range(5)), *(f"ch_{n}" for n in range(5))]
    assert [told[0] for told in analyst.unresolved(currency="EUR")] == ["ch_1", "ch_3"]
    assert {told[1] for told in analyst.unresolved(reason="unlinked_payment")} == {"unlinked_payment"}


def test_an_unchanged_list_is_not_sent_again(analyst: Analyst) -> None:
    first = analyst.shop.api.send("GET", UNRESOLVED, token=analyst.token)
    headers = {"If-None-Match": first.headers["ETag"]}

    assert analyst.shop.api.send("GET", UNRESOLVED, token=analyst.token, headers=headers).status_code == 304
