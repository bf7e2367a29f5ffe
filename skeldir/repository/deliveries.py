"""Deliveries: every authentic webhook, what became of it, and the receipt that was given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.db.statements import SENT, send_document

# Whoever delivers the same again waits here until the first is committed, then finds it.
CLAIM: Final = """
    INSERT INTO deliveries (delivery_id, endpoint_id, vendor, topic, outcome, reason_code, reason_field,
                            event_id, dead_letter_id, receipt, personal_data, received_at, last_received_at)
    SELECT delivery.*, delivery.received_at
      FROM sent, jsonb_to_recordset(sent.document -> 'deliveries')
           AS delivery (delivery_id uuid, endpoint_id uuid, vendor text, topic text, outcome text,
                        reason_code text, reason_field text, event_id uuid, dead_letter_id uuid,
                        receipt jsonb, personal_data jsonb, received_at timestamptz)
        ON CONFLICT (tenant_id, delivery_id) DO NOTHING
    RETURNING delivery_id
"""

_REPEAT: Final = text("""
    UPDATE deliveries
       SET redeliveries = redeliveries + 1, last_received_at = greatest(last_received_at, :received_at)
     WHERE delivery_id = :delivery_id
""")

_RECEIPT: Final = text("SELECT receipt FROM deliveries WHERE delivery_id = :delivery_id")

# The receipt stays what it was: it is what the vendor was told.
_SETTLE: Final = text("""
    UPDATE deliveries
       SET outcome = :outcome, event_id = :event_id, reason_code = :reason_code, reason_field = :reason_field
     WHERE delivery_id = :delivery_id
""")

_PAGE: Final = text("""
    SELECT delivery_id, vendor, topic, outcome, reason_code, reason_field, event_id, dead_letter_id,
           personal_data, received_at, redeliveries, last_received_at
      FROM deliveries
     WHERE (CAST(:vendor AS text) IS NULL OR vendor = :vendor)
       AND (CAST(:outcome AS text) IS NULL OR outcome = :outcome)
       AND (CAST(:before_at AS timestamptz) IS NULL
            OR received_at < :before_at
            OR (received_at = :before_at AND delivery_id > CAST(:after_id AS uuid)))
     ORDER BY received_at DESC, delivery_id
     LIMIT :limit
""")


Outcome = Literal["booked", "recorded", "dead_lettered"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """An authentic delivery and what became of it."""

    delivery_id: UUID
    vendor: str
    topic: str
    outcome: Outcome
    received_at: datetime
    endpoint_id: UUID | None = None
    event_id: UUID | None = None
    dead_letter_id: UUID | None = None
    reason_code: str | None = None
    reason_field: str | None = None
    personal_data: Mapping[str, Any] | None = None
    """What of its payload was personal: paths and kinds, as `skeldir.domain.pii_trail` tells them."""
    redeliveries: int = 0
    last_received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list ends."""

    received_at: datetime
    delivery_id: UUID


def row(delivery: Delivery, receipt: Mapping[str, Any]) -> dict[str, object]:
    """Return a delivery with its receipt as CLAIM reads it."""
    return {
        "delivery_id": delivery.delivery_id,
        "endpoint_id": delivery.endpoint_id,
        "vendor": delivery.vendor,
        "topic": delivery.topic,
        "outcome": delivery.outcome,
        "reason_code": delivery.reason_code,
        "reason_field": delivery.reason_field,
        "event_id": delivery.event_id,
        "dead_letter_id": delivery.dead_letter_id,
        "receipt": receipt,
        "personal_data": delivery.personal_data or None,
        "received_at": delivery.received_at,
    }


def claim(session: Session, delivery: Delivery, receipt: Mapping[str, Any]) -> bool:
    """Store a delivery with its receipt; False when it was delivered before."""
    document = {"deliveries": [row(delivery, receipt)]}
    return send_document(session, f"WITH {SENT} {CLAIM}", document) is not None


def repeat(session: Session, delivery_id: UUID, received_at: datetime) -> None:
    """Count a repeated delivery."""
    session.execute(_REPEAT, {"delivery_id": delivery_id, "received_at": received_at})


def first_receipt(session: Session, delivery_id: UUID) -> dict[str, Any]:
    """Return what the sender of a delivery was told."""
    told: dict[str, Any] = session.execute(_RECEIPT, {"delivery_id": delivery_id}).scalar_one()
    return told


def settle(
    session: Session,
    delivery_id: UUID,
    outcome: Outcome,
    *,
    event_id: UUID | None = None,
    reason_code: str | None = None,
    reason_field: str | None = None,
) -> None:
    """Say what became of a delivery when it was replayed."""
    parameters = {
        "delivery_id": delivery_id,
        "outcome": outcome,
        "event_id": event_id,
        "reason_code": reason_code,
        "reason_field": reason_field,
    }
    session.execute(_SETTLE, parameters)


def page(
    session: Session, *, vendor: str | None, outcome: Outcome | None, after: Place | None, limit: int
) -> list[Delivery]:
    """Return deliveries, the newest first, from the place where the page before ended."""
    parameters = {
        "vendor": vendor,
        "outcome": outcome,
        "before_at": after and after.received_at,
        "after_id": after and after.delivery_id,
        "limit": limit,
    }
    return [Delivery(**row) for row in session.execute(_PAGE, parameters).mappings()]
