"""What payloads hint of an order's origin: its journey, its touch, and what is marked dirty."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from skeldir.app import create_app
from skeldir.db.engine import get_engine
from skeldir.db.session import tenant_session
from skeldir.domain.ids import uuid7
from skeldir.domain.journeys import Touch
from skeldir.repository import attribution, touchpoints
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop
from tests.repository.attribution_world import SETTINGS
from tests.vendors.payloads import CREATED, attributes, charge, shopify_order, stripe_event

HINTED = """
    SELECT journey_id, hint_channel_code, hint_campaign_id FROM orders
     WHERE hint_touchpoint_id IS NOT NULL ORDER BY 1
"""
CREDITED = text("""
    SELECT channel_code, touch_count FROM allocations WHERE model_version = :linear
     GROUP BY order_id, channel_code, touch_count HAVING sum(allocated_cents) <> 0 ORDER BY 1
""")
JOURNEY = "SELECT journey_id FROM orders WHERE order_id = :order_id"
MARKED = "SELECT DISTINCT journey_id FROM dirty_marks ORDER BY 1"


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def shop(api: Api) -> Shop:
    return open_shop(api)


def record(tenant_id: UUID, source: str, medium: str, days_before: int = 1) -> None:
    """Record a touch of journey j-1 before the order."""
    touch = Touch(
        uuid7(), "j-1", CREATED - timedelta(days=days_before), "email", source=source, medium=medium
    )
    with tenant_session(tenant_id) as session:
        touchpoints.record(session, [touch])


def credited(shop: Shop) -> list[str]:
    """Attribute the tenant's journeys and return whom linear credits, and among how many touches."""
    engine = get_engine("app_worker")
    with tenant_session(shop.tenant_id, isolation="repeatable read", engine=engine) as session:
        journeys = session.execute(text("SELECT DISTINCT journey_id FROM orders")).scalars().all()
        attribution.begin(session)
        attribution.attribute_journeys(session, journeys, SETTINGS)
        rows = session.execute(CREDITED, {"linear": SETTINGS.version("linear")})
        return [f"{channel} of {touches}" for channel, touches in rows]


def test_hints_become_a_touch_of_the_orders_journey_at_its_time(shop: Shop) -> None:
    labels = attributes(
        utm_source="google", utm_medium="cpc", utm_campaign="spring", skeldir_journey_id="j-1"
    )
    shop.shopify("orders/paid", shopify_order(note_attributes=labels))

    assert shop.rows(HINTED) == [("j-1", "google_search_paid", "spring")]
    assert shop.rows(JOURNEY, order_id="1234567890") == [("j-1",)]
    assert shop.rows(MARKED) == [("j-1",)]
    assert credited(shop) == ["google_search_paid of 1"]


def test_an_order_without_a_journey_gets_one_of_its_own(shop: Shop) -> None:
    shop.shopify("orders/paid", shopify_order(note_attributes=attributes(utm_source="newsletter")))

    assert shop.rows(HINTED) == [("order:1234567890", "email", None)]
    assert credited(shop) == ["email of 1"]


@pytest.mark.parametrize("recorded_first", [True, False])
def test_a_recorded_touch_of_the_same_origin_stands_for_the_hint(shop: Shop, *, recorded_first: bool) -> None:
    """Whether it is recorded before the order is told or after."""
    labels = attributes(utm_source="google", utm_medium="CPC", skeldir_journey_id="j-1")
    for is_record in (recorded_first, not recorded_first):
        if is_record:
            record(shop.tenant_id, "Google", "cpc")
        else:
            shop.shopify("orders/paid", shopify_order(note_attributes=labels))

    assert credited(shop) == ["email of 1"]  # the recorded one is told apart by its channel


def test_a_touch_too_old_to_count_does_not_stand_for_the_hint(shop: Shop) -> None:
    record(shop.tenant_id, "google", "cpc", days_before=60)
    labels = attributes(utm_source="google", utm_medium="cpc", skeldir_journey_id="j-1")
    shop.shopify("orders/paid", shopify_order(note_attributes=labels))

    assert credited(shop) == ["google_search_paid of 1"]


def test_several_events_with_one_hint_make_one_touch(shop: Shop) -> None:
    labels = {"utm_source": "google", "utm_medium": "cpc", "journey_id": "j-1"}
    for topic in ("orders/create", "orders/paid"):
        shop.shopify(topic, shopify_order(1001, note_attributes=attributes(**labels)))
    shop.stripe(stripe_event("charge.succeeded", charge(metadata=labels | {"order_id": "1001"})))

    assert shop.rows(HINTED) == [("j-1", "google_search_paid", None)]
    assert credited(shop) == ["google_search_paid of 1"]


def test_an_order_whose_time_moves_takes_its_touch_along(shop: Shop) -> None:
    """An earlier word on the same order leaves no second touch behind for the journey's next orders."""
    labels = attributes(utm_source="google", utm_medium="cpc", skeldir_journey_id="j-1")
    later = (CREATED + timedelta(hours=2)).isoformat()
    shop.shopify("orders/paid", shopify_order(1001, note_attributes=labels, created_at=later))
    shop.shopify("orders/create", shopify_order(1001, note_attributes=labels))

    assert shop.rows("SELECT ordered_at = '2026-11-20 10:00Z' FROM orders") == [(True,)]
    assert credited(shop) == ["google_search_paid of 1"]


def test_a_later_event_that_names_the_journey_marks_it_dirty(shop: Shop) -> None:
    shop.shopify("orders/create", shopify_order())
    assert shop.rows(MARKED) == [("order:1234567890",)]

    labels = attributes(utm_source="google", utm_medium="cpc", skeldir_session_id="s-1")
    shop.shopify("orders/paid", shopify_order(note_attributes=labels))

    assert shop.rows(MARKED) == [("order:1234567890",), ("s-1",)]
    assert shop.rows(JOURNEY, order_id="1234567890") == [("s-1",)]


def test_a_repeated_event_that_brings_hints_marks_its_journey_dirty(shop: Shop) -> None:
    shop.stripe(stripe_event("charge.succeeded", charge()))
    late = stripe_event(
        "charge.succeeded",
        charge(metadata={"utm_source": "tiktok", "utm_medium": "cpc", "journey_id": "j-1"}),
    )
    reply = shop.stripe(late)

    assert reply.json()["outcome"] == "booked"
    assert shop.rows(MARKED) == [("j-1",), ("order:ch_1",)]
    assert shop.rows(HINTED) == [("j-1", "tiktok_paid", None)]
    assert shop.net() == {"USD": 10000}
    assert shop.counts()["events"] == 1


@pytest.mark.parametrize("stripe_first", [True, False])
def test_a_payments_hint_reaches_the_order_that_it_paid_whichever_came_first(
    shop: Shop, *, stripe_first: bool
) -> None:
    metadata = {"utm_source": "google", "utm_medium": "cpc"}
    paid = stripe_event(
        "charge.succeeded",
        charge(payment_intent="pi_1", metadata=metadata, created=int(CREATED.timestamp()) + 5),
    )
    order = shopify_order(1001, note_attributes=attributes(payment_intent="pi_1"))
    for is_stripe in (stripe_first, not stripe_first):
        shop.stripe(paid) if is_stripe else shop.shopify("orders/paid", order)

    assert shop.rows("SELECT hint_channel_code FROM orders WHERE order_id = '1001'") == [
        ("google_search_paid",)
    ]
    assert credited(shop) == ["google_search_paid of 1"]
    assert shop.net() == {"USD": 10000}


def test_a_hint_that_is_personal_names_no_journey(shop: Shop) -> None:
    labels = attributes(utm_source="jane@example.com", skeldir_journey_id="jane@example.com")
    shop.shopify("orders/paid", shopify_order(note_attributes=labels))

    assert shop.rows(JOURNEY, order_id="1234567890") == [("order:1234567890",)]
    assert shop.rows(HINTED) == []
