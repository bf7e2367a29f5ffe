"""What audits of attribution found, as operators read it: a tenant's audits, and figures of everybody's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_LATEST: Final = text("""
    SELECT audit_id, started_at, completed_at, order_count, entry_count, wrong_sum_count, left_out_count,
           wrong_digest_count, wrong_day_count, wrong_summary_count, wrong_closing_count
      FROM attribution_audits
     ORDER BY started_at DESC, audit_id
     LIMIT :limit
""")

_FIGURES: Final = text("SELECT wrong_tenant_count, oldest_seconds FROM skeldir_lookup.audit_figures()")


@dataclass(frozen=True, slots=True)
class Finding:
    """How much an audit looked at, and how much of what was wrong; one without an end is still at it."""

    audit_id: UUID
    started_at: datetime
    completed_at: datetime | None
    order_count: int
    entry_count: int
    wrong_sum_count: int
    left_out_count: int
    wrong_digest_count: int
    wrong_day_count: int
    wrong_summary_count: int
    wrong_closing_count: int


@dataclass(frozen=True, slots=True)
class AuditFigures:
    """How the last audits of all active tenants ended."""

    wrong_tenant_count: int
    """Tenants of which the last audit found something wrong."""
    oldest_seconds: float
    """Since the last audit of whoever has waited longest; a tenant without one has since it was made."""


def latest(session: Session, limit: int) -> list[Finding]:
    """Return the tenant's audits, the latest first."""
    return [Finding(*row) for row in session.execute(_LATEST, {"limit": limit})]


def figures(session: Session) -> AuditFigures:
    """Return the figures; for a transaction without a tenant."""
    row = session.execute(_FIGURES).one()
    return AuditFigures(row.wrong_tenant_count, float(row.oldest_seconds))
