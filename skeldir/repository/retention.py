"""Retention: what of a tenant's rows goes by age. The owner's function does it, and notes what it did."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

Policy = Literal[
    "dead_letter_payloads",
    "settled_dead_letters",
    "dead_letter_attempts",
    "deliveries",
    "export_manifests",
    "parked_messages",
]

_LATEST: Final = text("""
    SELECT ran_at, policy, table_name, action, older_than, row_count FROM retention_runs
     ORDER BY ran_at DESC, run_id LIMIT :limit
""")
_ENFORCE: Final = text("SELECT skeldir_pruner.enforce(:policy, :days, :rows_max)")


@dataclass(frozen=True, slots=True)
class Run:
    """What one transaction of one policy let go."""

    ran_at: datetime
    policy: Policy
    table_name: str
    action: Literal["emptied", "deleted"]
    older_than: datetime
    """Nothing that went was younger."""
    row_count: int


def latest(session: Session, limit: int) -> list[Run]:
    """Return what went of the tenant's rows, the latest first."""
    return [Run(*row) for row in session.execute(_LATEST, {"limit": limit})]


def enforce(session: Session, policy: Policy, days: int, rows_max: int) -> int:
    """Delete, or empty, some of what a policy lets go after so many days; returns how many rows.

    Raises what the database does for less than a week.
    """
    parameters = {"policy": policy, "days": days, "rows_max": rows_max}
    return int(session.execute(_ENFORCE, parameters).scalar_one())
