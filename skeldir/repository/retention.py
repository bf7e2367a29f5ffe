"""Retention: what of a tenant's rows goes by age. The owner's function does it, and notes what it did."""

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

_ENFORCE: Final = text("SELECT skeldir_pruner.enforce(:policy, :days, :rows_max)")


def enforce(session: Session, policy: Policy, days: int, rows_max: int) -> int:
    """Delete, or empty, some of what a policy lets go after so many days; returns how many rows.

    Raises what the database does for less than a week.
    """
    parameters = {"policy": policy, "days": days, "rows_max": rows_max}
    return int(session.execute(_ENFORCE, parameters).scalar_one())
