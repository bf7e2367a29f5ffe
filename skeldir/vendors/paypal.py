"""PayPal: sales, captures, refunds, reversals and disputes as its webhook events tell them."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

import orjson

from skeldir.domain.currencies import EXPONENTS, vendor_exponent
from skeldir.domain.facts import CanonicalEvent, Fact, FactKind, OrderLink, PaymentAlias
from skeldir.domain.money import minor_units
from skeldir.domain.pii_trail import Withholding
from skeldir.domain.refusals import (
    MALFORMED_VALUE,
    MISSING_REQUIRED_FIELD,
    UNKNOWN_PROVIDER_EVENT,
    Refusal,
)
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

VENDOR: Final = "paypal"

# A name in the merchant's own text -> what it means; of two with one meaning the first wins.
CUSTOM: Final[Mapping[str, str]] = {
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
    Field("event_type", "word", "topic", required=True),
    Field("create_time", "time", "told_at", required=True),
    Field("resource_type", "word"),
)
_RESOURCE: Final = (
    *_ENVELOPE,
    Field("resource.id", "id", "reference", required=True),
    Field("resource.create_time", "time", "effective_at", required=True),
    Field("resource.update_time", "time"),
    Field("resource.parent_payment", "id", "parent_key"),
    Field("resource.custom_id", "labels", names=CUSTOM),
    Field("resource.custom", "labels", names=CUSTOM),
    Field("resource.invoice_id", "id", "order_id"),
    Field("resource.invoice_number", "id", "order_id"),
)
_SALE: Final = (
    *_RESOURCE,
    Field("resource.state", "word", "payment_status"),
    Field("resource.amount.total", "amount", "amount", required=True),
    Field("resource.amount.currency", "currency", "currency", required=True),
)
_CAPTURE: Final = (
    *_RESOURCE,
    Field("resource.status", "word", "payment_status"),
    Field("resource.state", "word", "payment_status"),
    Field("resource.amount.value", "amount", "amount"),
    Field("resource.amount.currency_code", "currency", "currency"),
    Field("resource.amount.total", "amount", "amount"),
    Field("resource.amount.currency", "currency", "currency"),
)
_LINKS: Final = (
    Field("resource.links[].rel", "word"),
    Field("resource.links[].href", "id", "payment_link"),
)
SALE: Final = Shape(*_SALE)
CAPTURE: Final = Shape(*_CAPTURE)
SALE_REFUND: Final = Shape(*_SALE, Field("resource.sale_id", "id", "payment_key"), *_LINKS)
CAPTURE_REFUND: Final = Shape(*_CAPTURE, Field("resource.capture_id", "id", "payment_key"), *_LINKS)
DISPUTE: Final = Shape(
    *_ENVELOPE,
    Field("resource.dispute_id", "id", "reference", required=True),
    Field("resource.create_time", "time", "effective_at", required=True),
    Field("resource.update_time", "time", "updated_at"),
    Field("resource.status", "word"),
    Field("resource.reason", "word"),
    Field("resource.dispute_life_cycle_stage", "word", "stage", required=True),
    Field("resource.dispute_amount.value", "amount", "amount", required=True),
    Field("resource.dispute_amount.currency_code", "currency", "currency", required=True),
    Field("resource.dispute_outcome.outcome_code", "word", "outcome"),
    Field("resource.dispute_outcome.amount_refunded.value", "amount", "refunded_amount"),
    Field("resource.dispute_outcome.amount_refunded.currency_code", "currency", "refunded_currency"),
    Field("resource.disputed_transactions[].seller_transaction_id", "id", "payment_key", required=True),
)
SHAPES: Final[Mapping[str, Shape]] = {
    "PAYMENT.SALE.COMPLETED": SALE,
    "PAYMENT.SALE.REFUNDED": SALE_REFUND,
    "PAYMENT.SALE.REVERSED": SALE_REFUND,
    "PAYMENT.CAPTURE.COMPLETED": CAPTURE,
    "PAYMENT.CAPTURE.REFUNDED": CAPTURE_REFUND,
    "PAYMENT.CAPTURE.REVERSED": CAPTURE_REFUND,
    "CUSTOMER.DISPUTE.CREATED": DISPUTE,
    "CUSTOMER.DISPUTE.UPDATED": DISPUTE,
    "CUSTOMER.DISPUTE.RESOLVED": DISPUTE,
}
_UNREADABLE: Final = Shape(*_ENVELOPE, Field("resource.id", "id"))

_PAID: Final = frozenset(("completed", "partially_refunded", "refunded"))
_GIVEN_BACK: Final = frozenset(("completed", "pending", "partially_refunded", "refunded"))
# From the claim on the money is withdrawn; an inquiry only asks.
_INQUIRY: Final = "INQUIRY"
_WITHDRAWN: Final = frozenset(("CHARGEBACK", "PRE_ARBITRATION", "ARBITRATION"))
_LOST: Final = frozenset(("RESOLVED_BUYER_FAVOUR", "ACCEPTED"))
# With a payout PayPal pays from its own pocket: the seller keeps the money.
_WON: Final = frozenset(("RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER", "DENIED"))
_UNDECIDED: Final = "NONE"  # another dispute of the same payment goes on
_PAYMENT_LINK: Final = re.compile(
    r"https://[a-z0-9.-]{1,100}/v[12]/payments/(?:sale|captures?)/([A-Za-z0-9_]{1,64})"
)
_PAYMENT_RELATIONS: Final = ("up", "sale", "capture")  # searched, for what is asked for may not be hashable
_LABELS_MAX: Final = 50


def topic_of(payload: object) -> str | None:
    """Return the event's own type, if it is one that can be shown."""
    try:
        return Shape(_ENVELOPE[1]).read(payload).get("topic", word)
    except Refusal:
        return None


def event_id_of(payload: object) -> str | None:
    """Return the event's id, which stays the same however often PayPal sends it."""
    try:
        return Shape(_ENVELOPE[0]).read(payload).get("event_id", identifier)
    except Refusal:
        return None


def stored_payload(
    topic: str | None, payload: object, withheld: Withholding | None = None
) -> dict[str, object]:
    """Return what of an event may be kept."""
    return SHAPES.get(topic or "", _UNREADABLE).stored(unfolded(payload), withheld)


def canonical_event(payload: object) -> CanonicalEvent:
    """Map an event to what it means; refuses one that cannot be booked as it is."""
    envelope = Shape(*_ENVELOPE).read(payload)
    topic = envelope.require("topic", word)
    shape = SHAPES.get(topic)
    if shape is None:
        raise Refusal(UNKNOWN_PROVIDER_EVENT, "event_type")
    whole = unfolded(payload)
    reading = shape.read(whole)
    told_at = reading.require("told_at", instant)
    payment_key, facts = _FACTS[topic](reading, told_at)
    labels = reading.labels()
    return CanonicalEvent(
        vendor=VENDOR,
        authority="processor",
        topic=topic,
        vendor_event_id=reading.require("event_id", identifier),
        occurred_at=told_at,
        payload=shape.stored(whole),
        order_key=payment_key,
        facts=facts,
        links=_links(reading, labels, payment_key),
        aliases=_aliases(reading, payment_key),
        hints=hints_of(labels),
    )


def unfolded(payload: object) -> object:
    """Return a copy in which the merchant's own texts are objects, of which a table can name the fields."""
    resource = payload.get("resource") if isinstance(payload, Mapping) else None
    if not isinstance(payload, Mapping) or not isinstance(resource, Mapping):
        return payload
    texts = {name: resource[name] for name in ("custom_id", "custom") if isinstance(resource.get(name), str)}
    labels = {name: _labels(text) for name, text in texts.items()}
    return {**payload, "resource": {**resource, **labels}}


def _labels(text: str) -> dict[str, object]:
    """Read a merchant's own text: a JSON object, a query string, or an order's id and nothing else."""
    try:
        if text.lstrip().startswith("{"):
            parsed: dict[str, object] = orjson.loads(text)
            return parsed
        if "=" in text:
            return dict(parse_qsl(text.lstrip("?"), max_num_fields=_LABELS_MAX))
        return {"order_id": identifier(text)}
    except (ValueError, Refusal):
        return {}  # somebody's free text


def _links(reading: Reading, labels: Mapping[str, str], payment_key: str) -> tuple[OrderLink, ...]:
    order_id = _told(labels.get("order_id")) or _get(reading, "order_id")
    return (OrderLink(payment_key, order_id),) if order_id else ()


def _aliases(reading: Reading, payment_key: str) -> tuple[PaymentAlias, ...]:
    """Return that a sale, or a capture, is its payment by another name."""
    parent = _get(reading, "parent_key")
    return (PaymentAlias(payment_key, parent),) if parent not in (None, payment_key) else ()


def _told(order_id: str | None) -> str | None:
    try:
        return None if order_id is None else identifier(order_id)
    except Refusal:
        return None


def _get(reading: Reading, name: str) -> str | None:
    try:
        return reading.get(name, identifier)
    except Refusal:
        return None  # somebody's free text, not an id


def _payment(reading: Reading, told_at: datetime) -> tuple[str, tuple[Fact, ...]]:
    _require_status(reading, _PAID)
    payment_key = reading.require("reference", identifier)
    return payment_key, (_fact(reading, payment_key, "captured", payment_key, told_at),)


def _refund(reading: Reading, told_at: datetime) -> tuple[str, tuple[Fact, ...]]:
    _require_status(reading, _GIVEN_BACK)
    payment_key = _refunded_payment(reading)
    if payment_key is None:
        is_sale = reading.require("topic", word) == "PAYMENT.SALE.REFUNDED"
        raise Refusal(MISSING_REQUIRED_FIELD, "resource.sale_id" if is_sale else "resource.links")
    refund_id = reading.require("reference", identifier)
    return payment_key, (_fact(reading, payment_key, "refunded", refund_id, told_at),)


def _reversal(reading: Reading, told_at: datetime) -> tuple[str, tuple[Fact, ...]]:
    """Tell a withdrawal that names no dispute, though a claim or chargeback is where it comes from.

    PayPal tells each of those by CUSTOMER.DISPUTE too. What both tell of a payment is compared by the ledger.
    """
    reversal_id = reading.require("reference", identifier)
    payment_key = _refunded_payment(reading) or reversal_id
    return payment_key, (_fact(reading, payment_key, "reversed", reversal_id, told_at),)


def _dispute(reading: Reading, told_at: datetime) -> tuple[str, tuple[Fact, ...]]:
    """Tell the withdrawal with every word on it, its end too: any one of them may be the only one."""
    payment_key, dispute_id = _disputed_payment(reading), reading.require("reference", identifier)
    stage, outcome = reading.require("stage", word), _outcome(reading)
    code = reading.require("currency", currency)
    cents = reading.require("amount", _in(code))
    if stage not in _WITHDRAWN and stage != _INQUIRY:
        raise Refusal(MALFORMED_VALUE, reading.path_of("stage"))
    if stage == _INQUIRY or outcome == _UNDECIDED:
        return payment_key, ()
    if outcome in _LOST and reading.get("refunded_currency", currency) == code:
        kept_back = reading.get("refunded_amount", _in(code))
        cents = cents if kept_back is None else kept_back
    moved_at = reading.get("updated_at", instant) or reading.require("effective_at", instant)

    def fact(kind: FactKind, amount_cents: int) -> Fact:
        return Fact(VENDOR, "processor", payment_key, kind, dispute_id, amount_cents, code, moved_at, told_at)

    if outcome is None:
        return payment_key, (fact("disputed", cents),)
    # On appeal an outcome can become the other one, so that both are told: the last one has the amount.
    given_back = fact("dispute_reversed", cents if outcome in _WON else 0)
    return payment_key, (fact("disputed", cents), given_back)


_FACTS: Final[Mapping[str, Callable[[Reading, datetime], tuple[str, tuple[Fact, ...]]]]] = {
    "PAYMENT.SALE.COMPLETED": _payment,
    "PAYMENT.SALE.REFUNDED": _refund,
    "PAYMENT.SALE.REVERSED": _reversal,
    "PAYMENT.CAPTURE.COMPLETED": _payment,
    "PAYMENT.CAPTURE.REFUNDED": _refund,
    "PAYMENT.CAPTURE.REVERSED": _reversal,
    "CUSTOMER.DISPUTE.CREATED": _dispute,
    "CUSTOMER.DISPUTE.UPDATED": _dispute,
    "CUSTOMER.DISPUTE.RESOLVED": _dispute,
}


def _require_status(reading: Reading, good: frozenset[str]) -> None:
    status = reading.get("payment_status", word)
    if status is not None and status.lower() not in good:
        raise Refusal(MALFORMED_VALUE, reading.path_of("payment_status"))


def _outcome(reading: Reading) -> str | None:
    if reading.require("topic", word) == "CUSTOMER.DISPUTE.RESOLVED":
        outcome: str | None = reading.require("outcome", word)
    else:
        outcome = reading.get("outcome", word)
    if outcome is not None and outcome not in _WON | _LOST | {_UNDECIDED}:
        raise Refusal(MALFORMED_VALUE, reading.path_of("outcome"))
    return outcome


def _refunded_payment(reading: Reading) -> str | None:
    """Return which payment a refund is of: as a field says, a link, or by the payment's older name."""
    return (
        reading.get("payment_key", identifier)
        or _linked_payment(reading)
        or reading.get("parent_key", identifier)
    )


def _linked_payment(reading: Reading) -> str | None:
    links = reading.raw(Field("resource.links", "id"))
    for link in links if isinstance(links, list) else ():
        if isinstance(link, Mapping) and link.get("rel") in _PAYMENT_RELATIONS:
            href = link.get("href")
            found = _PAYMENT_LINK.fullmatch(href) if isinstance(href, str) else None
            if found:
                return found.group(1)
    return None


def _disputed_payment(reading: Reading) -> str:
    """Return the one payment that is disputed; what is disputed of several cannot be told apart."""
    path = "resource.disputed_transactions"
    disputed = reading.raw(Field(path, "id", required=True))
    if not isinstance(disputed, list) or len(disputed) != 1 or not isinstance(disputed[0], Mapping):
        raise Refusal(MALFORMED_VALUE, path)
    field = Field("seller_transaction_id", "id", "payment_key", required=True)
    return Reading([field], disputed[0], f"{path}.0.").require("payment_key", identifier)


def _fact(reading: Reading, payment_key: str, kind: FactKind, reference: str, told_at: datetime) -> Fact:
    code = reading.require("currency", currency)
    cents = reading.require("amount", _in(code, signed=kind != "captured"))
    at = reading.require("effective_at", instant)
    return Fact(VENDOR, "processor", payment_key, kind, reference, cents, code, at, told_at)


def _in(code: str, *, signed: bool = False) -> Callable[[object], int]:
    """Return what reads an amount of a currency; sales write what went back with a sign or without."""

    def cents(amount: object) -> int:
        units = minor_units(amount.removeprefix("-") if signed and isinstance(amount, str) else amount, code)
        if units % 10 ** (EXPONENTS[code] - vendor_exponent(VENDOR, code)):
            raise Refusal(MALFORMED_VALUE)  # a fraction of what PayPal counts whole
        return units

    return cents
