"""What was taken back, on the wire: channels, realtime and exports tell what becomes of the order itself."""

from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import uuid4

import pytest

from skeldir.app import create_app
from skeldir.db.session import tenant_session
from skeldir.repository import attribution
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop
from tests.identity import log_in, make_user
from tests.repository.attribution_world import SETTINGS
from tests.vendors.payloads import charge, dispute, shopify_order, shopify_refund, stripe_event
from workers.summaries import refresh_summaries

NOW = int(datetime.now(UTC).timestamp())
BOOKED = {"payment_intent": "pi_1", "created": NOW - 600, "metadata": {"order_id": "1234567890"}}


def at(seconds_ago: int) -> str:
    return datetime.fromtimestamp(NOW - seconds_ago, UTC).isoformat()


def stripe(kind: str, obj: dict[str, Any], seconds_ago: int) -> dict[str, Any]:
    return stripe_event(kind, obj, f"evt_{kind}", created=NOW - seconds_ago)


PAID = stripe("charge.succeeded", charge(**BOOKED), 600)
ORDERED = shopify_order(total_price="100.00", created_at=at(600), updated_at=at(600))
REFUNDED = shopify_refund(created_at=at(400))
LOST = stripe("charge.dispute.created", dispute(created=NOW - 400), 400)
WON = stripe("charge.dispute.funds_reinstated", dispute(created=NOW - 400, status="won"), 200)


def refunded(cents: int) -> dict[str, Any]:
    """Return the charge as it is told once so much of it was refunded in all."""
    return stripe("charge.refunded", charge(**BOOKED | {"amount_refunded": cents}), 300)


Webhook = tuple[str, dict[str, Any]]


def deliver(shop: Shop, webhooks: list[Webhook]) -> None:
    for topic, payload in webhooks:
        reply = shop.shopify(topic, payload) if topic else shop.stripe(payload)
        assert reply.json()["outcome"] == "booked", reply.text


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.mark.parametrize(
    ("webhooks", "revenue_cents", "reversed_cents"),
    [
        pytest.param([("", PAID), ("", LOST)], 0, -10_000, id="a dispute"),
        pytest.param([("", PAID), ("", LOST), ("", WON)], 10_000, 0, id="a dispute that was won"),
        pytest.param(
            [("orders/paid", ORDERED), ("", PAID), ("refunds/create", REFUNDED), ("", refunded(5_000))],
            5_000,
            -5_000,
            id="a refund of which the processor says more",
        ),
        pytest.param(
            [("orders/paid", ORDERED), ("", PAID), ("refunds/create", REFUNDED), ("", refunded(1_000))],
            9_000,
            -1_000,
            id="a refund of which the processor says less",
        ),
    ],
)
def test_every_report_says_what_was_taken_back_of_the_order(
    api: Api, database: Database, webhooks: list[Webhook], revenue_cents: int, reversed_cents: int
) -> None:
    """Before summaries are there and from them, by either mode, in the export, and of the last hours."""
    shop = open_shop(api)
    deliver(shop, webhooks)
    token = log_in(make_user(shop.tenant_id, "manager")).tokens.access.token

    def get(path: str, **query: str) -> Any:
        reply = api.send("GET", path, token=token, params=query)
        assert reply.status_code == 200, reply.text
        return reply.json()

    [day] = get("/api/v1/revenue/realtime")["currencies"]
    assert (day["last_24_hours"]["net_cents"], day["last_24_hours"]["reversed_cents"]) == (
        revenue_cents,
        reversed_cents,
    )
    journeys = [row[0] for row in shop.rows("SELECT journey_id FROM orders")]
    engine = database.engine("app_worker")
    with tenant_session(shop.tenant_id, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        attribution.attribute_journeys(session, journeys, SETTINGS)
    for is_summarised, mode in product((False, True), ("cash", "accrual")):
        if is_summarised:
            refresh_summaries.apply(kwargs={"tenant_id": str(shop.tenant_id)}, task_id=str(uuid4())).get()
        assert shop.rows("SELECT EXISTS (SELECT FROM summarised_versions)") == [(is_summarised,)]
        [currency] = get("/api/attribution/channels", mode=mode)["currencies"]
        [channel] = currency["channels"]
        told = [channel[name] for name in ("revenue_cents", "reversed_cents", "order_count")]
        assert told == [revenue_cents, reversed_cents, 1], (mode, is_summarised)
        rows = get("/api/export/revenue", format="json", mode=mode)["data"]
        assert sum(row["reversed_cents"] for row in rows) == reversed_cents
