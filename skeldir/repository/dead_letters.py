"""Dead letters: authentic deliveries that cannot be booked as they are, and their states."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from skeldir.domain.refusals import TENANT_SUSPENDED, Refusal

Status = Literal["pending", "in_progress", "resolved", "abandoned"]
Lane = Literal["review", "quarantine"]

_ADD: Final = text("""
    INSERT INTO dead_letters (dead_letter_id, delivery_id, vendor, topic, reason_code, reason_field, payload,
                              event_id, vendor_event_id, contract_digest, received_at)
    VALUES (:dead_letter_id, :delivery_id, :vendor, :topic, :reason_code, :reason_field,
            CAST(:payload AS jsonb), :event_id, :vendor_event_id, :contract_digest, :received_at)
""")

_COLUMNS: Final = """
    dead_letter_id, delivery_id, vendor, topic, reason_code, reason_field, payload, event_id, vendor_event_id,
    contract_digest, received_at, attempts, status, last_attempted_at, resolved_at, resolution_note,
    abandoned_reason
"""
# The reason tells the lane: only what a suspended tenant is sent is refused for that, and a replay, which
# never is, gives a letter that it cannot book another one.
_FILTER: Final = """
           (CAST(:vendor AS text) IS NULL OR vendor = :vendor)
       AND (CAST(:lane AS text) IS NULL OR (reason_code = 'tenant_suspended') = (:lane = 'quarantine'))
       AND (CAST(:reason_code AS text) IS NULL OR reason_code = :reason_code)
       AND (CAST(:status AS text) IS NULL OR status = :status)
       AND (CAST(:received_from AS timestamptz) IS NULL OR received_at >= :received_from)
       AND (CAST(:received_before AS timestamptz) IS NULL OR received_at < :received_before)
"""

_NEWEST_FIRST: Final = text(f"""
    SELECT {_COLUMNS}
      FROM dead_letters
     WHERE {_FILTER}
       AND (CAST(:place_at AS timestamptz) IS NULL OR received_at < :place_at
            OR (received_at = :place_at AND dead_letter_id > CAST(:place_id AS uuid)))
     ORDER BY received_at DESC, dead_letter_id
     LIMIT :limit
""")  # noqa: S608 - constants of this file

_OLDEST_FIRST: Final = text(f"""
    SELECT {_COLUMNS}
      FROM dead_letters
     WHERE {_FILTER}
       AND (CAST(:place_at AS timestamptz) IS NULL OR received_at > :place_at
            OR (received_at = :place_at AND dead_letter_id > CAST(:place_id AS uuid)))
     ORDER BY received_at, dead_letter_id
     LIMIT :limit
""")  # noqa: S608 - constants of this file

_GET: Final = text(f"SELECT {_COLUMNS} FROM dead_letters WHERE dead_letter_id = :dead_letter_id")  # noqa: S608

# Whoever comes second finds the row locked, or no longer waiting.
_TAKE: Final = text(f"""
    UPDATE dead_letters
       SET status = 'in_progress', attempts = attempts + 1, last_attempted_at = :at, abandoned_reason = NULL
     WHERE dead_letter_id = (
           SELECT dead_letter_id FROM dead_letters
            WHERE dead_letter_id = :dead_letter_id AND status = ANY(CAST(:statuses AS text[]))
              FOR UPDATE SKIP LOCKED)
    RETURNING {_COLUMNS}
""")  # noqa: S608 - constants of this file

_RESOLVE: Final = text("""
    UPDATE dead_letters
       SET status = 'resolved', resolved_at = :at, resolution_note = :note
     WHERE dead_letter_id = :dead_letter_id
""")

_FAIL: Final = text("""
    UPDATE dead_letters
       SET status = 'pending', reason_code = :reason_code, reason_field = :reason_field,
           contract_digest = :contract_digest
     WHERE dead_letter_id = :dead_letter_id
""")

_ABANDON: Final = text(f"""
    UPDATE dead_letters
       SET status = 'abandoned', abandoned_reason = :reason
     WHERE dead_letter_id = (
           SELECT dead_letter_id FROM dead_letters
            WHERE dead_letter_id = :dead_letter_id AND status = 'pending'
              FOR UPDATE SKIP LOCKED)
    RETURNING {_COLUMNS}
""")  # noqa: S608 - constants of this file


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What is kept of a delivery that cannot be booked; a payload only as far as the allow-list goes.

    `event_id` and `vendor_event_id` are what its event is called once it is booked.
    """

    dead_letter_id: UUID
    delivery_id: UUID | None
    vendor: str
    topic: str
    reason_code: str
    reason_field: str | None
    payload: Mapping[str, Any] | None
    received_at: datetime
    event_id: UUID | None = None
    vendor_event_id: str | None = None
    contract_digest: str | None = None
    attempts: int = 1
    status: Status = "pending"
    last_attempted_at: datetime | None = None
    resolved_at: datetime | None = None
    resolution_note: str | None = None
    abandoned_reason: str | None = None

    @property
    def lane(self) -> Lane:
        """Tell whether it waits for the tenant to be resumed, or for somebody to look at it."""
        return "quarantine" if self.reason_code == TENANT_SUSPENDED else "review"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters are meant; what is None does not matter."""

    vendor: str | None = None
    reason_code: str | None = None
    status: Status | None = None
    received_from: datetime | None = None
    received_before: datetime | None = None
    lane: Lane | None = None

    def values(self) -> dict[str, Any]:
        """Return them by name."""
        return {
            "vendor": self.vendor,
            "reason_code": self.reason_code,
            "status": self.status,
            "received_from": self.received_from,
            "received_before": self.received_before,
            "lane": self.lane,
        }


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page or batch ends."""

    received_at: datetime
    dead_letter_id: UUID


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
        "event_id": letter.event_id,
        "vendor_event_id": letter.vendor_event_id,
        "contract_digest": letter.contract_digest,
        "received_at": letter.received_at,
    }
    session.execute(_ADD, parameters)


def newest(session: Session, chosen: Filter, after: Place | None, limit: int) -> list[DeadLetter]:
    """Return dead letters, the newest first, from the place where the page before ended."""
    return _page(session, _NEWEST_FIRST, chosen, after, limit)


def oldest(session: Session, chosen: Filter, after: Place | None, limit: int) -> list[DeadLetter]:
    """Return dead letters, the oldest first, from the place where the batch before ended."""
    return _page(session, _OLDEST_FIRST, chosen, after, limit)


def get(session: Session, dead_letter_id: UUID) -> DeadLetter | None:
    """Return a dead letter."""
    row = session.execute(_GET, {"dead_letter_id": dead_letter_id}).mappings().one_or_none()
    return None if row is None else DeadLetter(**row)


def take(
    session: Session, dead_letter_id: UUID, statuses: tuple[Status, ...], at: datetime
) -> DeadLetter | None:
    """Take a dead letter that is in one of these states to work on it; None if it is not, or is taken."""
    parameters = {"dead_letter_id": dead_letter_id, "statuses": list(statuses), "at": at}
    row = session.execute(_TAKE, parameters).mappings().one_or_none()
    return None if row is None else DeadLetter(**row)


def resolve(session: Session, dead_letter_id: UUID, note: str, at: datetime) -> None:
    """Close a dead letter that was taken: it is booked now."""
    session.execute(_RESOLVE, {"dead_letter_id": dead_letter_id, "note": note, "at": at})


def fail(session: Session, dead_letter_id: UUID, refusal: Refusal, contract_digest: str) -> None:
    """Put a dead letter that was taken back, with the reason why it still cannot be booked."""
    parameters = {
        "dead_letter_id": dead_letter_id,
        "reason_code": refusal.reason_code,
        "reason_field": refusal.field,
        "contract_digest": contract_digest,
    }
    session.execute(_FAIL, parameters)


def abandon(session: Session, dead_letter_id: UUID, reason: str) -> DeadLetter | None:
    """Leave a pending dead letter; None if it is not pending, or is taken."""
    parameters = {"dead_letter_id": dead_letter_id, "reason": reason}
    row = session.execute(_ABANDON, parameters).mappings().one_or_none()
    return None if row is None else DeadLetter(**row)


def _page(
    session: Session, statement: TextClause, chosen: Filter, after: Place | None, limit: int
) -> list[DeadLetter]:
    parameters = chosen.values() | {
        "place_at": after and after.received_at,
        "place_id": after and after.dead_letter_id,
        "limit": limit,
    }
    return [DeadLetter(**row) for row in session.execute(statement, parameters).mappings()]
