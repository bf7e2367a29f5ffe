"""Custom senders on the wire: what becomes of each event in the ledger, and who is refused."""

import base64
import json
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handlers.webhooks import intake
from skeldir.app import create_app
from skeldir.commands import provisioning
from skeldir.settings import get_settings
from skeldir.vendors import custom
from skeldir.vendors.kept import without_labels
from skeldir.vendors.secrets import new_secret
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop, receipt
from tests.vendors.payloads import PERSONAL, charge, custom_event, stripe_event

CAPTURED = ("1042", "captured", 12999, "EUR", "2026-11-20")


def refunded(reference: str, cents: int, day: int = 21) -> dict[str, Any]:
    at = f"2026-11-{day}T09:00:00Z"
    return custom_event(
        "payment.refunded", reference=reference, amount_cents=cents, occurred_at=at, timestamp=at
    )


def disputed(kind: str, day: int) -> dict[str, Any]:
    at = f"2026-11-{day}T09:00:00Z"
    return custom_event(kind, reference="dispute-1", amount_cents=12999, occurred_at=at, timestamp=at)


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def shop(api: Api) -> Shop:
    return open_shop(api)


def path(shop: Shop) -> str:
    return f"/api/webhooks/custom/in/{shop.key('custom')}"


def test_a_capture_is_booked_and_nothing_personal_is_kept(shop: Shop) -> None:
    with receipt(shop.custom(custom_event())) as told:
        assert told["outcome"] == "booked"

    assert shop.entries() == [CAPTURED]
    assert not [personal for personal in PERSONAL if personal in shop.everything()]


def test_an_order_that_is_placed_and_not_paid_earns_nothing(shop: Shop) -> None:
    shop.custom(custom_event("order.placed"))

    assert shop.rows("SELECT kind, amount_cents FROM ledger_entries") == [("authorised", 12999)]
    assert shop.net() == {"EUR": 0}


def test_the_same_id_is_the_same_event_whatever_its_body(shop: Shop) -> None:
    first = json.dumps(custom_event()).encode()
    other = json.dumps(custom_event(reference="another", amount_cents=1)).encode()

    replies = [shop.post(path(shop), body, shop.by_custom(body, "msg_one")) for body in (first, first, other)]

    assert [reply.status_code for reply in replies] == [200] * 3
    assert len({reply.text for reply in replies}) == 1
    assert shop.entries() == [CAPTURED]
    assert shop.rows("SELECT redeliveries FROM deliveries") == [(2,)]


def test_two_ids_that_tell_of_one_payment_book_it_once(shop: Shop) -> None:
    body = json.dumps(custom_event()).encode()
    for message_id in ("msg_one", "msg_two"):
        assert shop.post(path(shop), body, shop.by_custom(body, message_id)).status_code == 200

    assert shop.entries() == [CAPTURED]


def test_in_any_order_of_arrival_the_ledger_ends_the_same(api: Api) -> None:
    life = [
        custom_event("order.placed"),
        custom_event(),
        refunded("refund-1", 1000),
        refunded("refund-2", 2000, day=22),
    ]
    for order in permutations(life):
        shop = open_shop(api)
        for event in order:
            assert shop.custom(event).json()["outcome"] == "booked"
        assert shop.net() == {"EUR": 9999}


def test_two_payments_of_one_order_are_both_captured(shop: Shop) -> None:
    shop.custom(custom_event(reference="cash", amount_cents=10000))
    shop.custom(custom_event(reference="voucher", amount_cents=2999))

    assert shop.net() == {"EUR": 12999}


def test_a_full_refund_takes_everything_back(shop: Shop) -> None:
    shop.custom(custom_event())
    shop.custom(refunded("refund-1", 12999))

    assert shop.net() == {"EUR": 0}


@pytest.mark.parametrize(("won", "net"), [(True, 12999), (False, 0)])
def test_a_dispute_takes_the_money_until_it_is_won(shop: Shop, won: bool, net: int) -> None:  # noqa: FBT001
    shop.custom(custom_event())
    shop.custom(disputed("payment.disputed", 22))
    if won:
        shop.custom(disputed("payment.dispute_reversed", 25))

    assert shop.net() == {"EUR": net}


def test_a_corrected_amount_replaces_the_one_told_before(shop: Shop) -> None:
    shop.custom(custom_event(timestamp="2026-11-21T10:00:00Z", amount_cents=10000))
    shop.custom(custom_event(timestamp="2026-11-20T10:00:00Z"))

    assert shop.net() == {"EUR": 10000}


def test_what_stripe_tells_of_the_payment_belongs_to_the_order(shop: Shop) -> None:
    shop.custom(custom_event(payment_key="pi_77"))
    paid = charge("ch_77", payment_intent="pi_77", amount=12999, amount_captured=12999, currency="eur")
    shop.stripe(stripe_event("charge.succeeded", paid | {"metadata": {}}))

    assert shop.net() == {"EUR": 12999}
    assert {order for order, *_ in shop.entries()} == {"1042"}


def test_hints_name_the_journey_and_the_touch(shop: Shop) -> None:
    hints = {"journey_id": "j-7", "utm_source": "google", "utm_medium": "cpc", "unknown": "x"}
    shop.custom(custom_event(hints=hints))

    assert shop.rows("SELECT journey_id, hint_source, hint_medium FROM orders") == [("j-7", "google", "cpc")]


@pytest.mark.parametrize(
    ("event", "reason", "field"),
    [
        (custom_event(currency=None), "missing_required_field", "data.currency"),
        (custom_event(reference=None), "missing_required_field", "data.reference"),
        (custom_event(timestamp=None), "missing_required_field", "timestamp"),
        (custom_event(amount_cents=129.99), "malformed_value", "data.amount_cents"),
        (custom_event(amount_cents="12999"), "malformed_value", "data.amount_cents"),
        (custom_event(amount_cents=-1), "amount_out_of_range", "data.amount_cents"),
        (custom_event(currency="ZZZ"), "currency_unknown", "data.currency"),
        (custom_event(occurred_at="yesterday"), "malformed_value", "data.occurred_at"),
        (custom_event(payment_key="1042"), "malformed_value", "data.payment_key"),
        (custom_event("customer.created"), "unknown_provider_event", "type"),
        ({"data": {}}, "missing_required_field", "type"),
        ([], "malformed_value", None),
        (b"{", "invalid_json", None),
    ],
)
def test_what_cannot_be_booked_is_kept_with_its_reason(
    shop: Shop, event: Any, reason: str, field: str | None
) -> None:
    with receipt(shop.custom(event)) as told:
        assert (told["outcome"], told["reason_code"], told.get("reason_field")) == (
            "dead_lettered",
            reason,
            field,
        )
    assert shop.entries() == []


@pytest.mark.parametrize(("age", "status"), [(299, 200), (301, 401), (-300, 200), (-302, 401)])
def test_an_attempt_is_good_for_five_minutes_both_ways(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, age: int, status: int
) -> None:
    body = json.dumps(custom_event()).encode()
    headers, sent_at = shop.by_custom(body), intake.now()
    monkeypatch.setattr(intake, "now", lambda: sent_at + timedelta(seconds=age))

    assert shop.post(path(shop), body, headers).status_code == status


def test_a_public_key_verifies_what_its_owner_signs(shop: Shop) -> None:
    private = Ed25519PrivateKey.generate()
    public = "whpk_" + base64.b64encode(private.public_key().public_bytes_raw()).decode()
    provisioning.set_secret(shop.tenant_id, "custom", public, timedelta(hours=1))
    body = json.dumps(custom_event()).encode()
    headers = shop.by_custom(body)
    signed = private.sign(f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body)

    by_key = headers | {"webhook-signature": "v1a," + base64.b64encode(signed).decode()}
    assert shop.post(path(shop), body, by_key).status_code == 200
    assert shop.post(path(shop), body, headers).status_code == 200  # the former secret, in its grace
    assert shop.post(path(shop), body + b" ", by_key).status_code == 401


def test_a_secret_that_was_replaced_for_good_opens_nothing(shop: Shop) -> None:
    provisioning.set_secret(shop.tenant_id, "custom", new_secret("custom"), timedelta())

    assert shop.custom(custom_event()).status_code == 401
    assert shop.counts() == {}


def test_what_leads_to_a_journey_can_be_taken_out_of_what_is_kept() -> None:
    """An erasure takes the hints and leaves the money."""
    told = custom_event(hints={"journey_id": "j-7"})
    kept = custom.stored_payload("payment.captured", told)

    assert kept != without_labels(kept) == custom.stored_payload("payment.captured", custom_event())
