"""Recompute jobs: one row per window and model, which is asked for, run, and remembers its inputs."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from skeldir.domain.attribution_settings import ModelParameters
from skeldir.domain.windows import Window

Status = Literal["queued", "running", "succeeded", "failed"]
Outcome = Literal["computed", "unchanged"]

STARTED_TOO_OFTEN: Final = "StartedTooOften"

_COLUMNS: Final = """
    job_id, model, model_version, parameters, window_start, window_end, status, run_count, last_outcome,
    fingerprint, requested_at, started_at, finished_at, error
"""

# Asking while the job waits joins that run; asking while it runs, or later, is a run of its own.
_REQUEST: Final = text(f"""
    INSERT INTO recompute_jobs AS job
           (job_id, window_start, window_end, model, model_version, parameters, status, run_count)
    VALUES (:job_id, :window_start, :window_end, :model, :model_version,
            CAST(:parameters AS jsonb), 'queued', 1)
    ON CONFLICT (tenant_id, job_id) DO UPDATE
       SET run_count = job.run_count + CASE WHEN job.status = 'queued' THEN 0 ELSE 1 END,
           requested_at = CASE WHEN job.status = 'queued' THEN job.requested_at ELSE now() END,
           start_count = 0,
           status = 'queued'
    RETURNING {_COLUMNS}
""")  # noqa: S608 - a constant of this file

_GET: Final = text(f"SELECT {_COLUMNS} FROM recompute_jobs WHERE job_id = :job_id")  # noqa: S608

_START: Final = text(f"""
    UPDATE recompute_jobs
       SET status = 'running', start_count = start_count + 1,
           started_at = clock_timestamp(), finished_at = NULL, error = NULL
     WHERE job_id = :job_id
       AND status IN ('queued', 'running')
       AND start_count < :starts_max
    RETURNING {_COLUMNS}
""")  # noqa: S608 - a constant of this file

_SUCCEED: Final = text("""
    UPDATE recompute_jobs
       SET status = 'succeeded', last_outcome = :outcome, fingerprint = :fingerprint,
           finished_at = clock_timestamp(), error = NULL
     WHERE job_id = :job_id
""")

_FAIL: Final = text("""
    UPDATE recompute_jobs
       SET status = 'failed', finished_at = clock_timestamp(), error = :error
     WHERE job_id = :job_id
       AND status IN ('queued', 'running')
""")

# A job that is `running` for longer than its tasks may live was left by a worker that died.
_DUE: Final = text("""
    SELECT job_id
      FROM recompute_jobs
     WHERE status = 'queued'
        OR (status = 'running' AND started_at < clock_timestamp() - make_interval(secs => :abandoned_seconds))
     ORDER BY requested_at, job_id
     LIMIT 100
""")


@dataclass(frozen=True, slots=True)
class Job:
    """A window to attribute under one model, and how its last run went."""

    job_id: UUID
    model_version: str
    parameters: ModelParameters
    window: Window
    status: Status
    run_count: int
    last_outcome: Outcome | None
    fingerprint: str | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None


def request(session: Session, job_id: UUID, window: Window, parameters: ModelParameters) -> Job:
    """Accept a run of the window's job, which is made when it is asked for the first time."""
    row = session.execute(
        _REQUEST,
        {
            "job_id": job_id,
            "window_start": window.start,
            "window_end": window.end,
            "model": parameters.model,
            "model_version": parameters.version,
            "parameters": json.dumps(parameters.to_json()),
        },
    ).one()
    return _job(row)


def get(session: Session, job_id: UUID) -> Job | None:
    """Return a job, or None when this tenant has none of that id."""
    row = session.execute(_GET, {"job_id": job_id}).one_or_none()
    return None if row is None else _job(row)


def start(session: Session, job_id: UUID, starts_max: int) -> Job | None:
    """Mark a job as running, also one that a dead worker left so; None when there is nothing to run.

    A job that was started so often since it was asked for, and never ended, has failed.
    """
    row = session.execute(_START, {"job_id": job_id, "starts_max": starts_max}).one_or_none()
    if row is None:
        fail(session, job_id, STARTED_TOO_OFTEN)
        return None
    return _job(row)


def succeed(session: Session, job_id: UUID, outcome: Outcome, fingerprint: str) -> None:
    """Close a run, remembering what it was computed from."""
    session.execute(_SUCCEED, {"job_id": job_id, "outcome": outcome, "fingerprint": fingerprint})


def fail(session: Session, job_id: UUID, error: str) -> None:
    """Close a run that could not be finished; `error` names the kind of failure, never data."""
    session.execute(_FAIL, {"job_id": job_id, "error": error})


def due(session: Session, abandoned_seconds: int) -> list[UUID]:
    """Return the jobs that wait for a worker or were abandoned by one, longest waiting first."""
    return list(session.execute(_DUE, {"abandoned_seconds": abandoned_seconds}).scalars())


def _job(row: Row[tuple[object, ...]]) -> Job:
    fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    window = Window(fields.pop("window_start"), fields.pop("window_end"))
    parameters = ModelParameters.from_json(fields.pop("model"), fields.pop("parameters"))
    return Job(window=window, parameters=parameters, **fields)
