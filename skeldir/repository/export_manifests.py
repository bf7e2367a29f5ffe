"""What was exported: begun before the first byte, finished once after the last, never changed again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.exports import CurrencyTotal, Dataset, ExportFilters, ExportFormat
from skeldir.repository.channel_reports import Mode

_BEGIN: Final = text("""
    INSERT INTO export_manifests (export_id, dataset, format, model, model_version, mode, start_date,
                                  end_date, channels, currency, requested_by, snapshot_at, ends_at, totals)
    VALUES (:export_id, :dataset, :format, :model, :model_version, :mode, :start_date, :end_date,
            CAST(:channels AS text[]), :currency, :requested_by, :snapshot_at,
            CAST(:snapshot_at AS timestamptz) + make_interval(secs => :seconds_max), CAST(:totals AS jsonb))
""")
_COMPLETE: Final = text("""
    UPDATE export_manifests
       SET status = 'complete', finished_at = clock_timestamp(), row_count = :row_count,
           byte_count = :byte_count, sha256 = :sha256, totals = CAST(:totals AS jsonb)
     WHERE export_id = :export_id AND status = 'streaming'
""")
_ABORT: Final = text("""
    UPDATE export_manifests
       SET status = 'aborted', finished_at = clock_timestamp()
     WHERE export_id = :export_id AND status = 'streaming'
""")
# A process that died finished nothing; what it was sending is known to be broken when its time is over.
_MANIFEST: Final = """
    SELECT export_id, dataset, format, model, model_version, mode, start_date, end_date, channels, currency,
           requested_by, snapshot_at, finished_at, row_count, byte_count, sha256, totals,
           CASE WHEN status = 'streaming' AND ends_at < now() THEN 'aborted' ELSE status END AS status
      FROM export_manifests
"""
_GET: Final = text(f"{_MANIFEST} WHERE export_id = :export_id")
_PAGE: Final = text(f"""
    {_MANIFEST}
     WHERE snapshot_at <= coalesce(CAST(:after_snapshot_at AS timestamptz), 'infinity')
       AND (CAST(:after_snapshot_at AS timestamptz) IS NULL
            OR snapshot_at < CAST(:after_snapshot_at AS timestamptz)
            OR export_id > CAST(:after_export_id AS uuid))
     ORDER BY snapshot_at DESC, export_id
     LIMIT :limit
""")


class Place(NamedTuple):
    """Where a page ended: the key of its last row."""

    snapshot_at: datetime
    export_id: UUID


@dataclass(frozen=True, slots=True)
class Begun:
    """An export whose first byte may be sent."""

    export_id: UUID
    dataset: Dataset
    format: ExportFormat
    model: str
    model_version: str
    mode: Mode
    filters: ExportFilters
    requested_by: UUID | None
    snapshot_at: datetime
    totals: Sequence[CurrencyTotal]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known only after the last byte."""

    row_count: int
    byte_count: int
    sha256: str
    totals: Sequence[CurrencyTotal]


@dataclass(frozen=True, slots=True)
class Manifest:
    """An export as it is told; counts and digest are None unless it is complete."""

    export_id: UUID
    dataset: Dataset
    format: ExportFormat
    model: str
    model_version: str
    mode: Mode
    start_date: date | None
    end_date: date | None
    channels: list[str] | None
    currency: str | None
    requested_by: UUID | None
    snapshot_at: datetime
    finished_at: datetime | None
    row_count: int | None
    byte_count: int | None
    sha256: str | None
    totals: list[dict[str, Any]]
    status: str


def begin(session: Session, begun: Begun, seconds_max: float) -> None:
    """Keep what an export is of."""
    filters = begun.filters
    session.execute(
        _BEGIN,
        {
            "export_id": begun.export_id,
            "dataset": begun.dataset,
            "format": begun.format,
            "model": begun.model,
            "model_version": begun.model_version,
            "mode": begun.mode,
            "start_date": filters.start_date,
            "end_date": filters.end_date,
            "channels": None if filters.channels is None else list(filters.channels),
            "currency": filters.currency,
            "requested_by": begun.requested_by,
            "snapshot_at": begun.snapshot_at,
            "seconds_max": seconds_max,
            "totals": _json(begun.totals),
        },
    )


def complete(session: Session, export_id: UUID, outcome: Outcome) -> None:
    """Keep what an export came to."""
    session.execute(
        _COMPLETE,
        {
            "export_id": export_id,
            "row_count": outcome.row_count,
            "byte_count": outcome.byte_count,
            "sha256": outcome.sha256,
            "totals": _json(outcome.totals),
        },
    )


def abort(session: Session, export_id: UUID) -> None:
    """Keep that an export did not come to its end."""
    session.execute(_ABORT, {"export_id": export_id})


def get(session: Session, export_id: UUID) -> Manifest | None:
    """Return what is known of an export, or None."""
    row = session.execute(_GET, {"export_id": export_id}).one_or_none()
    return None if row is None else Manifest(*row)


def page(session: Session, limit: int, after: Place | None = None) -> list[Manifest]:
    """Return manifests, the newest first, from after a place on."""
    asked = {
        "limit": limit,
        "after_snapshot_at": after and after.snapshot_at,
        "after_export_id": after and after.export_id,
    }
    return [Manifest(*row) for row in session.execute(_PAGE, asked)]


def _json(totals: Sequence[CurrencyTotal]) -> str:
    return orjson.dumps([asdict(total) for total in totals]).decode()
