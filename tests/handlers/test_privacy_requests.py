"""Shopify's privacy topics, from the wire to what is left: nothing that leads to a person, and every cent."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from skeldir.app import create_app
from skeldir.commands import provisioning
from skeldir.settings import get_settings
from tests import waiting
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.privacy import (
    CUSTOMER,
    JOURNEY,
    MONEY,
    NAMELESS,
    OTHER,
    OURS,
    SESSION,
    SHOP,
    THEIRS,
    attribute,
    counts,
    deliveries,
    fulfil,
    hinted,
    listed,
    money,
    redact,
    traces,
)
from tests.handlers.webhooks import Shop, open_shop, receipt
from tests.identity import log_in, make_user
from tests.stored import tables_with
from tests.vendors.payloads import (
    PERSONAL,
    UNIX,
    attributes,
    charge,
    shopify_order,
    stripe_event,
)


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def shop(api: Api) -> Shop:
    return traces(api)


def test_a_data_request_is_answered_by_what_is_held_of_its_orders(database: Database, shop: Shop) -> None:
    attribute(shop)
    before = money(shop)
    asked = {"orders_requested": [OURS, 42], "customer": CUSTOMER, "data_request": {"id": 9999}}

    with receipt(shop.shopify("customers/data_request", SHOP | asked)) as told:
        assert told["outcome"] == "recorded"
    assert [request["state"] for request in listed(shop, state="pending")] == ["pending"]
    fulfil(shop)

    (request,) = listed(shop)
    assert (request["kind"], request["state"], request["vendor_request_id"]) == (
        "customer_data_request", "completed", "9999",
    )  # fmt: skip
    assert (request["order_count"], request["order_ids"]) == (2, [str(OURS), "42"])
    held = counts(request)
    assert {table: held[table] for table in ("events", "dead_letters", "orders", "touchpoints")} == {
        "events": 4, "dead_letters": 2, "orders": 1, "touchpoints": 3,
    }  # fmt: skip
    assert {"facts", "order_hints", "order_links", "ledger_entries", "allocations"} < set(held)
    assert money(shop) == before
    assert not tables_with(database, ["191167", *PERSONAL], shop.tenant_id)


def test_a_redaction_leaves_the_money_and_nothing_that_leads_to_the_person(
    database: Database, shop: Shop
) -> None:
    attribute(shop)
    before = money(shop)
    assert set(tables_with(database, [JOURNEY, SESSION], shop.tenant_id)) == {
        "dead_letters", "dirty_marks", "events", "order_hints", "orders", "touchpoints",
    }  # fmt: skip

    redact(shop, OURS)

    assert tables_with(database, [JOURNEY, SESSION, "191167", *PERSONAL], shop.tenant_id) == {}
    assert money(shop) == before
    attribute(shop)
    assert money(shop) == before, "attributed anew, every channel gets what it got"
    assert shop.rows("SELECT order_key FROM erased_orders ORDER BY 1") == [
        (str(OURS),), (str(NAMELESS),), ("ch_1",), ("pi_1",),
    ]  # fmt: skip
    (request,) = listed(shop)
    assert counts(request) == {
        "events": 6, "dead_letters": 2, "order_hints": 3, "orders": 2, "touchpoints": 3,
    }  # fmt: skip


def test_somebody_elses_orders_stay_as_they_are(database: Database, shop: Shop) -> None:
    before = shop.rows("SELECT payload FROM events WHERE order_id = :it", it=str(THEIRS))

    redact(shop, OURS)

    assert shop.rows("SELECT payload FROM events WHERE order_id = :it", it=str(THEIRS)) == before
    assert set(tables_with(database, [OTHER], shop.tenant_id)) == {
        "dirty_marks", "events", "order_hints", "orders", "touchpoints",
    }  # fmt: skip


def test_an_erased_dead_letter_stays_as_a_row_with_its_reason(shop: Shop) -> None:
    reasons = shop.rows("SELECT dead_letter_id, reason_code, reason_field FROM dead_letters ORDER BY 1")

    redact(shop, OURS)

    assert (
        shop.rows("SELECT dead_letter_id, reason_code, reason_field FROM dead_letters ORDER BY 1") == reasons
    )
    assert shop.rows("SELECT DISTINCT payload FROM dead_letters") == [(None,)]


def test_nothing_that_is_delivered_afterwards_brings_the_person_back(database: Database, shop: Shop) -> None:
    """Neither the same deliveries again, nor new ones of the orders, earlier or later than all before."""
    attribute(shop)
    before = money(shop)
    redact(shop, OURS)

    for topic, payload in deliveries():
        shop.shopify(topic, payload)
    for day in ("2026-11-01", "2026-11-28"):
        told = f"{day}T10:00:00+00:00"
        shop.shopify("orders/paid", hinted(OURS, JOURNEY, updated_at=told))
        shop.shopify("orders/paid", hinted(NAMELESS, SESSION, updated_at=told))
        late = charge("ch_1", payment_intent="pi_1", metadata={"journey_id": JOURNEY})
        shop.stripe(stripe_event("charge.succeeded", late, event_id=f"evt_{day}"))

    assert tables_with(database, [JOURNEY, SESSION], shop.tenant_id) == {}
    attribute(shop)
    assert money(shop)[:2] == before[:2]


def test_deliveries_that_come_meanwhile_do_not_slip_through(database: Database, shop: Shop) -> None:
    """Of the order itself, and of one that shares its journey without being named."""
    told = [
        hinted(order_id, JOURNEY, updated_at=f"2026-11-20T11:{minute:02}:00Z")
        for minute in range(20)
        for order_id in (OURS, NAMELESS)
    ]
    with ThreadPoolExecutor(6) as senders:
        replies = senders.map(lambda order: shop.shopify("orders/paid", order), told)
        redact(shop, OURS)
        assert {reply.status_code for reply in replies} == {200}

    assert tables_with(database, [JOURNEY, SESSION], shop.tenant_id) == {}
    assert shop.rows("SELECT count(DISTINCT journey_id) FROM orders WHERE journey_id LIKE 'erased:%'") == [
        (2,)
    ]


def test_a_dead_letter_that_comes_afterwards_can_be_booked_and_names_no_journey(
    database: Database, shop: Shop
) -> None:
    redact(shop, OURS)

    told = shop.shopify("orders/paid", hinted(OURS, JOURNEY, currency="ZZZ", total_price="7.00")).json()

    assert tables_with(database, [JOURNEY], shop.tenant_id) == {}
    assert shop.rows(
        "SELECT payload ->> 'total_price', payload ->> 'id' FROM dead_letters WHERE dead_letter_id = :it",
        it=told["dead_letter_id"],
    ) == [("7.00", str(OURS))]


def test_a_payment_that_is_linked_afterwards_is_erased_within_the_hour(
    database: Database, shop: Shop
) -> None:
    """Its journey, though told before the order's own, does not become the order's."""
    attribute(shop)
    before = shop.rows(MONEY[1])
    redact(shop, OURS)
    alone = charge("ch_9", payment_intent="pi_9", metadata={"journey_id": JOURNEY}, created=UNIX - 60)
    shop.stripe(stripe_event("charge.succeeded", alone, event_id="evt_9", created=UNIX - 60))
    assert "events" in tables_with(database, [JOURNEY], shop.tenant_id)

    shop.shopify("orders/paid", shopify_order(OURS, note_attributes=attributes(payment_intent="pi_9")))
    assert set(fulfil(shop)) == {"linked_late"}

    assert tables_with(database, [JOURNEY], shop.tenant_id) == {}
    assert fulfil(shop) == {}
    shop.shopify("orders/paid", shopify_order(OURS, updated_at="2026-11-20T12:00:00Z"))
    attribute(shop)
    # The payment told of the order a minute earlier, and what decays with time decays by that.
    steady = {row for row in before if not row[0].startswith("time_decay")}
    assert steady <= set(shop.rows(MONEY[1]))


def test_a_shop_that_left_is_erased_and_its_address_closed(database: Database, shop: Shop) -> None:
    attribute(shop)
    before, other = money(shop), shop.rows("SELECT payload FROM events WHERE vendor = 'stripe'")
    assert other != [({},)]

    assert shop.shopify("shop/redact", SHOP).json()["outcome"] == "recorded"
    fulfil(shop)

    assert tables_with(database, [JOURNEY, SESSION, OTHER], shop.tenant_id) == {}
    assert shop.rows("SELECT DISTINCT payload FROM events WHERE vendor = 'shopify'") == [({},)]
    assert money(shop) == before
    assert counts(listed(shop)[0])["webhook_endpoints"] == 1
    assert shop.rows("SELECT action, user_id FROM endpoint_changes WHERE action LIKE '%revoked'") == [
        ("endpoint_revoked", None)
    ]
    assert shop.shopify("orders/paid", shopify_order()).status_code == 401
    assert shop.stripe(stripe_event("charge.succeeded", charge("ch_7"), "evt_7")).status_code == 200


@pytest.mark.parametrize(
    ("topic", "payload", "reason", "field"),
    [
        ("shop/redact", SHOP | {"customer": CUSTOMER, "orders_to_redact": []}, "malformed_value", "customer"),
        ("shop/redact", SHOP | {"orders_requested": [1]}, "malformed_value", "orders_requested"),
        ("shop/redact", shopify_order(), "missing_required_field", "shop_id"),
        ("customers/redact", SHOP, "missing_required_field", "orders_to_redact"),
        ("customers/redact", SHOP | {"orders_requested": [1]}, "missing_required_field", "orders_to_redact"),
        ("customers/redact", SHOP | {"orders_to_redact": "1"}, "malformed_value", "orders_to_redact"),
        ("customers/redact", SHOP | {"orders_to_redact": [1, {}]}, "malformed_value", "orders_to_redact.1"),
        ("customers/data_request", SHOP | {"orders_requested": [PERSONAL[0]]}, "malformed_value",
         "orders_requested.0"),
    ],
)  # fmt: skip
def test_a_topic_that_its_body_does_not_bear_out_asks_for_nothing(
    api: Api, topic: str, payload: dict[str, Any], reason: str, field: str
) -> None:
    """The header that names the topic is signed by nobody."""
    shop = open_shop(api)

    with receipt(shop.shopify(topic, payload)) as told:
        assert (told["outcome"], told["reason_code"], told["reason_field"]) == (
            "dead_lettered", reason, field,
        )  # fmt: skip

    assert listed(shop) == []
    assert PERSONAL[0] not in shop.everything()


def test_the_same_request_again_is_done_again(shop: Shop) -> None:
    """A shop that came back can leave again with the very same words."""
    redact(shop, OURS)
    first = listed(shop)[0]

    redact(shop, OURS)

    (request,) = listed(shop)
    assert request["request_id"] == first["request_id"]
    assert request["completed_at"] > first["completed_at"]
    assert counts(request) == {}


def test_a_request_sends_for_a_worker_in_its_own_transaction(database: Database, shop: Shop) -> None:
    with database.connect() as superuser:
        waiting.clear(superuser)
        shop.shopify("customers/redact", SHOP | {"orders_to_redact": [OURS]})

        sent = [(one["task"], one["kwargsrepr"]) for one in waiting.headers(superuser)]
    assert len(listed(shop, state="pending")) == 1
    assert sent == [("maintenance.fulfil_privacy_requests", f"{{'tenant_id': '{shop.tenant_id}'}}")]


def test_a_suspended_tenants_request_is_done_when_it_is_replayed(shop: Shop, api: Api) -> None:
    provisioning.set_status(shop.tenant_id, "suspended")
    told = shop.shopify("customers/redact", SHOP | {"orders_to_redact": [OURS]}).json()
    assert told["reason_code"] == "tenant_suspended"
    provisioning.set_status(shop.tenant_id, "active")
    token = log_in(make_user(shop.tenant_id, "manager")).tokens.access.token
    path = f"/api/webhooks/dead-letters/{told['dead_letter_id']}/replay"

    replayed = api.send("POST", path, token=token, json={"dry_run": False})

    assert replayed.json()["outcome"] == "resolved", replayed.text
    assert fulfil(shop)["completed"] == 1
    assert counts(listed(shop)[0])["events"] == 6
