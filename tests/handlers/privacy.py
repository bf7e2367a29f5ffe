"""A shop in which a person left traces, and what a vendor's privacy request does about them."""

from typing import Any

from sqlalchemy import text

from skeldir.db.engine import get_engine
from skeldir.db.session import tenant_session
from skeldir.repository import attribution
from tests.asgi import Api
from tests.handlers.webhooks import Shop, open_shop, receipt
from tests.identity import log_in, make_user
from tests.repository.attribution_world import SETTINGS
from tests.vendors.payloads import (
    PERSONAL,
    attributes,
    charge,
    shopify_checkout,
    shopify_order,
    shopify_refund,
    stripe_event,
)
from workers.privacy import fulfil_privacy_requests

JOURNEY, SESSION, OTHER = "j-canary-7f3a", "s-canary-91bd", "j-other-55aa"
OURS, NAMELESS, THEIRS = 1234567890, 1234567891, 1234567892
SHOP = {"shop_id": 954889, "shop_domain": "a-shop.myshopify.com"}
CUSTOMER = {"id": 191167, "email": PERSONAL[0], "phone": PERSONAL[1]}
MONEY = [
    """SELECT entry_id, order_id, kind, reference, amount_cents, effect_cents, currency, effective_at, source
         FROM ledger_entries ORDER BY 1""",
    """SELECT model_version, entry_id, channel_code, campaign_id, allocated_cents, touch_count
         FROM allocations ORDER BY 1, 2, 3, 4""",
    "SELECT fact_id, order_key, kind, amount_cents FROM facts ORDER BY 1",
]


def traces(api: Api) -> Shop:
    """Open a shop with a person's journey to two orders and a payment, and another person's to a third."""
    shop = open_shop(api)
    token = log_in(make_user(shop.tenant_id, "manager")).tokens.access.token
    touches = [
        ("0198c0de-0012-7456-8901-000000000001", JOURNEY, SESSION, "google", "cpc"),
        ("0198c0de-0012-7456-8901-000000000002", JOURNEY, SESSION, "newsletter", "email"),
        ("0198c0de-0012-7456-8901-000000000003", SESSION, SESSION, "facebook", "paid"),
        ("0198c0de-0012-7456-8901-000000000004", OTHER, "s-other", "google", "cpc"),
    ]
    told = [
        {
            "touchpoint_id": touch_id,
            "journey_id": journey_id,
            "session_id": session_id,
            "occurred_at": f"2026-11-1{position}T10:00:00Z",
            "utm_source": source,
            "utm_medium": medium,
        }
        for position, (touch_id, journey_id, session_id, source, medium) in enumerate(touches)
    ]
    reply = api.send("POST", "/api/attribution/touchpoints", token=token, json={"touchpoints": told})
    assert reply.status_code == 200, reply.text
    for delivered in deliveries():
        assert shop.shopify(*delivered).status_code == 200
    paid = charge("ch_1", payment_intent="pi_1", metadata={"order_id": str(OURS), "session_id": SESSION})
    assert shop.stripe(stripe_event("charge.succeeded", paid)).json()["outcome"] == "booked"
    return shop


def hinted(order_id: int, journey: str, **changes: Any) -> dict[str, Any]:
    return shopify_order(order_id, note_attributes=attributes(journey_id=journey), **changes)


def deliveries() -> list[tuple[str, dict[str, Any]]]:
    """Return what Shopify tells of the three orders; one order cannot be booked as it is told."""
    seen = attributes(journey_id=JOURNEY, session_id=SESSION, utm_source="google", utm_medium="cpc")
    return [
        ("orders/create", shopify_order(OURS, note_attributes=seen, financial_status="pending")),
        ("orders/paid", shopify_order(OURS, note_attributes=seen)),
        ("orders/paid", hinted(NAMELESS, JOURNEY)),
        ("orders/paid", hinted(THEIRS, OTHER)),
        ("refunds/create", shopify_refund(555, OURS)),
        ("refunds/create", shopify_refund(556, OURS, currency="ZZZ", created_at=None)),
        ("orders/paid", hinted(OURS, JOURNEY, currency="ZZZ")),
        ("checkouts/update", shopify_checkout(note_attributes=attributes(session_id=SESSION))),
    ]


def attribute(shop: Shop) -> None:
    """Attribute every journey anew."""
    engine = get_engine("app_worker")
    with tenant_session(shop.tenant_id, isolation="repeatable read", engine=engine) as session:
        journeys = session.execute(text("SELECT DISTINCT journey_id FROM orders")).scalars().all()
        attribution.begin(session)
        attribution.attribute_journeys(session, journeys, SETTINGS)


def fulfil(shop: Shop) -> dict[str, int]:
    done: dict[str, int] = fulfil_privacy_requests.apply(
        kwargs={"tenant_id": str(shop.tenant_id)}, throw=True
    ).get()
    return done


def redact(shop: Shop, *orders: int) -> None:
    with receipt(shop.shopify("customers/redact", SHOP | {"customer": CUSTOMER, "orders_to_redact": orders})):
        assert fulfil(shop)["completed"] == 1


def listed(shop: Shop, **params: str) -> list[dict[str, Any]]:
    token = log_in(make_user(shop.tenant_id, "viewer")).tokens.access.token
    reply = shop.api.send("GET", "/api/webhooks/privacy-requests", token=token, params=params)
    assert reply.status_code == 200, reply.text
    requests: list[dict[str, Any]] = reply.json()["privacy_requests"]
    return requests


def counts(request: dict[str, Any]) -> dict[str, int]:
    return {line["table"]: line["row_count"] for line in request["row_counts"] if line["row_count"]}


def money(shop: Shop) -> list[Any]:
    return [shop.rows(statement) for statement in MONEY]
