"""Custom senders: payments of shops and tills of the tenant's own, in the words of our own contract."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from skeldir.domain.facts import CanonicalEvent, Fact, FactKind, OrderLink
from skeldir.domain.money import vendor_units
from skeldir.domain.pii_trail import Withholding
from skeldir.domain.refusals import MALFORMED_VALUE, UNKNOWN_PROVIDER_EVENT, Refusal
from skeldir.vendors.fields import (
    PAYMENT_KEY,
    Field,
    Reading,
    Shape,
    currency,
    hints_of,
    identifier,
    instant,
    word,
)

VENDOR: Final = "custom"

HINTS: Final[Mapping[str, str]] = {
    "utm_source": "utm_source",
    "utm_medium": "utm_medium",
    "utm_campaign": "utm_campaign",
    "session_id": "session_id",
    "journey_id": "journey_id",
}
_TYPE: Final = Field("type", "word", "topic", required=True)
_ENVELOPE: Final = (_TYPE, Field("timestamp", "time", "told_at", required=True))
_MONEY: Final = (
    Field("data.order_id", "id", "order_id", required=True),
    Field("data.amount_cents", "units", "amount", required=True),
    Field("data.currency", "currency", "currency", required=True),
    Field("data.occurred_at", "time", "effective_at"),
    Field("data.payment_key", "id", "payment_key"),
    Field("data.hints", "labels", names=HINTS),
)
ORDER: Final = Shape(*_ENVELOPE, *_MONEY)
PAYMENT: Final = Shape(*_ENVELOPE, *_MONEY, Field("data.reference", "id", "reference", required=True))
SHAPES: Final[Mapping[str, Shape]] = {
    "order.placed": ORDER,
    "payment.captured": PAYMENT,
    "payment.refunded": PAYMENT,
    "payment.disputed": PAYMENT,
    "payment.dispute_reversed": PAYMENT,
}
_KINDS: Final[Mapping[str, FactKind]] = {
    "order.placed": "authorised",
    "payment.captured": "captured",
    "payment.refunded": "refunded",
    "payment.disputed": "disputed",
    "payment.dispute_reversed": "dispute_reversed",
}
_UNREADABLE: Final = Shape(*_ENVELOPE)


def topic_of(payload: object) -> str | None:
    """Return the event's own type, if it is one that can be shown."""
    try:
        return Shape(_TYPE).read(payload).get("topic", word)
    except Refusal:
        return None


def stored_payload(
    topic: str | None, payload: object, withheld: Withholding | None = None
) -> dict[str, object]:
    """Return what of an event may be kept."""
    return SHAPES.get(topic or "", _UNREADABLE).stored(payload, withheld)


def canonical_event(payload: object, event_id: str) -> CanonicalEvent:
    """Map an event to what it means; refuses one that cannot be booked as it is."""
    topic = _UNREADABLE.read(payload).require("topic", word)
    shape = SHAPES.get(topic)
    if shape is None:
        raise Refusal(UNKNOWN_PROVIDER_EVENT, _TYPE.path)
    reading = shape.read(payload)
    order_id = reading.require("order_id", identifier)
    told_at = reading.require("told_at", instant)
    link = reading.get("payment_key", _payment_key)
    return CanonicalEvent(
        vendor=VENDOR,
        authority="shop",
        topic=topic,
        vendor_event_id=event_id,
        occurred_at=told_at,
        payload=shape.stored(payload),
        order_key=order_id,
        facts=(_fact(topic, reading, order_id, told_at),),
        links=(OrderLink(link, order_id),) if link else (),
        hints=hints_of(reading.labels()),
    )


def _fact(topic: str, reading: Reading, order_id: str, told_at: datetime) -> Fact:
    code = reading.require("currency", currency)
    return Fact(
        source=VENDOR,
        authority="shop",
        order_key=order_id,
        kind=_KINDS[topic],
        reference=order_id if topic == "order.placed" else reading.require("reference", identifier),
        amount_cents=reading.require("amount", lambda units: vendor_units(units, code, VENDOR)),
        currency=code,
        effective_at=reading.get("effective_at", instant) or told_at,
        told_at=told_at,
    )


def _payment_key(value: object) -> str:
    """Read the name that a processor gave to a payment."""
    key = identifier(value)
    if not PAYMENT_KEY.fullmatch(key):
        raise Refusal(MALFORMED_VALUE)
    return key
