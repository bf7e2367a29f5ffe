"""WooCommerce's webhooks on the wire: what becomes of each snapshot in the ledger."""

import json
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from skeldir.app import create_app
from skeldir.commands import provisioning
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop, receipt
from tests.vendors.payloads import (
    PERSONAL,
    charge,
    meta,
    stripe_event,
    woocommerce_order,
    woocommerce_refund,
)

PENDING = {
    "status": "pending",
    "date_paid": None,
    "date_paid_gmt": None,
    "date_modified_gmt": "2026-11-20T10:00:00",
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CAPTURED = ("727", "captured", 12999, "USD", "2026-11-20")


def refunded(*refunds: dict[str, Any], day: int = 21, **changes: Any) -> dict[str, Any]:
    """Return the order as it is told once these refunds were given."""
    modified = {"date_modified_gmt": f"2026-11-{day}T09:00:00"}
    return woocommerce_order(refunds=list(refunds)) | modified | changes


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def shop(api: Api) -> Shop:
    return open_shop(api)


def test_a_paid_order_is_booked_and_its_journey_marked(shop: Shop) -> None:
    with receipt(shop.woocommerce("order.created", woocommerce_order())) as told:
        assert (told["received"], told["outcome"]) == (True, "booked")

    assert shop.entries() == [CAPTURED]
    assert shop.rows("SELECT ordered_at = '2026-11-20 10:00Z' FROM orders") == [(True,)]
    assert shop.rows("SELECT journey_id FROM dirty_marks") == [("order:727",)]


def test_a_repeated_delivery_gets_its_first_receipt_and_is_counted(shop: Shop) -> None:
    first, second, third = (shop.woocommerce("order.updated", woocommerce_order()) for _ in range(3))

    assert first.json() == second.json() == third.json()
    assert shop.rows("SELECT redeliveries FROM deliveries") == [(2,)]
    assert shop.entries() == [CAPTURED]


def test_two_orders_told_in_one_second_share_their_delivery_id_and_are_two(shop: Shop) -> None:
    for number in (727, 728):
        reply = shop.woocommerce("order.created", woocommerce_order(number))
        assert reply.request.headers["X-WC-Webhook-Delivery-ID"] == "5f4dcc3b5aa765d61d8327deb882cf99"

    assert shop.rows("SELECT order_id FROM orders ORDER BY 1") == [("727",), ("728",)]
    assert shop.rows("SELECT redeliveries FROM deliveries") == [(0,), (0,)]
    assert shop.net() == {"USD": 2 * 12999}


def test_an_update_before_the_creation_ends_as_after_it(shop: Shop, api: Api) -> None:
    other = open_shop(api)
    told = [("order.created", woocommerce_order(**PENDING)), ("order.updated", woocommerce_order())]
    for topic, order in told:
        shop.woocommerce(topic, order)
    for topic, order in reversed(told):
        other.woocommerce(topic, order)

    assert shop.entries() == other.entries() == [CAPTURED]


def test_an_order_that_waits_for_its_money_is_only_authorised(shop: Shop) -> None:
    shop.woocommerce("order.created", woocommerce_order(**PENDING))

    assert shop.rows("SELECT kind, effect_cents FROM ledger_entries") == [("authorised", 0)]


def test_an_edited_total_is_an_edited_capture_in_either_order(shop: Shop, api: Api) -> None:
    other = open_shop(api)
    edited = woocommerce_order(total="99.99", date_modified_gmt="2026-11-20T12:00:00")
    for order in (woocommerce_order(), edited):
        shop.woocommerce("order.updated", order)
    for order in (edited, woocommerce_order()):
        other.woocommerce("order.updated", order)

    assert shop.net() == other.net() == {"USD": 9999}


def test_two_partial_refunds_are_two_entries_however_often_they_are_shown(shop: Shop) -> None:
    one, two = woocommerce_refund(801), woocommerce_refund(802, "-20.00")
    for order in (
        woocommerce_order(),
        refunded(one),
        refunded(one),
        refunded(one, two, day=22),
        refunded(one, two, day=23),
    ):
        shop.woocommerce("order.updated", order)

    assert shop.entries() == [
        CAPTURED,
        ("727", "refunded", 3000, "USD", "2026-11-21"),
        ("727", "refunded", 2000, "USD", "2026-11-22"),
    ]
    assert shop.net() == {"USD": 7999}


def test_a_full_refund_leaves_nothing(shop: Shop) -> None:
    shop.woocommerce("order.updated", woocommerce_order())
    shop.woocommerce("order.updated", refunded(woocommerce_refund(total="-129.99"), status="refunded"))

    assert shop.entries()[1:] == [("727", "refunded", 12999, "USD", "2026-11-21")]
    assert shop.net() == {"USD": 0}


def test_a_status_alone_refunds_nothing_until_the_refund_is_listed(shop: Shop) -> None:
    shop.woocommerce("order.updated", refunded(status="refunded"))
    assert shop.net() == {"USD": 12999}

    shop.woocommerce("order.updated", refunded(woocommerce_refund(total="-129.99"), status="refunded"))
    assert shop.net() == {"USD": 0}


def test_a_cancelled_order_gives_back_what_it_had_captured(shop: Shop) -> None:
    """Cash on delivery counts as paid when the parcel leaves; nobody may be at home."""
    shop.woocommerce("order.updated", woocommerce_order())
    shop.woocommerce(
        "order.updated", woocommerce_order(status="cancelled", date_modified_gmt="2026-11-22T10:00:00")
    )

    assert shop.net() == {"USD": 0}


def test_deliveries_end_the_same_in_any_order(api: Api) -> None:
    one, two = woocommerce_refund(801), woocommerce_refund(802, "-20.00")
    states = [
        woocommerce_order(**PENDING),
        woocommerce_order(),
        refunded(one),
        refunded(one, two, day=22, total="119.99"),
    ]
    ends = set()
    for order in permutations(states):
        shop = open_shop(api)
        for state in order:
            shop.woocommerce("order.updated", state)
        sums = shop.rows("""
            SELECT kind, CAST(effective_at AS date)::text, sum(amount_cents)::int
              FROM ledger_entries GROUP BY 1, 2 HAVING sum(amount_cents) <> 0 ORDER BY 1, 2
        """)
        ends.add((tuple(sums), shop.net()["USD"]))

    assert {net for _, net in ends} == {6999}
    assert len(ends) == 1


def test_a_refund_deleted_in_the_shop_is_taken_back_in_any_order(api: Api) -> None:
    one, two = woocommerce_refund(801), woocommerce_refund(802, "-20.00")
    ends = set()
    for order in permutations([woocommerce_order(), refunded(one, two), refunded(two, day=22)]):
        shop = open_shop(api)
        for state in order:
            shop.woocommerce("order.updated", state)
        ends.add(tuple(shop.rows("""
            SELECT kind, reference, sum(amount_cents)::int FROM ledger_entries WHERE kind <> 'authorised'
             GROUP BY 1, 2 HAVING sum(amount_cents) <> 0 ORDER BY 1
        """)))  # fmt: skip

    assert ends == {(("captured", "727", 12999), ("refunded", "802", 2000))}


def test_a_deleted_order_is_recorded_and_moves_no_money(shop: Shop) -> None:
    shop.woocommerce("order.created", woocommerce_order())
    with receipt(shop.woocommerce("order.deleted", {"id": 727})) as told:
        assert told["outcome"] == "recorded"

    assert shop.entries() == [CAPTURED]


def test_a_currency_without_decimals_is_booked_whole_whatever_the_shop_prints(shop: Shop) -> None:
    refund = woocommerce_refund(total="-500")
    shop.woocommerce("order.created", refunded(refund, total="5000.00", currency="JPY"))

    assert shop.net() == {"JPY": 4500}


def test_woocommerces_own_attribution_becomes_the_orders_touch(shop: Shop) -> None:
    labels = meta(
        _wc_order_attribution_utm_source="google",
        _wc_order_attribution_utm_medium="cpc",
        _wc_order_attribution_utm_campaign="spring",
        skeldir_journey_id="j-1",
    )
    shop.woocommerce("order.created", woocommerce_order(meta_data=labels))

    assert shop.rows("SELECT journey_id, hint_channel_code, hint_campaign_id FROM orders") == [
        ("j-1", "google_search_paid", "spring")
    ]
    assert shop.rows("SELECT journey_id FROM orders") == [("j-1",)]


@pytest.mark.parametrize("stripe_first", [True, False])
@pytest.mark.parametrize(
    ("named", "payment"),
    [
        ({"transaction_id": "ch_1"}, {}),
        ({"transaction_id": "pi_1"}, {"payment_intent": "pi_1"}),
        ({"transaction_id": "ch_1", "meta_data": meta(_stripe_intent_id="pi_1")}, {"payment_intent": "pi_1"}),
    ],
)
def test_an_order_and_the_payment_it_names_count_money_once(
    shop: Shop, named: dict[str, Any], payment: dict[str, Any], *, stripe_first: bool
) -> None:
    paid = stripe_event("charge.succeeded", charge(amount=12900, amount_captured=12900, **payment))
    order = woocommerce_order(**named)
    for is_stripe in (stripe_first, not stripe_first):
        shop.stripe(paid) if is_stripe else shop.woocommerce("order.updated", order)

    assert shop.net() == {"USD": 12900}  # and the processor's word is the last


@pytest.mark.parametrize(
    ("topic", "payload", "reason", "field"),
    [
        ("order.updated", woocommerce_order(currency=None), "missing_required_field", "currency"),
        ("order.updated", woocommerce_order(total=""), "missing_required_field", "total"),
        ("order.updated", woocommerce_order(total="129.999"), "malformed_value", "total"),
        ("order.updated", woocommerce_order(date_paid_gmt="soon"), "malformed_value", "date_paid_gmt"),
        ("order.updated", woocommerce_order(currency="ZZZ"), "currency_unknown", "currency"),
        ("order.updated", woocommerce_order(total="99999999999999.00"), "amount_out_of_range", "total"),
        ("order.updated", refunded({"id": 1, "total": "x"}), "malformed_value", "refunds.0.total"),
        ("order.deleted", {}, "missing_required_field", "id"),
        ("product.updated", {"id": 1}, "unknown_provider_event", "X-WC-Webhook-Topic"),
        ("", woocommerce_order(), "missing_required_field", "X-WC-Webhook-Topic"),
        ("jane@example.com", woocommerce_order(), "malformed_value", "X-WC-Webhook-Topic"),
        ("order.updated", b"{not json", "invalid_json", None),
        ("order.updated", [1, 2], "malformed_value", None),
    ],
)
def test_what_cannot_be_booked_becomes_a_dead_letter_and_a_200(
    shop: Shop, topic: str, payload: Any, reason: str, field: str | None
) -> None:
    with receipt(shop.woocommerce(topic, payload)) as told:
        assert (told["outcome"], told["reason_code"]) == ("dead_lettered", reason)
        assert told.get("reason_field") == field

    assert shop.rows("SELECT reason_code, reason_field FROM dead_letters") == [(reason, field)]
    assert shop.counts() == {"deliveries": 1, "dead_letters": 1}


def test_personal_data_planted_anywhere_is_nowhere_afterwards(shop: Shop) -> None:
    labels = meta(
        utm_source=PERSONAL[0],
        utm_medium="email",
        utm_campaign=f"for {PERSONAL[1]}",
        journey_id=PERSONAL[2],
        _billing_email=PERSONAL[0],
        nested={"name": PERSONAL[5]},
    )
    full = refunded(woocommerce_refund(), meta_data=labels, transaction_id=PERSONAL[0])
    shop.woocommerce("order.created", full)
    shop.woocommerce("order.updated", full | {"status": PERSONAL[0]})
    shop.woocommerce("order.updated", full | {"total": PERSONAL[1], "currency": PERSONAL[3]})
    shop.woocommerce("product.updated", full)
    shop.woocommerce("order.deleted", full)

    stored = shop.everything()
    assert "email" in stored  # the medium
    assert not [value for value in (*PERSONAL, "Canary", "wc_order_58d2") if value in stored]
    assert shop.counts()["events"] == 2


def test_a_forged_or_missing_signature_is_one_401_and_stores_nothing(shop: Shop, api: Api) -> None:
    other = open_shop(api)
    order = woocommerce_order()
    address = f"/api/webhooks/woocommerce/in/{shop.key('woocommerce')}"
    signature = shop.by_woocommerce(b"{}", "order.created")["X-WC-Webhook-Signature"]
    replies = [
        shop.woocommerce("order.created", order, **{"X-WC-Webhook-Signature": "AAAA"}),
        shop.woocommerce("order.created", order, **{"X-WC-Webhook-Signature": ""}),
        shop.post(address, b"{} ", shop.by_woocommerce(b"{}", "order.created")),
        shop.post(address, b"{}", {"X-WC-Webhook-Signature": signature.rstrip("=")}),
        shop.post(address, b"{}", other.by_woocommerce(b"{}", "order.created")),
        shop.post("/api/webhooks/woocommerce/in/ske_nobody", b"{}", shop.by_woocommerce(b"{}", "a.b")),
        shop.post("/api/webhooks/woocommerce/order/created", b"{}", shop.by_woocommerce(b"{}", "a.b")),
    ]

    assert {reply.status_code for reply in replies} == {401}
    assert len({(reply.json()["detail"], reply.json()["code"]) for reply in replies}) == 1
    assert shop.counts() == other.counts() == {}


def test_a_secret_with_html_entities_signs_as_wordpress_decodes_it(shop: Shop) -> None:
    provisioning.set_secret(shop.tenant_id, "woocommerce", "R&amp;D&#039;s &lt;key&gt; &nbsp;", timedelta())
    body = json.dumps(woocommerce_order()).encode()
    address = f"/api/webhooks/woocommerce/in/{shop.key('woocommerce')}"

    raw = shop.by_woocommerce(body, "order.created", b"R&amp;D&#039;s &lt;key&gt; &nbsp;")
    decoded = shop.by_woocommerce(body, "order.created", b"R&D's <key> &nbsp;")

    assert shop.post(address, body, raw).status_code == 401
    assert shop.post(address, body, decoded).json()["outcome"] == "booked"


def test_the_ping_that_announces_a_webhook_is_acknowledged_and_forgotten(shop: Shop) -> None:
    keys = (shop.key("woocommerce"), "ske_nobody")  # which of them exists is nobody's to learn
    replies = [shop.post(f"/api/webhooks/woocommerce/in/{key}", b"webhook_id=12", FORM) for key in keys]

    assert [(reply.status_code, reply.json()) for reply in replies] == [(200, {"received": True})] * 2
    assert shop.counts() == {}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"webhook_id=12&x=1", FORM),
        (b"webhook_id=", FORM),
        (b"{}", FORM),
        (b"webhook_id=12", {"Content-Type": "application/json"}),
        (b"webhook_id=12", FORM | {"X-WC-Webhook-Topic": "order.created"}),
        (b"webhook_id=12", FORM | {"X-WC-Webhook-Signature": "AAAA"}),
    ],
)
def test_what_only_resembles_a_ping_needs_a_signature(
    shop: Shop, body: bytes, headers: dict[str, str]
) -> None:
    assert (
        shop.post(f"/api/webhooks/woocommerce/in/{shop.key('woocommerce')}", body, headers).status_code == 401
    )


@pytest.mark.parametrize(
    ("path", "payload"),
    [
        ("order/created", woocommerce_order()),
        ("order/updated", woocommerce_order()),
        ("order_completed", woocommerce_order(status="completed")),
        ("order/refunded", refunded({"id": 801, "amount": "30.00"})),
    ],
)
def test_each_path_by_tenant_key_is_an_alias(shop: Shop, path: str, payload: Any) -> None:
    body = json.dumps(payload).encode()
    headers = shop.by_woocommerce(body, "") | {"X-Skeldir-Tenant-Key": shop.tenant.key}

    with receipt(shop.post(f"/api/webhooks/woocommerce/{path}", body, headers)) as told:
        assert told["outcome"] == "booked"


def test_a_suspended_tenants_authentic_delivery_is_kept_but_not_booked(shop: Shop) -> None:
    provisioning.set_status(shop.tenant_id, "suspended")

    with receipt(shop.woocommerce("order.created", woocommerce_order())) as told:
        assert (told["outcome"], told["reason_code"]) == ("dead_lettered", "tenant_suspended")
