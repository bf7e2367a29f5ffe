"""What is told in another order ends in the same rows: deliveries and touches over the wire."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import text

from skeldir.app import create_app
from skeldir.db.engine import get_engine
from skeldir.db.session import tenant_session
from skeldir.repository import attribution
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import TENANT_TABLES, Shop, open_shop
from tests.repository.attribution_world import SETTINGS
from tests.vendors.payloads import CREATED, attributes, charge, shopify_order, shopify_refund, stripe_event

ORDERS = 8
ROWS = "SELECT CAST(row AS text) FROM allocations AS row ORDER BY 1"


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings()))


def tellings(shop: Shop) -> Iterator[Callable[[], object]]:
    """Yield all that is told of a small shop: orders with hints, payments, refunds and touches."""
    sources = [("google", "cpc"), ("newsletter", "email"), ("facebook", "paid_social")]
    for number in range(ORDERS):
        source, medium = sources[number % 3]
        labels = {"utm_source": source, "utm_medium": medium, "skeldir_journey_id": f"j-{number % 4}"}
        order = shopify_order(1000 + number, note_attributes=attributes(**labels))
        yield lambda order=order: shop.shopify("orders/paid", order)
        yield lambda order=order: shop.shopify("orders/create", order | {"financial_status": "pending"})
        yield lambda number=number: touch(shop, number, *sources[(number + number // 3) % 3])
        if number % 3 == 0:
            refund = shopify_refund(9000 + number, 1000 + number)
            yield lambda refund=refund: shop.shopify("refunds/create", refund)
        if number % 4 == 1:
            metadata = {"utm_source": "tiktok", "utm_medium": "cpc"}
            paid = charge(f"ch_{number}", metadata=metadata, payment_intent=f"pi_{number}")
            yield lambda paid=paid: shop.stripe(stripe_event("charge.succeeded", paid, f"evt_{paid['id']}"))


def touch(shop: Shop, number: int, source: str, medium: str) -> None:
    """Record a touch over the wire, with the tenant's own key."""
    sent = {
        "touchpoint_id": str(UUID(int=number + 1)),
        "journey_id": f"j-{number % 4}",
        "occurred_at": (CREATED - timedelta(hours=number)).isoformat(),
        "utm_source": source.title(),
        "utm_medium": medium,
    }
    reply = shop.api.send(
        "POST",
        "/api/attribution/touchpoints",
        json={"touchpoints": [sent]},
        headers={"X-Skeldir-Tenant-Key": shop.tenant.key},
    )
    assert reply.status_code == 200, reply.text


def forget(database: Database, shop: Shop) -> None:
    """Make the tenant what it was before anything was told."""
    with database.connect() as connection:
        connection.execute("SET session_replication_role = replica")  # or the ledger refuses
        for table in (*TENANT_TABLES, "allocations"):
            connection.execute(f"DELETE FROM {table} WHERE tenant_id = %s", (shop.tenant_id,))


def attributed(shop: Shop) -> list[str]:
    """Attribute every journey and return the rows, whole."""
    engine = get_engine("app_worker")
    with tenant_session(shop.tenant_id, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        journeys = session.execute(text("SELECT DISTINCT journey_id FROM orders")).scalars().all()
        attribution.attribute_journeys(session, journeys, SETTINGS)
        return list(session.execute(text(ROWS)).scalars())


def test_deliveries_and_touches_in_any_order_end_in_the_same_rows(api: Api, database: Database) -> None:
    """Every column of every allocation is the same, ids included."""
    shop = open_shop(api)
    outcomes = []
    for seed in range(4):
        told = list(tellings(shop))
        Random(seed).shuffle(told)
        for tell in told:
            tell()
        outcomes.append(attributed(shop))
        forget(database, shop)

    assert len(outcomes[0]) > ORDERS
    assert all(outcome == outcomes[0] for outcome in outcomes)
