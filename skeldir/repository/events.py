"""Events: what of an authentic payload may be kept. Rows are only added."""

from datetime import datetime
from typing import Final
from uuid import UUID

from skeldir.domain.facts import CanonicalEvent

INSERT: Final = """
    INSERT INTO events (event_id, vendor, topic, vendor_event_id, order_id, occurred_at, received_at, payload)
    SELECT event.*
      FROM given, jsonb_to_recordset(given.document -> 'events')
           AS event (event_id uuid, vendor text, topic text, vendor_event_id text, order_id text,
                     occurred_at timestamptz, received_at timestamptz, payload jsonb)
"""


def row(event_id: UUID, event: CanonicalEvent, received_at: datetime) -> dict[str, object]:
    """Return an event with its allow-listed payload as INSERT reads it."""
    return {
        "event_id": event_id,
        "vendor": event.vendor,
        "topic": event.topic,
        "vendor_event_id": event.vendor_event_id,
        "order_id": event.order_key,
        "occurred_at": event.occurred_at,
        "received_at": received_at,
        "payload": event.payload,
    }
