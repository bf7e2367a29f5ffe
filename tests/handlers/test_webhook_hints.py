"""What payloads hint of an order's origin: its journey, its touch, and what is marked dirty."""

from datetime import timedelta
from uuid import UUID

import pytest

from skeldir.app import create_app
from skeldir.db.session import tenant_session
from skeldir.domain.ids import uuid7
from skeldir.domain.journeys import Touch
from skeldir.repository import touchpoints
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop
from tests.vendors.payloads import CREATED, attributes, charge, shopify_order, stripe_event

TOUCHES = """
    SELECT journey_id, channel_code, campaign_id, occurred_at = '2026-11-20 10:00Z'
      FROM touchpoints ORDER BY 1
"""
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


def test_hints_become_a_touch_of_the_orders_journey_at_its_time(shop: Shop) -> None:
    labels = attributes(
        utm_source="google", utm_medium="cpc", utm_campaign="spring", skeldir_journey_id="j-1"
    )
    shop.shopify("orders/paid", shopify_order(note_attributes=labels))

    assert shop.rows(TOUCHES) == [("j-1", "google_search_paid", "spring", True)]
    assert shop.rows(JOURNEY, order_id="1234567890") == [("j-1",)]
    assert shop.rows(MARKED) == [("j-1",)]


def test_an_order_without_a_journey_gets_one_of_its_own(shop: Shop) -> None:
    shop.shopify("orders/paid", shopify_order(note_attributes=attributes(utm_source="newsletter")))

    assert shop.rows(TOUCHES) == [("order:1234567890", "email", "", True)]


def test_a_recorded_touch_of_the_same_origin_is_not_doubled(shop: Shop) -> None:
    record(shop.tenant_id, "Google", "cpc")
    labels = attributes(utm_source="google", utm_medium="CPC", skeldir_journey_id="j-1")
    shop.shopify("orders/paid", shopify_order(note_attributes=labels))

    assert shop.counts()["touchpoints"] == 1


def test_a_touch_too_old_to_count_does_not_stand_for_the_hint(shop: Shop) -> None:
    record(shop.tenant_id, "google", "cpc", days_before=60)
    labels = attributes(utm_source="google", utm_medium="cpc", skeldir_journey_id="j-1")
    shop.shopify("orders/paid", shopify_order(note_attributes=labels))

    assert shop.counts()["touchpoints"] == 2


def test_several_events_with_one_hint_make_one_touch(shop: Shop) -> None:
    labels = {"utm_source": "google", "utm_medium": "cpc", "journey_id": "j-1"}
    for topic in ("orders/create", "orders/paid"):
        shop.shopify(topic, shopify_order(1001, note_attributes=attributes(**labels)))
    shop.stripe(stripe_event("charge.succeeded", charge(metadata=labels | {"order_id": "1001"})))

    assert shop.rows(TOUCHES) == [("j-1", "google_search_paid", "", True)]


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
    assert shop.rows("SELECT channel_code FROM touchpoints") == [("tiktok_paid",)]
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

    touches = shop.rows("""
        SELECT touch.channel_code FROM touchpoints AS touch
          JOIN orders ON orders.tenant_id = touch.tenant_id AND orders.journey_id = touch.journey_id
         WHERE orders.order_id = '1001' AND touch.occurred_at <= orders.ordered_at
    """)
    assert touches == [("google_search_paid",)]
    assert shop.net() == {"USD": 10000}


def test_a_hint_that_is_personal_names_no_journey(shop: Shop) -> None:
    labels = attributes(utm_source="jane@example.com", skeldir_journey_id="jane@example.com")
    shop.shopify("orders/paid", shopify_order(note_attributes=labels))

    assert shop.rows(JOURNEY, order_id="1234567890") == [("order:1234567890",)]
    assert "touchpoints" not in shop.counts()
