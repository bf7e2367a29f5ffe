"""Events: what of an authentic payload may be kept. Rows are only added."""

from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.facts import CanonicalEvent

_ADD: Final = text("""
    INSERT INTO events (event_id, vendor, topic, vendor_event_id, order_id, occurred_at, received_at, payload)
    VALUES (:event_id, :vendor, :topic, :vendor_event_id, :order_id, :occurred_at, :received_at,
            CAST(:payload AS jsonb))
""")


def add(session: Session, event_id: UUID, event: CanonicalEvent, received_at: datetime) -> None:
    """Keep an event with its allow-listed payload."""
    parameters = {
        "event_id": event_id,
        "vendor": event.vendor,
        "topic": event.topic,
        "vendor_event_id": event.vendor_event_id,
        "order_id": event.order_key,
        "occurred_at": event.occurred_at,
        "received_at": received_at,
        "payload": orjson.dumps(event.payload).decode(),
    }
    session.execute(_ADD, parameters)
