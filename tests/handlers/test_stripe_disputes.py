"""Stripe's disputes and later captures on the wire: whichever events arrive, the money is told once."""

from itertools import permutations
from typing import Any

import pytest

from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop, receipt
from tests.vendors.payloads import (
    PERSONAL,
    UNIX,
    attributes,
    charge,
    dispute,
    shopify_order,
    stripe_event,
)

DAY = 86_400
PAID = stripe_event("charge.succeeded", charge(payment_intent="pi_1"), "evt_paid")
SUMS = """
    SELECT order_id, kind, CAST(effective_at AS date)::text, sum(amount_cents)::int FROM ledger_entries
     WHERE kind <> 'authorised' GROUP BY 1, 2, 3 HAVING sum(amount_cents) <> 0 ORDER BY 3, 2
"""


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def shop(api: Api) -> Shop:
    return open_shop(api)


def disputed(topic: str, day: int, status: str = "needs_response", **changes: Any) -> dict[str, Any]:
    """Return an event of a dispute of the charge."""
    obj = dispute() | {"status": status} | changes
    kind = f"charge.dispute.{topic}"
    return stripe_event(kind, obj, f"evt_{topic}{obj['id']}{day}", created=UNIX + day * DAY)


def captured(amount_cents: int, day: int, refunded_cents: int = 0, **changes: Any) -> dict[str, Any]:
    """Return the charge as it is told when a part of its authorisation was captured."""
    amounts = {"amount_captured": amount_cents, "amount_refunded": 10000 - amount_cents + refunded_cents}
    obj = charge(payment_intent="pi_1", **amounts | changes)
    kind = "charge.refunded" if refunded_cents else "charge.captured"
    return stripe_event(kind, obj, f"evt_{kind}{refunded_cents}", created=UNIX + day * DAY)


OPENED = disputed("created", 1)
WITHDRAWN = disputed("funds_withdrawn", 1)
REINSTATED = disputed("funds_reinstated", 9, "won")
ASKED = disputed("created", 1, "warning_needs_response")
SECOND = {"id": "dp_2", "amount": 4000}


@pytest.mark.parametrize(
    ("story", "net"),
    [
        ((OPENED,), 0),
        ((WITHDRAWN,), 0),
        ((disputed("updated", 2, "under_review"),), 0),
        ((disputed("closed", 9, "lost"),), 0),
        ((OPENED, WITHDRAWN, disputed("updated", 2, "under_review"), disputed("closed", 9, "lost")), 0),
        ((REINSTATED,), 10000),
        ((disputed("closed", 9, "won"),), 10000),
        ((OPENED, WITHDRAWN, disputed("closed", 9, "won"), REINSTATED), 10000),
        ((OPENED, REINSTATED, disputed("closed", 20, "lost")), 0),
        ((ASKED,), 10000),
        ((ASKED, disputed("closed", 5, "warning_closed")), 10000),
        ((ASKED, disputed("updated", 3, "needs_response"), disputed("funds_withdrawn", 3)), 0),
        ((disputed("created", 1, "prevented"),), 10000),
        ((disputed("created", 1, amount=3000),), 7000),
        ((disputed("created", 1, amount=3000), disputed("created", 2, **SECOND)), 3000),
        ((disputed("created", 1, amount=3000), disputed("closed", 4, "won", **SECOND)), 7000),
        ((disputed("created", 1, payment_intent=None),), 0),
    ],
    ids=lambda value: None if isinstance(value, int) else "+".join(event["id"] for event in value),
)
def test_a_dispute_withdraws_its_amount_once_and_a_won_one_gives_it_back(
    api: Api, story: tuple[dict[str, Any], ...], net: int
) -> None:
    ends = set()
    orders = [*permutations((PAID, *story))]
    for order in orders[:: len(orders) // 24 or 1]:
        shop = open_shop(api)
        for event in (*order, order[0]):
            assert shop.stripe(event).json()["outcome"] != "dead_lettered"
        ends.add(tuple(shop.rows(SUMS)))
        assert shop.net() == {"USD": net}

    assert len(ends) == 1


def test_a_dispute_in_another_currency_withdraws_that(shop: Shop) -> None:
    for event in (PAID, disputed("created", 1, amount=9100, currency="eur")):
        shop.stripe(event)

    assert shop.net() == {"USD": 10000, "EUR": -9100}


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"id": None}, "missing_required_field", "data.object.id"),
        ({"charge": None}, "missing_required_field", "data.object.charge"),
        ({"currency": None}, "missing_required_field", "data.object.currency"),
        ({"status": None}, "missing_required_field", "data.object.status"),
        ({"status": "forgiven"}, "malformed_value", "data.object.status"),
        ({"amount": "100"}, "malformed_value", "data.object.amount"),
    ],
)
def test_a_dispute_that_cannot_be_read_becomes_a_dead_letter(
    shop: Shop, changes: dict[str, Any], reason: str, field: str
) -> None:
    event = stripe_event("charge.dispute.created", dispute(**changes))
    with receipt(shop.stripe(event)) as told:
        assert (told["reason_code"], told["reason_field"]) == (reason, field)


def test_a_dispute_keeps_no_evidence(shop: Shop) -> None:
    for event in (OPENED, disputed("created", 1, evidence={"customer_name": PERSONAL[5]}, amount=None)):
        shop.stripe(event)

    stored = shop.everything()
    assert not [value for value in PERSONAL if value in stored]


def test_a_part_captured_later_is_what_was_earned_in_any_order(api: Api) -> None:
    """Stripe counts what was never captured as refunded; only what was given back beyond it is."""
    authorised = stripe_event(
        "charge.succeeded", charge(payment_intent="pi_1", captured=False, amount_captured=0), "evt_1"
    )
    story = (authorised, captured(7000, 2), captured(7000, 3, refunded_cents=2000))
    ends = set()
    for order in permutations(story):
        shop = open_shop(api)
        for event in order:
            shop.stripe(event)
        ends.add(tuple(shop.rows(SUMS)))

    assert ends == {(("pi_1", "captured", "2026-11-22", 7000), ("pi_1", "refunded", "2026-11-23", 2000))}


def test_an_order_that_names_only_the_charge_is_linked_to_the_intents_payment(api: Api) -> None:
    """The shop knows the charge, the processor tells of its intent, and only a third event knows both."""
    order = shopify_order(1001, total_price="100.00", note_attributes=attributes(payment_intent="ch_1"))
    late = disputed("created", 1, amount=3000, payment_intent=None)
    ends = set()
    for told in permutations((PAID, order, late)):
        shop = open_shop(api)
        for payload in told:
            shop.shopify("orders/paid", payload) if payload is order else shop.stripe(payload)
        ends.add(tuple(shop.rows(SUMS)))

    assert ends == {(("1001", "captured", "2026-11-20", 10000), ("1001", "disputed", "2026-11-21", 3000))}
