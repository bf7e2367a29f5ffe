"""Findings of the scan for personal data: where something stands, never what. Rows are only added."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_PAGE: Final = text("""
    SELECT table_name, column_name, row_key, path, kind, found_at
      FROM pii_findings
     WHERE CAST(:place_at AS timestamptz) IS NULL OR found_at < :place_at
        OR (found_at = :place_at AND (table_name, row_key, path) > (:table_name, :row_key, :path))
     ORDER BY found_at DESC, table_name, row_key, path
     LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Finding:
    """A place at which something looks personal: by its key, or by its value."""

    table_name: str
    column_name: str
    row_key: str
    path: str
    kind: str
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list ends."""

    found_at: datetime
    table_name: str
    row_key: str
    path: str


def page(session: Session, *, after: Place | None, limit: int) -> list[Finding]:
    """Return findings, the newest first, from the place where the page before ended."""
    parameters = {
        "place_at": after and after.found_at,
        "table_name": after and after.table_name,
        "row_key": after and after.row_key,
        "path": after and after.path,
        "limit": limit,
    }
    return [Finding(**row) for row in session.execute(_PAGE, parameters).mappings()]
