"""Which tasks have taken effect: a task delivered twice works once."""

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_CLAIM: Final = text("""
    INSERT INTO task_effects (task_id, task_name) VALUES (:task_id, :task_name)
    ON CONFLICT (tenant_id, task_id) DO NOTHING
    RETURNING task_id
""")

_FORGET: Final = text("""
    DELETE FROM task_effects
     WHERE ctid = ANY(ARRAY(SELECT ctid FROM task_effects
                             WHERE done_at < now() - make_interval(days => :days) LIMIT :rows_max))
""")


def claim(session: Session, task_id: UUID, task_name: str) -> bool:
    """Record in the task's own transaction that it takes effect; False when it already did.

    A second delivery waits here until the first has committed or rolled back.
    """
    parameters = {"task_id": task_id, "task_name": task_name}
    return session.execute(_CLAIM, parameters).one_or_none() is not None


def forget(session: Session, days: int, rows_max: int) -> int:
    """Delete some of what is older than any message can be redelivered; returns how many."""
    return int(session.execute(_FORGET, {"days": days, "rows_max": rows_max}).rowcount)  # type: ignore[attr-defined]
