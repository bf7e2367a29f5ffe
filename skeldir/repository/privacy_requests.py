"""Privacy requests: what was asked for in the name of people, and what was found or erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.db.statements import Work, run
from skeldir.domain.facts import CanonicalEvent
from skeldir.domain.ids import fact_id
from skeldir.domain.privacy import PrivacyKind
from skeldir.repository.ledger import Cause

State = Literal["pending", "completed"]

# The same request again is done again: since the first time a shop may have come back.
_ADD: Final = """
    INSERT INTO privacy_requests (request_id, event_id, kind, vendor, vendor_request_id, order_ids,
                                  requested_at)
    VALUES (%(request_id)s, %(event_id)s, %(kind)s, %(vendor)s, %(vendor_request_id)s,
            CAST(%(order_ids)s AS text[]), now())
    ON CONFLICT (tenant_id, request_id) DO UPDATE
       SET state = 'pending', requested_at = now(), completed_at = NULL, row_counts = NULL
     WHERE privacy_requests.state = 'completed'
"""

_COLUMNS: Final = """
    request_id, kind, vendor, vendor_request_id, order_ids, state, requested_at, completed_at, row_counts
"""

_TAKE: Final = text(f"""
    SELECT {_COLUMNS} FROM privacy_requests
     WHERE state = 'pending'
     ORDER BY requested_at, request_id
     LIMIT 1
       FOR UPDATE SKIP LOCKED
""")  # noqa: S608 - a constant of this file

_NOTE: Final = text("""
    UPDATE privacy_requests SET row_counts = CAST(:row_counts AS jsonb) WHERE request_id = :request_id
""")

_COMPLETE: Final = text("""
    UPDATE privacy_requests
       SET state = 'completed', completed_at = now(), row_counts = CAST(:row_counts AS jsonb)
     WHERE request_id = :request_id
""")

_PAGE: Final = text(f"""
    SELECT {_COLUMNS} FROM privacy_requests
     WHERE (CAST(:state AS text) IS NULL OR state = :state)
       AND (CAST(:place_at AS timestamptz) IS NULL OR requested_at < :place_at
            OR (requested_at = :place_at AND request_id > CAST(:place_id AS uuid)))
     ORDER BY requested_at DESC, request_id
     LIMIT :limit
""")  # noqa: S608 - a constant of this file


@dataclass(frozen=True, slots=True)
class Request:
    """A request and its outcome: rows by table, found or erased."""

    request_id: UUID
    kind: PrivacyKind
    vendor: str
    vendor_request_id: str | None
    order_ids: Sequence[str]
    state: State
    requested_at: datetime
    completed_at: datetime | None
    row_counts: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list ends."""

    requested_at: datetime
    request_id: UUID


def add(work: Work, cause: Cause, event: CanonicalEvent) -> None:
    """Keep the request that an event tells; one that was completed waits again."""
    asked = event.privacy
    if asked is not None:
        parameters = {
            "request_id": fact_id(cause.tenant_id, "privacy_request", str(cause.event_id)),
            "event_id": cause.event_id,
            "kind": asked.kind,
            "vendor": event.vendor,
            "vendor_request_id": asked.vendor_request_id,
            "order_ids": list(asked.order_ids),
        }
        run(work, _ADD, parameters)


def take(session: Session) -> Request | None:
    """Lock the request that has waited longest, of those that nobody else is at."""
    row = session.execute(_TAKE).mappings().one_or_none()
    return None if row is None else Request(**row)


def note(session: Session, request: Request, row_counts: Mapping[str, int]) -> None:
    """Add to what was erased for a request so far."""
    told = orjson.dumps(_added(request, row_counts)).decode()
    session.execute(_NOTE, {"request_id": request.request_id, "row_counts": told})


def complete(session: Session, request: Request, row_counts: Mapping[str, int]) -> None:
    """Close a request, with what was found or erased last."""
    told = orjson.dumps(_added(request, row_counts)).decode()
    session.execute(_COMPLETE, {"request_id": request.request_id, "row_counts": told})


def page(session: Session, *, state: State | None, after: Place | None, limit: int) -> list[Request]:
    """Return requests, the newest first, from the place where the page before ended."""
    parameters = {
        "state": state,
        "place_at": after and after.requested_at,
        "place_id": after and after.request_id,
        "limit": limit,
    }
    return [Request(**row) for row in session.execute(_PAGE, parameters).mappings()]


def _added(request: Request, row_counts: Mapping[str, int]) -> dict[str, int]:
    before = request.row_counts or {}
    return {table: before.get(table, 0) + row_counts.get(table, 0) for table in {**before, **row_counts}}
