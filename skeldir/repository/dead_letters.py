"""Dead letters: authentic deliveries that cannot be booked as they are. Rows are only added."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

_ADD: Final = text("""
    INSERT INTO dead_letters (dead_letter_id, delivery_id, vendor, topic, reason_code, reason_field, payload,
                              received_at)
    VALUES (:dead_letter_id, :delivery_id, :vendor, :topic, :reason_code, :reason_field,
            CAST(:payload AS jsonb), :received_at)
""")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What is kept of a delivery that cannot be booked; a payload only as far as the allow-list goes."""

    dead_letter_id: UUID
    delivery_id: UUID
    vendor: str
    topic: str
    reason_code: str
    reason_field: str | None
    payload: Mapping[str, Any] | None
    received_at: datetime


def add(session: Session, letter: DeadLetter) -> None:
    """Keep a dead letter."""
    parameters = {
        "dead_letter_id": letter.dead_letter_id,
        "delivery_id": letter.delivery_id,
        "vendor": letter.vendor,
        "topic": letter.topic,
        "reason_code": letter.reason_code,
        "reason_field": letter.reason_field,
        "payload": None if letter.payload is None else orjson.dumps(letter.payload).decode(),
        "received_at": letter.received_at,
    }
    session.execute(_ADD, parameters)
