"""The audit trail of dead letters: who tried what, when, and what came of it. Rows are only added."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

Outcome = Literal["resolved", "still_failing", "abandoned"]

_ADD: Final = text("""
    INSERT INTO dead_letter_attempts (attempt_id, dead_letter_id, attempted_at, user_id, is_dry_run, outcome,
                                      reason_code, reason_field, note)
    VALUES (:attempt_id, :dead_letter_id, :attempted_at, :user_id, :is_dry_run, :outcome,
            :reason_code, :reason_field, :note)
""")

_LAST: Final = text("""
    SELECT attempt_id, dead_letter_id, attempted_at, user_id, is_dry_run, outcome, reason_code, reason_field,
           note
      FROM dead_letter_attempts
     WHERE dead_letter_id = :dead_letter_id
     ORDER BY attempted_at DESC, attempt_id
     LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of the trail."""

    attempt_id: UUID
    dead_letter_id: UUID
    attempted_at: datetime
    user_id: UUID | None
    is_dry_run: bool
    outcome: Outcome
    reason_code: str | None = None
    reason_field: str | None = None
    note: str | None = None

    def values(self) -> dict[str, Any]:
        """Return the row by column."""
        return {
            "attempt_id": self.attempt_id,
            "dead_letter_id": self.dead_letter_id,
            "attempted_at": self.attempted_at,
            "user_id": self.user_id,
            "is_dry_run": self.is_dry_run,
            "outcome": self.outcome,
            "reason_code": self.reason_code,
            "reason_field": self.reason_field,
            "note": self.note,
        }


def add(session: Session, attempts: Sequence[Attempt]) -> None:
    """Write lines down."""
    if attempts:
        session.execute(_ADD, [attempt.values() for attempt in attempts])


def last(session: Session, dead_letter_id: UUID, limit: int) -> list[Attempt]:
    """Return a dead letter's last lines, the newest first."""
    parameters = {"dead_letter_id": dead_letter_id, "limit": limit}
    return [Attempt(**row) for row in session.execute(_LAST, parameters).mappings()]
