"""Each vendor's own words, and the state that they bring an order to, in either order of arrival."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.senders import SENDERS, Told
from tests.handlers.webhooks import open_shop
from tests.identity import log_in, make_user
from tests.vendors.payloads import (
    UNIX,
    charge,
    custom_event,
    dispute,
    shopify_order,
    shopify_refund,
    stripe_event,
    woocommerce_order,
    woocommerce_refund,
)
from tests.vendors.paypal_authority import trusted
from tests.vendors.paypal_payloads import captured, disputed, given_back

DAY: Final = 86_400
REFUNDS: Final = {"partly refunded twice": ("30.00", "20.00"), "refunded": ("100.00",)}
STATES: Final = {
    "authorised": ("authorised", 0),
    "captured": ("captured", 10000),
    "partly refunded twice": ("partially_refunded", 5000),
    "refunded": ("refunded", 0),
    "disputed": ("disputed", 0),
    "dispute lost": ("disputed", 0),
    "dispute won": ("captured", 10000),
}


def by_shopify(case: str) -> Iterator[Told]:
    """Tell an order, then what was given back."""
    order = shopify_order(1001, total_price="100.00")
    yield "orders/create", order | {"financial_status": "authorized", "updated_at": order["created_at"]}
    if case != "authorised":
        yield "orders/paid", order
    for number, amount in enumerate(REFUNDS.get(case, ())):
        transaction = {"id": number, "kind": "refund", "amount": amount, "currency": "USD"}
        yield "refunds/create", shopify_refund(number, 1001, transactions=[transaction])


def by_woocommerce(case: str) -> Iterator[Told]:
    """Tell the order's snapshots."""
    order = woocommerce_order(1001, total="100.00")
    unpaid = {"status": "on-hold", "date_paid": None, "date_paid_gmt": None}
    yield "order.created", order | unpaid | {"date_modified_gmt": order["date_created_gmt"]}
    if case != "authorised":
        yield "order.updated", order
    refunds: list[dict[str, Any]] = []
    for number, amount in enumerate(REFUNDS.get(case, ())):
        refunds = [*refunds, woocommerce_refund(number, f"-{amount}")]
        yield (
            "order.updated",
            order | {"refunds": refunds, "date_modified_gmt": f"2026-11-2{number + 1}T10:00:00"},
        )


def by_stripe(case: str) -> Iterator[Told]:
    """Tell a charge that was captured later, totals refunded so far, and a dispute's turns."""
    of_order = {"payment_intent": "pi_1", "metadata": {"order_id": "1001"}}

    def told(kind: str, obj: dict[str, Any], day: int) -> Told:
        return kind, stripe_event(kind, obj, f"evt_{kind}{day}", created=UNIX + day * DAY)

    yield told("charge.succeeded", charge(captured=False, amount_captured=0, **of_order), 0)
    if case != "authorised":
        yield told("charge.captured", charge(**of_order), 1)
    total_cents = 0
    for number, amount in enumerate(REFUNDS.get(case, ()), 2):
        total_cents += int(amount.replace(".", ""))
        yield told("charge.refunded", charge(amount_refunded=total_cents, **of_order), number)
    if case.startswith("dispute"):
        yield told("charge.dispute.created", dispute(), 2)
        yield told("charge.dispute.funds_withdrawn", dispute(), 2)
    if case in ("dispute lost", "dispute won"):
        yield told("charge.dispute.closed", dispute(status=case.partition(" ")[2]), 9)


def by_paypal(case: str) -> Iterator[Told]:
    """Tell a capture, refunds, and a dispute's turns."""
    payloads = [captured(custom_id="1001")]
    payloads += [
        given_back(amount, number, f"WH-{number + 1}")
        for number, amount in enumerate(REFUNDS.get(case, ()), 1)
    ]
    if case.startswith("dispute"):
        payloads.append(disputed("CREATED", 1))
    if case == "dispute lost":
        payloads.append(disputed("RESOLVED", 9, outcome="RESOLVED_BUYER_FAVOUR"))
        payloads.append(given_back("100.00", 9, "WH-9", "REVERSED"))
    if case == "dispute won":
        payloads.append(disputed("RESOLVED", 9, outcome="RESOLVED_SELLER_FAVOUR"))
    yield from ((payload["event_type"], payload) for payload in payloads)


def by_custom(case: str) -> Iterator[Told]:
    """Tell each turn by its own type."""

    def told(kind: str, day: int, amount_cents: int = 10000, **more: str) -> Told:
        at = f"2026-11-{20 + day}T10:00:00Z"
        amount = {"amount_cents": amount_cents, "currency": "USD", "order_id": "1001"}
        return kind, custom_event(kind, **amount, occurred_at=at, timestamp=at, **more)

    yield told("order.placed", 0)
    if case != "authorised":
        yield told("payment.captured", 0)
    for day, amount in enumerate(REFUNDS.get(case, ()), 1):
        yield told("payment.refunded", day, int(amount.replace(".", "")), reference=f"r-{day}")
    if case.startswith("dispute"):
        yield told("payment.disputed", 1, reference="d-1")
    if case == "dispute won":
        yield told("payment.dispute_reversed", 9, reference="d-1")


TELLERS: Final[dict[str, Callable[[str], Iterator[Told]]]] = {
    "shopify": by_shopify,
    "woocommerce": by_woocommerce,
    "stripe": by_stripe,
    "paypal": by_paypal,
    "custom": by_custom,
}
UNKNOWN: Final = {
    "shopify": "dispute",
    "woocommerce": "dispute",
    "paypal": "authorised",
}  # to the vendor's topics
CASES: Final = [
    (vendor, case)
    for vendor in TELLERS
    for case in STATES
    if not case.startswith(UNKNOWN.get(vendor, "nothing"))
]


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture(autouse=True)
def _post() -> Iterator[None]:
    with trusted():
        yield


@pytest.mark.parametrize("step", [1, -1], ids=["in order", "backwards"])
@pytest.mark.parametrize(("vendor", "case"), CASES)
def test_what_a_vendor_tells_brings_the_order_to_its_state(
    api: Api, vendor: str, case: str, step: int
) -> None:
    shop = open_shop(api)
    sender = next(sender for sender in SENDERS if sender.vendor == vendor)
    told = list(TELLERS[vendor](case))[::step]
    for topic, payload in (*told, told[0]):
        assert sender.deliver(shop, topic, payload).json()["outcome"] == "booked"
    token = log_in(make_user(shop.tenant_id, "viewer")).tokens.access.token
    order = api.send("GET", "/api/v1/revenue/order", token=token, params={"order_id": "1001"}).json()

    assert (order["state"], sum(told["net_cents"] for told in order["currencies"])) == STATES[case]
