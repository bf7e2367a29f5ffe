"""The audit trail of webhook endpoints and their secrets: who did what, and when. Rows are only added."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.ids import uuid7

Action = Literal["endpoint_created", "endpoint_revoked", "secret_added", "secret_retired"]

_ADD: Final = text("""
    INSERT INTO endpoint_changes (change_id, endpoint_id, changed_at, user_id, action, secret_id)
    VALUES (:change_id, :endpoint_id, clock_timestamp(), :user_id, :action, :secret_id)
""")

_LAST: Final = text("""
    SELECT change_id, changed_at, user_id, action, secret_id
      FROM endpoint_changes
     WHERE endpoint_id = :endpoint_id
     ORDER BY changed_at DESC, change_id DESC
     LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the trail; without a user where an operator did it on the command line."""

    change_id: UUID
    changed_at: datetime
    user_id: UUID | None
    action: Action
    secret_id: UUID | None


def add(
    session: Session, endpoint_id: UUID, action: Action, by: UUID | None, secret_id: UUID | None = None
) -> None:
    """Write a line down."""
    parameters = {
        "change_id": uuid7(),
        "endpoint_id": endpoint_id,
        "user_id": by,
        "action": action,
        "secret_id": secret_id,
    }
    session.execute(_ADD, parameters)


def last(session: Session, endpoint_id: UUID, limit: int) -> list[Change]:
    """Return an endpoint's last lines, the newest first."""
    found = session.execute(_LAST, {"endpoint_id": endpoint_id, "limit": limit})
    return [Change(**row) for row in found.mappings()]
