"""WooCommerce: orders as its webhooks tell them, each delivery a snapshot of the whole order."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from skeldir.domain.facts import CanonicalEvent, Fact, FactKind, OrderLink
from skeldir.domain.money import minor_units
from skeldir.domain.pii_trail import Withholding
from skeldir.domain.refusals import MISSING_REQUIRED_FIELD, UNKNOWN_PROVIDER_EVENT, Refusal
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

VENDOR: Final = "woocommerce"
TOPIC_HEADER: Final = "X-WC-Webhook-Topic"

# A meta key -> what it means; of two with one meaning the first wins. WooCommerce's own attribution
# comes after what the shop says itself; Stripe's plugins note the payment intent here.
META_DATA: Final[Mapping[str, str]] = {
    "utm_source": "utm_source",
    "utm_medium": "utm_medium",
    "utm_campaign": "utm_campaign",
    "_wc_order_attribution_utm_source": "utm_source",
    "_wc_order_attribution_utm_medium": "utm_medium",
    "_wc_order_attribution_utm_campaign": "utm_campaign",
    "skeldir_session_id": "session_id",
    "session_id": "session_id",
    "skeldir_journey_id": "journey_id",
    "journey_id": "journey_id",
    "_stripe_intent_id": "payment_key",
    "_intent_id": "payment_key",
    "payment_intent": "payment_key",
}
ORDER: Final = Shape(
    Field("id", "id", "order_id", required=True),
    Field("status", "word", "payment_status"),
    Field("total", "amount", "amount", required=True),
    Field("currency", "currency", "currency", required=True),
    Field("date_created_gmt", "time", "effective_at"),
    Field("date_created", "time", "effective_at_with_zone"),
    Field("date_modified_gmt", "time", "told_at"),
    Field("date_modified", "time", "told_at_with_zone"),
    Field("date_paid_gmt", "time", "paid_at"),
    Field("date_paid", "time", "paid_at_with_zone"),
    Field("date_completed_gmt", "time", "completed_at"),
    Field("date_completed", "time", "completed_at_with_zone"),
    Field("transaction_id", "id", "payment_key"),
    Field("refunds[].id", "id", "reference", required=True),
    Field("refunds[].total", "amount", "amount"),
    Field("refunds[].amount", "amount", "amount"),
    Field("meta_data", "entries", names=META_DATA),
)
DELETED_ORDER: Final = Shape(Field("id", "id", "order_id", required=True))
# The first four are WooCommerce's own; the others are what shops add to it, with the same body.
SHAPES: Final[Mapping[str, Shape]] = {
    "order.created": ORDER,
    "order.updated": ORDER,
    "order.restored": ORDER,
    "order.deleted": DELETED_ORDER,
    "order.completed": ORDER,
    "order.refunded": ORDER,
}
_UNREADABLE: Final = Shape(Field("id", "id"))

_PAID: Final = frozenset(("processing", "completed", "refunded"))
_VOID: Final = frozenset(("cancelled", "failed"))
_DRAFT: Final = frozenset(("checkout-draft", "auto-draft", "draft", "new"))
_WITHOUT_ZONE: Final = re.compile(r"[0-9-]{10}[Tt ][0-9:.]+")


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """An order as one delivery shows it."""

    order_id: str
    total_cents: int
    currency: str
    status: str | None
    ordered_at: datetime
    paid_at: datetime | None
    told_at: datetime

    @property
    def is_void(self) -> bool:
        """Tell whether the shop counts nothing of the order, as WooCommerce's own reports do not."""
        return self.status in _VOID

    def fact(self, kind: FactKind, reference: str, cents: int, effective_at: datetime) -> Fact:
        """Tell one fact as of this snapshot: of several, the one told last has the amount."""
        return Fact(
            VENDOR, "shop", self.order_id, kind, reference, cents, self.currency, effective_at, self.told_at
        )


def stored_payload(
    topic: str | None, payload: object, withheld: Withholding | None = None
) -> dict[str, object]:
    """Return what of a payload may be kept."""
    return SHAPES.get(topic or "", _UNREADABLE).stored(payload, withheld)


def canonical_event(topic: str, payload: object, event_id: str, received_at: datetime) -> CanonicalEvent:
    """Map a delivery to what it means; refuses one that cannot be booked as it is."""
    shape = SHAPES.get(topic)
    if shape is None:
        raise Refusal(UNKNOWN_PROVIDER_EVENT, TOPIC_HEADER)
    reading, kept = shape.read(payload), shape.stored(payload)
    if shape is DELETED_ORDER:
        # Deleting an order gives no money back, and its body tells nothing but the id.
        order_id = reading.require("order_id", identifier)
        return CanonicalEvent(VENDOR, "shop", topic, event_id, received_at, kept, order_key=order_id)
    snapshot, labels = _snapshot(reading), reading.labels()
    return CanonicalEvent(
        vendor=VENDOR,
        authority="shop",
        topic=topic,
        vendor_event_id=event_id,
        occurred_at=snapshot.told_at,
        payload=kept,
        order_key=snapshot.order_id,
        facts=() if snapshot.status in _DRAFT else tuple(_facts(topic, reading, snapshot)),
        links=_links(reading, labels, snapshot.order_id),
        hints=hints_of(labels),
    )


def _snapshot(reading: Reading) -> _Snapshot:
    code = reading.require("currency", currency)
    ordered_at = _moment(reading, "effective_at")
    if ordered_at is None:
        raise Refusal(MISSING_REQUIRED_FIELD, reading.path_of("effective_at"))
    return _Snapshot(
        order_id=reading.require("order_id", identifier),
        total_cents=reading.require("amount", lambda amount: minor_units(amount, code)),
        currency=code,
        status=reading.get("payment_status", word),
        ordered_at=ordered_at,
        paid_at=_moment(reading, "paid_at"),
        told_at=_moment(reading, "told_at") or ordered_at,
    )


def _facts(topic: str, reading: Reading, order: _Snapshot) -> Iterator[Fact]:
    """Derive what the snapshot's state says. Its total stays what it was, whatever is refunded.

    What it does not show, a capture or a refund that an earlier one told, is thereby taken back.
    """
    yield order.fact("authorised", order.order_id, order.total_cents, order.ordered_at)
    # Only what stands in refunds[] is refunded. WooCommerce itself adds a refund of the balance when
    # an order's status becomes `refunded`, and writes the snapshot afterwards, when it delivers it.
    # One made up from the status would be counted beside that one, for it cannot have its id.
    refunds = [_refund(refund, order) for refund in reading.items("refunds", required=False)]
    if order.is_void:
        return
    if _is_paid(topic, order):
        paid_at = order.paid_at or _moment(reading, "completed_at") or order.ordered_at
        yield order.fact("captured", order.order_id, order.total_cents, paid_at)
    yield from refunds


def _refund(refund: Reading, order: _Snapshot) -> Fact:
    cents = refund.require("amount", lambda amount: _refunded(amount, order.currency))
    reference = refund.require("reference", identifier)
    # The order does not say when: the first snapshot that shows the refund stands for it.
    return order.fact("refunded", reference, cents, order.told_at)


def _is_paid(topic: str, order: _Snapshot) -> bool:
    """Tell whether the order is captured; by the topic, which is not signed, only where no status is told."""
    is_told = order.status in _PAID or (order.status is None and topic == "order.completed")
    return order.paid_at is not None or is_told


def _refunded(amount: object, code: str) -> int:
    """Read a refund's amount, which WooCommerce writes below zero."""
    return minor_units(amount.removeprefix("-") if isinstance(amount, str) else amount, code)


def _links(reading: Reading, labels: Mapping[str, str], order_id: str) -> tuple[OrderLink, ...]:
    """Return the processor's payments that the order names: the transaction, and its payment intent."""
    told = (reading.get("payment_key", _text), labels.get("payment_key"))
    keys = dict.fromkeys(key for key in told if key and PAYMENT_KEY.fullmatch(key))
    return tuple(OrderLink(key, order_id) for key in keys)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(reading: Reading, name: str) -> datetime | None:
    return reading.get(name, _utc_instant) or reading.get(f"{name}_with_zone", instant)


def _utc_instant(value: object) -> datetime:
    """Read a time of a `_gmt` field, which is UTC and does not say so."""
    is_bare = isinstance(value, str) and _WITHOUT_ZONE.fullmatch(value)
    return instant(f"{value}Z" if is_bare else value)
