"""Shopify: orders, refunds, checkouts and privacy requests as its webhooks tell them."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from skeldir.domain.facts import CanonicalEvent, Fact, FactKind, OrderLink
from skeldir.domain.money import bounded, minor_units
from skeldir.domain.pii_trail import Withholding
from skeldir.domain.refusals import MALFORMED_VALUE, UNKNOWN_PROVIDER_EVENT, Refusal
from skeldir.vendors import shopify_privacy
from skeldir.vendors.fields import (
    Field,
    Reading,
    Shape,
    currency,
    hints_of,
    identifier,
    instant,
    word,
)

VENDOR: Final = "shopify"

# A cart attribute's name -> what it means; of two with one meaning the first wins.
NOTE_ATTRIBUTES: Final[Mapping[str, str]] = {
    "utm_source": "utm_source",
    "utm_medium": "utm_medium",
    "utm_campaign": "utm_campaign",
    "skeldir_session_id": "session_id",
    "session_id": "session_id",
    "skeldir_journey_id": "journey_id",
    "journey_id": "journey_id",
    "payment_intent": "payment_key",
    "payment_intent_id": "payment_key",
    "stripe_payment_intent": "payment_key",
}
_ATTRIBUTES: Final = Field("note_attributes", "pairs", names=NOTE_ATTRIBUTES)

ORDER: Final = Shape(
    Field("id", "id", "order_id", required=True),
    Field("total_price", "amount", "amount", required=True),
    Field("currency", "currency", "currency", required=True),
    Field("created_at", "time", "effective_at", required=True),
    Field("updated_at", "time", "told_at"),
    Field("financial_status", "word", "payment_status"),
    _ATTRIBUTES,
)
REFUND: Final = Shape(
    Field("id", "id", "reference", required=True),
    Field("order_id", "id", "order_id", required=True),
    Field("created_at", "time", "effective_at", required=True),
    Field("currency", "currency", "currency"),
    Field("transactions[].id", "id"),
    Field("transactions[].kind", "word", "transaction_kind", required=True),
    Field("transactions[].status", "word", "transaction_status"),
    Field("transactions[].amount", "amount", "amount", required=True),
    Field("transactions[].currency", "currency", "currency"),
)
CHECKOUT: Final = Shape(
    Field("id", "id"),
    Field("token", "id", required=True, stored=False),  # whoever has the token can open the checkout
    Field("total_price", "amount", required=True),
    Field("currency", "currency"),
    Field("created_at", "time", "created_at"),
    Field("updated_at", "time", "told_at"),
    _ATTRIBUTES,
)
SHAPES: Final[Mapping[str, Shape]] = {
    "orders/create": ORDER,
    "orders/paid": ORDER,
    "refunds/create": REFUND,
    "checkouts/update": CHECKOUT,
    **shopify_privacy.SHAPES,
}
_UNREADABLE: Final = Shape(Field("id", "id"))

_PAID: Final = frozenset(("paid", "partially_refunded", "refunded"))
_UNPAID: Final = frozenset(("pending", "authorized", "voided", "expired"))


def stored_payload(
    topic: str | None, payload: object, withheld: Withholding | None = None
) -> dict[str, object]:
    """Return what of a payload may be kept."""
    if topic == "shop/redact" and shopify_privacy.of_customer(payload) is not None:
        return {}  # what is kept would read as the shop's own end, and a replay would bring it about
    return SHAPES.get(topic or "", _UNREADABLE).stored(payload, withheld)


def canonical_event(topic: str, payload: object, event_id: str, received_at: datetime) -> CanonicalEvent:
    """Map a delivery to what it means; refuses one that cannot be booked as it is."""
    shape = SHAPES.get(topic)
    if shape is None:
        raise Refusal(UNKNOWN_PROVIDER_EVENT, "X-Shopify-Topic")
    if topic in shopify_privacy.SHAPES:
        return shopify_privacy.canonical_event(topic, payload, event_id, received_at)
    reading, kept = shape.read(payload), shape.stored(payload)
    if shape is ORDER:
        return _order(topic, reading, kept, event_id)
    if shape is REFUND:
        return _refund(reading, kept, event_id)
    told_at = reading.get("told_at", instant) or reading.get("created_at", instant) or received_at
    hints = hints_of(reading.labels())
    return CanonicalEvent(VENDOR, "shop", topic, event_id, told_at, kept, hints=hints)


def _order(topic: str, reading: Reading, kept: dict[str, object], event_id: str) -> CanonicalEvent:
    order_id = reading.require("order_id", identifier)
    code = reading.require("currency", currency)
    cents = reading.require("amount", _in(code))
    ordered_at = reading.require("effective_at", instant)
    told_at = reading.get("told_at", instant) or ordered_at

    def fact(kind: FactKind) -> Fact:
        return Fact(VENDOR, "shop", order_id, kind, order_id, cents, code, ordered_at, told_at)

    labels = reading.labels()
    captured = (fact("captured"),) if _is_paid(topic, reading) else ()
    return CanonicalEvent(
        vendor=VENDOR,
        authority="shop",
        topic=topic,
        vendor_event_id=event_id,
        occurred_at=told_at,
        payload=kept,
        order_key=order_id,
        facts=(fact("authorised"), *captured),
        links=_links(labels, order_id),
        hints=hints_of(labels),
    )


def _is_paid(topic: str, reading: Reading) -> bool:
    """Tell whether the order is captured: by its own status, for the topic stands in no signature."""
    status = reading.get("payment_status", word)
    if topic == "orders/paid" and status in _UNPAID:
        raise Refusal(MALFORMED_VALUE, reading.path_of("payment_status"))
    return status in _PAID or (topic == "orders/paid" and status is None)


def _links(labels: Mapping[str, str], order_id: str) -> tuple[OrderLink, ...]:
    payment_key = labels.get("payment_key", "")
    return (OrderLink(payment_key, order_id),) if payment_key.startswith(("pi_", "ch_", "py_")) else ()


def _refund(reading: Reading, kept: dict[str, object], event_id: str) -> CanonicalEvent:
    refund_id = reading.require("reference", identifier)
    order_id = reading.require("order_id", identifier)
    refunded_at = reading.require("effective_at", instant)
    totals: dict[str, int] = defaultdict(int)
    for transaction in reading.items("transactions"):
        kind = transaction.require("transaction_kind", word)
        status = transaction.get("transaction_status", word) or "success"
        if (kind, status) == ("refund", "success"):
            code = transaction.get("currency", currency) or reading.require("currency", currency)
            totals[code] += transaction.require("amount", _in(code))
            bounded(totals[code])
    facts = (
        Fact(VENDOR, "shop", order_id, "refunded", refund_id, cents, code, refunded_at, refunded_at)
        for code, cents in sorted(totals.items())
    )
    return CanonicalEvent(
        VENDOR, "shop", "refunds/create", event_id, refunded_at, kept, order_key=order_id, facts=tuple(facts)
    )


def _in(code: str) -> Callable[[object], int]:
    return lambda amount: minor_units(amount, code)
