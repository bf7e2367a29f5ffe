"""Tasks that failed for good, until somebody retries or discards them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from skeldir.domain.errors import Conflict, NotFound
from skeldir.domain.failed_jobs import REDACTED, ErrorKind, Status
from skeldir.repository import recompute_jobs

_COLUMNS: Final = """
    failed_job_id, task_name, queue, arguments, error_type, error_kind, error_place, attempts,
    correlation_id, status, failed_at, settled_at, settled_by
"""

# The same task may fail for good again: it was sent again as it is, with its id.
_ADD: Final = text("""
    INSERT INTO worker_failed_jobs (failed_job_id, task_name, queue, arguments, error_type, error_kind,
                                    error_place, attempts, correlation_id)
    VALUES (:failed_job_id, :task_name, :queue, CAST(:arguments AS jsonb), :error_type, :error_kind,
            :error_place, :attempts, :correlation_id)
    ON CONFLICT (tenant_id, failed_job_id) DO NOTHING
""")

_PAGE: Final = text(f"""
    SELECT {_COLUMNS}
      FROM worker_failed_jobs
     WHERE (CAST(:status AS text) IS NULL OR status = :status)
       AND (CAST(:place_at AS timestamptz) IS NULL OR failed_at < :place_at
            OR (failed_at = :place_at AND failed_job_id > CAST(:place_id AS uuid)))
     ORDER BY failed_at DESC, failed_job_id
     LIMIT :limit
""")  # noqa: S608 - constants of this file

_LOCK: Final = text(f"""
    SELECT {_COLUMNS} FROM worker_failed_jobs WHERE failed_job_id = :failed_job_id FOR UPDATE
""")  # noqa: S608 - constants of this file

_SETTLE: Final = text(f"""
    UPDATE worker_failed_jobs SET status = :status, settled_at = now(), settled_by = :by
     WHERE failed_job_id = :failed_job_id
    RETURNING {_COLUMNS}
""")  # noqa: S608 - constants of this file

_PRUNE: Final = text("""
    DELETE FROM worker_failed_jobs
     WHERE ctid = ANY(ARRAY(SELECT ctid FROM worker_failed_jobs
                             WHERE coalesce(settled_at, failed_at) < now() - make_interval(days => :days)
                             LIMIT :rows_max))
""")


@dataclass(frozen=True, slots=True)
class Failure:
    """How a task failed."""

    failed_job_id: UUID
    """The task's own id."""
    task_name: str
    queue: str
    arguments: Mapping[str, str]
    error_type: str
    error_kind: ErrorKind
    error_place: str
    attempts: int
    correlation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class FailedJob(Failure):
    """A failure as it is kept."""

    status: Status = "pending"
    failed_at: datetime | None = None
    settled_at: datetime | None = None
    settled_by: UUID | None = None

    def arguments_to_send(self) -> dict[str, str]:
        """Return the arguments to send the task again with; raises Conflict where one was not kept."""
        if REDACTED in self.arguments.values():
            raise Conflict("An argument of this task was not kept, so it cannot be sent again.")
        return dict(self.arguments)


def add(session: Session, failure: Failure) -> None:
    """Keep a failure, once."""
    values = {name: getattr(failure, name) for name in Failure.__slots__}
    session.execute(_ADD, values | {"arguments": orjson.dumps(dict(failure.arguments)).decode()})


def page(
    session: Session, limit: int, *, status: Status | None = None, after: tuple[datetime, UUID] | None = None
) -> list[FailedJob]:
    """Return a page, the latest first."""
    place_at, place_id = after or (None, None)
    found = session.execute(
        _PAGE, {"status": status, "place_at": place_at, "place_id": place_id, "limit": limit}
    )
    return [_job(row) for row in found]


def pending(session: Session, failed_job_id: UUID) -> FailedJob:
    """Return a job to be settled, which nobody else does until the transaction ends.

    Raises NotFound, and Conflict where it was settled before.
    """
    row = session.execute(_LOCK, {"failed_job_id": failed_job_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such failed job.")
    if row.status != "pending":
        raise Conflict(f"The failed job was {row.status} before.")
    return _job(row)


def settle(session: Session, failed_job_id: UUID, status: Status, by: UUID | None) -> FailedJob:
    """Write down what became of a failed job, and by whom."""
    values = {"failed_job_id": failed_job_id, "status": status, "by": by}
    return _job(session.execute(_SETTLE, values).one())


def retry(session: Session, failed_job_id: UUID, by: UUID | None) -> FailedJob:
    """Mark a failed job as retried, and what it is to do as not done; the caller sends its task.

    A task that finds its work closed as failed would do nothing. Raises NotFound, and Conflict where the job
    was settled before or an argument of it was not kept.
    """
    job = pending(session, failed_job_id)
    arguments = job.arguments_to_send()
    if job.task_name == recompute_jobs.TASK:
        with suppress(KeyError, ValueError):  # that is not the id of any
            recompute_jobs.retry(session, UUID(arguments["job_id"]))
    return settle(session, failed_job_id, "retried", by)


def prune(session: Session, days: int, rows_max: int) -> int:
    """Delete some of what was settled so long ago, or failed then and was never settled; returns how many."""
    return int(session.execute(_PRUNE, {"days": days, "rows_max": rows_max}).rowcount)  # type: ignore[attr-defined]


def _job(row: Row[Any]) -> FailedJob:
    return FailedJob(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
