"""Stripe: charges, payment intents and disputes as its webhook events tell them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from skeldir.domain.facts import CanonicalEvent, Fact, FactKind, OrderLink, PaymentAlias
from skeldir.domain.money import vendor_units
from skeldir.domain.pii_trail import Withholding
from skeldir.domain.refusals import MALFORMED_VALUE, UNKNOWN_PROVIDER_EVENT, Refusal
from skeldir.vendors.fields import (
    Field,
    Reading,
    Shape,
    currency,
    flag,
    hints_of,
    identifier,
    unix_instant,
    word,
)

VENDOR: Final = "stripe"

# A metadata key -> what it means; of two with one meaning the first wins.
METADATA: Final[Mapping[str, str]] = {
    "utm_source": "utm_source",
    "utm_medium": "utm_medium",
    "utm_campaign": "utm_campaign",
    "skeldir_session_id": "session_id",
    "session_id": "session_id",
    "skeldir_journey_id": "journey_id",
    "journey_id": "journey_id",
    "order_id": "order_id",
}
_ENVELOPE: Final = (
    Field("id", "id", "event_id", required=True),
    Field("type", "word", "topic", required=True),
    Field("created", "unix_time", "told_at", required=True),
    Field("livemode", "flag"),
)
_OBJECT: Final = (
    Field("data.object.object", "word"),
    Field("data.object.amount", "units", "amount", required=True),
    Field("data.object.currency", "currency", "currency", required=True),
    Field("data.object.metadata", "labels", names=METADATA),
)
_PAYMENT: Final = (*_OBJECT, Field("data.object.status", "word", "payment_status"))
CHARGE: Final = Shape(
    *_ENVELOPE,
    *_PAYMENT,
    Field("data.object.id", "id", "charge_key", required=True),
    Field("data.object.created", "unix_time", "effective_at", required=True),
    Field("data.object.captured", "flag", "is_captured"),
    Field("data.object.amount_captured", "units", "captured_amount"),
    Field("data.object.amount_refunded", "units", "refunded_amount"),
    Field("data.object.payment_intent", "id", "payment_key"),
)
PAYMENT_INTENT: Final = Shape(
    *_ENVELOPE,
    *_PAYMENT,
    Field("data.object.id", "id", "payment_key", required=True),
    Field("data.object.created", "unix_time"),
    Field("data.object.amount_received", "units", "captured_amount"),
    Field("data.object.latest_charge", "id", "charge_key"),
)
DISPUTE: Final = Shape(
    *_ENVELOPE,
    *_OBJECT,
    Field("data.object.status", "word", "dispute_status", required=True),
    Field("data.object.id", "id", "reference", required=True),
    Field("data.object.created", "unix_time"),
    Field("data.object.charge", "id", "charge_key", required=True),
    Field("data.object.payment_intent", "id", "payment_key"),
    Field("data.object.reason", "word"),
)
SHAPES: Final[Mapping[str, Shape]] = {
    "charge.succeeded": CHARGE,
    "charge.captured": CHARGE,
    "charge.refunded": CHARGE,
    "payment_intent.succeeded": PAYMENT_INTENT,
    "charge.dispute.created": DISPUTE,
    "charge.dispute.updated": DISPUTE,
    "charge.dispute.funds_withdrawn": DISPUTE,
    "charge.dispute.funds_reinstated": DISPUTE,
    "charge.dispute.closed": DISPUTE,
}
_UNREADABLE: Final = Shape(*_ENVELOPE, Field("data.object.id", "id"), Field("data.object.object", "word"))

# With a warning the bank only asks; where a dispute was prevented, or its charge refunded, the refund or
# the topics of moved funds tell of money, if any moved.
_UNMOVED: Final = frozenset(
    ("warning_needs_response", "warning_under_review", "warning_closed", "prevented", "charge_refunded")
)
_WITHDRAWN: Final = frozenset(("needs_response", "under_review", "won", "lost"))


def topic_of(payload: object) -> str | None:
    """Return the event's own type, if it is one that can be shown."""
    try:
        return Shape(_ENVELOPE[1]).read(payload).get("topic", word)
    except Refusal:
        return None


def event_id_of(payload: object) -> str | None:
    """Return the event's id, which stays the same however often Stripe sends it."""
    try:
        return Shape(_ENVELOPE[0]).read(payload).get("event_id", identifier)
    except Refusal:
        return None


def stored_payload(
    topic: str | None, payload: object, withheld: Withholding | None = None
) -> dict[str, object]:
    """Return what of an event may be kept."""
    return SHAPES.get(topic or "", _UNREADABLE).stored(payload, withheld)


def canonical_event(payload: object) -> CanonicalEvent:
    """Map an event to what it means; refuses one that cannot be booked as it is."""
    envelope = Shape(*_ENVELOPE).read(payload)
    topic = envelope.require("topic", word)
    shape = SHAPES.get(topic)
    if shape is None:
        raise Refusal(UNKNOWN_PROVIDER_EVENT, "type")
    reading = shape.read(payload)
    payment_key = reading.get("payment_key", identifier) or reading.require("charge_key", identifier)
    told_at = reading.require("told_at", unix_instant)
    labels = reading.labels()
    return CanonicalEvent(
        vendor=VENDOR,
        authority="processor",
        topic=topic,
        vendor_event_id=reading.require("event_id", identifier),
        occurred_at=told_at,
        payload=shape.stored(payload),
        order_key=payment_key,
        facts=_FACTS[topic](reading, payment_key, told_at),
        links=_links(labels, payment_key),
        aliases=_aliases(reading, payment_key),
        hints=hints_of(labels),
    )


def _links(labels: Mapping[str, str], payment_key: str) -> tuple[OrderLink, ...]:
    try:
        return (OrderLink(payment_key, identifier(labels["order_id"])),) if "order_id" in labels else ()
    except Refusal:
        return ()  # somebody's free text, not an order's id


def _aliases(reading: Reading, payment_key: str) -> tuple[PaymentAlias, ...]:
    """Return that a charge is its payment intent by another name."""
    charge = reading.get("charge_key", identifier)
    return (PaymentAlias(charge, payment_key),) if charge not in (None, payment_key) else ()


def _charge_succeeded(reading: Reading, payment_key: str, told_at: datetime) -> tuple[Fact, ...]:
    charged_at = reading.require("effective_at", unix_instant)
    _require_success(reading)
    if reading.get("is_captured", flag) is False:
        return (_fact(reading, payment_key, "authorised", "amount", (charged_at, told_at)),)
    return (_captured(reading, payment_key, charged_at, told_at),)


def _captured_later(reading: Reading, payment_key: str, told_at: datetime) -> tuple[Fact, ...]:
    # A charge's own time is when it was authorised, and an intent's when checkout began: the event's counts.
    _require_success(reading)
    return (_captured(reading, payment_key, told_at, told_at),)


def _charge_refunded(reading: Reading, payment_key: str, told_at: datetime) -> tuple[Fact, ...]:
    if reading.get("is_captured", flag) is False:
        return ()  # an authorisation was released: no money had come
    cents = _refunded_cents(reading)
    charge, code = reading.require("charge_key", identifier), reading.require("currency", currency)
    times = (told_at, told_at)
    return (Fact(VENDOR, "processor", payment_key, "refunded", charge, cents, code, *times, cumulative=True),)


def _refunded_cents(reading: Reading) -> int:
    """Return what was refunded so far, without what was never captured: Stripe counts that in."""
    refunded_cents = _cents(reading, "refunded_amount")
    captured_cents = _optional_cents(reading, "captured_amount")
    if captured_cents:
        released_cents = _cents(reading, "amount") - captured_cents
        if 0 < released_cents <= refunded_cents:
            return refunded_cents - released_cents
    return refunded_cents


def _dispute(reading: Reading, payment_key: str, told_at: datetime) -> tuple[Fact, ...]:
    """Tell the withdrawal with every word on it, its end too: any one of them may be the only one."""
    topic, status = reading.require("topic", word), reading.require("dispute_status", word)
    if status not in _WITHDRAWN | _UNMOVED:
        raise Refusal(MALFORMED_VALUE, reading.path_of("dispute_status"))
    is_moved = topic in ("charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated")
    if status in _UNMOVED and not is_moved:
        return ()
    dispute_id, code = reading.require("reference", identifier), reading.require("currency", currency)
    cents, times = _cents(reading, "amount"), (told_at, told_at)

    def fact(kind: FactKind, amount_cents: int) -> Fact:
        return Fact(VENDOR, "processor", payment_key, kind, dispute_id, amount_cents, code, *times)

    if status == "won" or topic == "charge.dispute.funds_reinstated":
        return fact("disputed", cents), fact("dispute_reversed", cents)
    if status == "lost":  # for good: also if it had been won, or reinstated, before
        return fact("disputed", cents), fact("dispute_reversed", 0)
    return (fact("disputed", cents),)


_FACTS: Final[Mapping[str, Callable[[Reading, str, datetime], tuple[Fact, ...]]]] = {
    "charge.succeeded": _charge_succeeded,
    "charge.captured": _captured_later,
    "charge.refunded": _charge_refunded,
    "payment_intent.succeeded": _captured_later,
} | dict.fromkeys((topic for topic, shape in SHAPES.items() if shape is DISPUTE), _dispute)


def _require_success(reading: Reading) -> None:
    if reading.get("payment_status", word) not in (None, "succeeded"):
        raise Refusal(MALFORMED_VALUE, reading.path_of("payment_status"))


def _captured(reading: Reading, payment_key: str, effective_at: datetime, told_at: datetime) -> Fact:
    """Tell the capture: the amount that was captured where the object names one, else the whole."""
    name = "captured_amount" if _optional_cents(reading, "captured_amount") else "amount"
    return _fact(reading, payment_key, "captured", name, (effective_at, told_at))


def _fact(
    reading: Reading, payment_key: str, kind: FactKind, amount: str, times: tuple[datetime, datetime]
) -> Fact:
    code = reading.require("currency", currency)
    return Fact(VENDOR, "processor", payment_key, kind, payment_key, _cents(reading, amount), code, *times)


def _cents(reading: Reading, name: str) -> int:
    code = reading.require("currency", currency)
    return reading.require(name, lambda units: vendor_units(units, code, VENDOR))


def _optional_cents(reading: Reading, name: str) -> int | None:
    code = reading.require("currency", currency)
    return reading.get(name, lambda units: vendor_units(units, code, VENDOR))
