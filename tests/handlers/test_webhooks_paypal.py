"""PayPal's webhooks on the wire, alone and together with a shop's."""

import json
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop, receipt
from tests.vendors.payloads import PERSONAL, shopify_order
from tests.vendors.paypal_authority import Post, trusted
from tests.vendors.paypal_payloads import captured, disputed, event, given_back, sale_given_back, sold

CAPTURE, PAYMENT = "4L335234718889942", "PAY-1PA12106FU478450MKRETS4A"
SUMS = """
    SELECT order_id, kind, CAST(effective_at AS date)::text, sum(amount_cents)::int FROM ledger_entries
     WHERE kind <> 'authorised' GROUP BY 1, 2, 3 HAVING sum(amount_cents) <> 0 ORDER BY 3, 2
"""


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture(autouse=True)
def post() -> Iterator[Post]:
    with trusted() as post:
        yield post


@pytest.fixture
def shop(api: Api) -> Shop:
    return open_shop(api)


def money(value: str, currency: str) -> dict[str, str]:
    """Write an amount as captures have it."""
    return {"value": value, "currency_code": currency}


def deliver(shop: Shop, *events: dict[str, Any]) -> list[str]:
    """Deliver events and return what became of each."""
    return [shop.paypal(told).json()["outcome"] for told in events]


@pytest.mark.parametrize(("payment", "key"), [(captured(), CAPTURE), (sold(), PAYMENT)])
def test_a_payment_is_booked_under_its_own_key_while_nothing_links_it(
    shop: Shop, payment: dict[str, Any], key: str
) -> None:
    with receipt(shop.paypal(payment)) as told:
        assert told["outcome"] == "booked"

    assert shop.entries() == [(key, "captured", 10000, "USD", "2026-11-20")]


def test_another_attempt_has_another_transmission_and_gets_the_first_receipt(shop: Shop) -> None:
    body = json.dumps(captured()).encode()
    path = f"/api/webhooks/paypal/in/{shop.key('paypal')}"
    attempts = [shop.by_paypal(body) for _ in range(2)]
    replies = [shop.post(path, body, headers) for headers in attempts]

    assert attempts[0]["PAYPAL-TRANSMISSION-ID"] != attempts[1]["PAYPAL-TRANSMISSION-ID"]
    assert replies[0].json() == replies[1].json()
    assert shop.rows("SELECT redeliveries FROM deliveries") == [(1,)]
    assert shop.net() == {"USD": 10000}


@pytest.mark.parametrize(
    "story",
    [
        (captured(), given_back("30.00", 1, "WH-2"), given_back("20.00", 2, "WH-3")),
        (sold(), sale_given_back("-30.00", 1, "WH-2"), sale_given_back("20.00", 2, "WH-3")),
    ],
    ids=["capture", "sale"],
)
def test_two_partial_refunds_take_back_their_parts_in_any_order(
    api: Api, story: tuple[dict[str, Any], ...]
) -> None:
    ends = set()
    for order in permutations(story):
        shop = open_shop(api)
        deliver(shop, *order, order[0])
        ends.add(tuple(row[1:] for row in shop.rows(SUMS)))
        assert shop.net() == {"USD": 5000}

    assert ends == {
        (
            ("captured", "2026-11-20", 10000),
            ("refunded", "2026-11-21", 3000),
            ("refunded", "2026-11-22", 2000),
        )
    }


def test_a_full_refund_leaves_nothing(shop: Shop) -> None:
    deliver(shop, captured(), given_back("100.00", 1, "WH-2"))

    assert shop.net() == {"USD": 0}


@pytest.mark.parametrize("payment_first", [True, False])
def test_a_refund_that_names_only_the_sales_older_key_finds_its_sale(
    shop: Shop, *, payment_first: bool
) -> None:
    refund = sale_given_back("-100.00", 1, "WH-2", sale_id=None, links=[])
    story = (sold(invoice_number="1001"), refund)
    deliver(shop, *(story if payment_first else reversed(story)))

    assert [row[0] for row in shop.rows(SUMS)] == ["1001", "1001"]


CLAIM = disputed("CREATED", 1)
PART = disputed("CREATED", 2, dispute_amount={"currency_code": "USD", "value": "60.00"})
SECOND = {"dispute_id": "PP-D-27804", "dispute_amount": {"currency_code": "USD", "value": "40.00"}}


@pytest.mark.parametrize(
    ("story", "net"),
    [
        ((CLAIM,), 0),
        ((disputed("CREATED", 1, "INQUIRY"),), 10000),
        ((disputed("CREATED", 1, "INQUIRY"), disputed("UPDATED", 2)), 0),
        ((disputed("RESOLVED", 3, "INQUIRY", "RESOLVED_BUYER_FAVOUR"),), 10000),
        ((CLAIM, disputed("RESOLVED", 3, outcome="RESOLVED_SELLER_FAVOUR")), 10000),
        ((disputed("RESOLVED", 3, outcome="RESOLVED_SELLER_FAVOUR"),), 10000),
        ((CLAIM, disputed("RESOLVED", 3, outcome="RESOLVED_WITH_PAYOUT")), 10000),
        ((CLAIM, disputed("RESOLVED", 3, outcome="CANCELED_BY_BUYER")), 10000),
        ((CLAIM, disputed("RESOLVED", 3, outcome="RESOLVED_BUYER_FAVOUR")), 0),
        ((CLAIM, given_back("100.00", 1, "WH-9", "REVERSED")), 0),
        ((CLAIM, disputed("RESOLVED", 3, outcome="NONE")), 0),
        ((given_back("40.00", 1, "WH-9", "REVERSED"),), 6000),
        (
            (
                CLAIM,
                given_back("100.00", 2, "WH-9", "REVERSED"),
                disputed("RESOLVED", 3, outcome="RESOLVED_BUYER_FAVOUR"),
            ),
            0,
        ),
        ((PART, disputed("CREATED", 4, **SECOND)), 0),
        ((PART, disputed("RESOLVED", 5, outcome="RESOLVED_SELLER_FAVOUR", **SECOND)), 4000),
        (
            (
                PART,
                given_back("60.00", 2, "WH-8", "REVERSED"),
                disputed("CREATED", 4, **SECOND),
                given_back("40.00", 5, "WH-9", "REVERSED"),
            ),
            0,
        ),
        ((given_back("60.00", 2, "WH-8", "REVERSED"), given_back("40.00", 5, "WH-9", "REVERSED")), 0),
        ((PART, given_back("60.00", 2, "WH-8", "REVERSED"), given_back("40.00", 5, "WH-9", "REVERSED")), 0),
        (
            (
                disputed("RESOLVED", 2, outcome="RESOLVED_BUYER_FAVOUR"),
                disputed("RESOLVED", 6, outcome="RESOLVED_SELLER_FAVOUR"),
            ),
            10000,
        ),
        (
            (
                disputed("RESOLVED", 2, outcome="RESOLVED_SELLER_FAVOUR"),
                disputed("RESOLVED", 6, outcome="RESOLVED_BUYER_FAVOUR"),
            ),
            0,
        ),
    ],
    ids=lambda value: None if isinstance(value, int) else f"story{len(value)}",
)
def test_disputes_withdraw_their_amounts_once_and_a_won_one_gives_it_back(
    api: Api, story: tuple[dict[str, Any], ...], net: int
) -> None:
    ends = set()
    orders = [*permutations((captured(), *story))]
    for order in orders[:: len(orders) // 24 or 1]:
        shop = open_shop(api)
        assert "dead_lettered" not in deliver(shop, *order)
        ends.add(tuple(shop.rows(SUMS)))
        assert shop.net() == {"USD": net}

    assert len(ends) == 1


def test_a_claim_that_is_lost_in_part_keeps_back_only_what_was_refunded(shop: Shop) -> None:
    outcome = {
        "outcome_code": "RESOLVED_BUYER_FAVOUR",
        "amount_refunded": {"currency_code": "USD", "value": "60.00"},
    }
    deliver(shop, captured(), CLAIM, disputed("RESOLVED", 3, dispute_outcome=outcome))

    assert shop.net() == {"USD": 4000}


@pytest.mark.parametrize("kind", ["SALE", "CAPTURE"])
def test_a_reversal_books_a_withdrawal(shop: Shop, kind: str) -> None:
    story = {
        "SALE": (sold(), sale_given_back("-100.00", 2, "WH-2", "REVERSED")),
        "CAPTURE": (captured(), given_back("100.00", 2, "WH-2", "REVERSED")),
    }
    deliver(shop, *story[kind])

    assert shop.entries()[1][1:] == ("disputed", 10000, "USD", "2026-11-22")
    assert shop.net() == {"USD": 0}


@pytest.mark.parametrize("shop_first", [True, False])
@pytest.mark.parametrize(
    "link",
    [
        {"custom_id": "1001"},
        {"custom_id": '{"order_id": 1001, "utm_source": "google"}'},
        {"custom_id": "order_id=1001&utm_source=google"},
        {"invoice_id": "1001"},
    ],
    ids=["id", "json", "query", "invoice"],
)
def test_shop_and_paypal_tell_one_sale_and_paypals_amount_wins(
    shop: Shop, link: dict[str, str], *, shop_first: bool
) -> None:
    amount = {"currency_code": "USD", "value": "97.00"}
    for is_shop in (shop_first, not shop_first):
        if is_shop:
            shop.shopify("orders/paid", shopify_order(1001, total_price="100.00"))
        else:
            deliver(shop, captured(amount=amount, **link), given_back("30.00", 1, "WH-2"))

    assert shop.net() == {"USD": 6700}
    assert {row[0] for row in shop.rows(SUMS)} == {"1001"}


def test_the_merchants_text_names_the_journey(shop: Shop) -> None:
    text = json.dumps({"order_id": 7, "utm_source": "google", "utm_medium": "cpc", "journey_id": "j-1"})
    deliver(shop, captured(custom_id=text))

    assert shop.rows("SELECT journey_id, hint_channel_code FROM orders") == [("j-1", "google_search_paid")]
    assert shop.rows("SELECT order_id, journey_id FROM orders") == [("7", "j-1")]


@pytest.mark.parametrize(
    ("told", "reason", "field"),
    [
        (captured(amount=None), "missing_required_field", "resource.amount.currency_code"),
        (sold(amount={"total": "1"}), "missing_required_field", "resource.amount.currency"),
        (sold(amount={"currency": "USD"}), "missing_required_field", "resource.amount.total"),
        (captured(amount=money("1.001", "USD")), "malformed_value", "resource.amount.value"),
        (captured(amount=money("10.50", "HUF")), "malformed_value", "resource.amount.value"),
        (captured(amount=money("1", "ZZZ")), "currency_unknown", "resource.amount.currency_code"),
        (captured(amount=money("-1", "USD")), "amount_out_of_range", "resource.amount.value"),
        (captured(status="DECLINED"), "malformed_value", "resource.status"),
        (captured(create_time="yesterday"), "malformed_value", "resource.create_time"),
        (captured(id=None), "missing_required_field", "resource.id"),
        (event("PAYMENT.SALE.COMPLETED", {}, ""), "missing_required_field", "id"),
        (given_back("1", 1, "WH-2", links=[]), "missing_required_field", "resource.links"),
        (sale_given_back("1", 1, "WH-2", sale_id=None, parent_payment=None, links=None),
         "missing_required_field", "resource.sale_id"),
        (disputed("CREATED", 1, "MEDIATION"), "malformed_value", "resource.dispute_life_cycle_stage"),
        (disputed("RESOLVED", 1), "missing_required_field", "resource.dispute_outcome.outcome_code"),
        (disputed("RESOLVED", 1, outcome="WON"), "malformed_value", "resource.dispute_outcome.outcome_code"),
        (disputed("CREATED", 1, dispute_id=None), "missing_required_field", "resource.dispute_id"),
        (disputed("CREATED", 1, disputed_transactions=[]),
         "malformed_value", "resource.disputed_transactions"),
        (disputed("CREATED", 1, disputed_transactions=None),
         "missing_required_field", "resource.disputed_transactions"),
        (disputed("CREATED", 1, disputed_transactions=[{}]),
         "missing_required_field", "resource.disputed_transactions.0.seller_transaction_id"),
        (event("CHECKOUT.ORDER.APPROVED", {"id": "5O1"}), "unknown_provider_event", "event_type"),
        (b" ", "invalid_json", None),
    ],
)  # fmt: skip
def test_what_cannot_be_booked_becomes_a_dead_letter(
    shop: Shop, told: Any, reason: str, field: str | None
) -> None:
    with receipt(shop.paypal(told)) as answer:
        assert answer["outcome"] == "dead_lettered"
        assert (answer["reason_code"], answer.get("reason_field")) == (reason, field)

    assert shop.counts() == {"deliveries": 1, "dead_letters": 1}


@pytest.mark.parametrize(
    ("value", "currency", "cents"), [("1500", "JPY", 1500), ("1500", "HUF", 150000), ("15.00", "TWD", 1500)]
)
def test_amounts_of_whole_currencies_become_iso_minor_units(
    shop: Shop, value: str, currency: str, cents: int
) -> None:
    deliver(shop, captured(amount={"value": value, "currency_code": currency}))

    assert shop.net() == {currency: cents}


def test_personal_data_is_nowhere_afterwards(shop: Shop) -> None:
    text = json.dumps({"order_id": PERSONAL[3], "utm_source": PERSONAL[0], "customer": PERSONAL[5]})
    deliver(
        shop,
        captured("WH-1", custom_id=text, payer={"name": PERSONAL[5], "phone": PERSONAL[1]}),
        captured("WH-2", custom_id=PERSONAL[5], invoice_id=PERSONAL[2]),
        captured("WH-3", custom_id=f"email={PERSONAL[0]}&utm_medium={PERSONAL[1]}", amount=None),
        given_back("1.00", 1, "WH-4", custom_id=PERSONAL[0]),
        disputed("CREATED", 1, reason=PERSONAL[0]),
        event("PAYMENT.ORDER.CANCELLED", {"id": PERSONAL[0], "payer": PERSONAL[5]}, "WH-5"),
    )

    stored = shop.everything()
    assert not [value for value in PERSONAL if value in stored]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("sale_completed", sold()),
        ("payment/capture/completed", captured()),
        ("payment/sale/refunded", sale_given_back("-1.00", 1, "WH-2")),
    ],
)
def test_each_path_by_tenant_key_is_an_alias(shop: Shop, path: str, told: dict[str, Any]) -> None:
    body = json.dumps(told).encode()
    headers = shop.by_paypal(body) | {"X-Skeldir-Tenant-Key": shop.tenant.key}

    with receipt(shop.post(f"/api/webhooks/paypal/{path}", body, headers)) as answer:
        assert answer["outcome"] == "booked"
