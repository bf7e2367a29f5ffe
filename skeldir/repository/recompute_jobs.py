"""Recompute jobs: one row per window and model, which is asked for, run, and remembers its inputs."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from skeldir.domain.attribution_settings import ModelParameters
from skeldir.domain.windows import Window

Status = Literal["queued", "running", "succeeded", "failed"]
Outcome = Literal["computed", "unchanged"]

TASK: Final = "attribution.recompute_window"
"""What runs a job, which its argument `job_id` names."""

STARTED_TOO_OFTEN: Final = "StartedTooOften"

# Asking while the job waits joins that run; asking after it is a run of its own. Of a job that runs the row
# is locked, so that it is either asked before its end or after it, and left as it is: a running job holds a
# snapshot, and would lose all that it did if it found its row changed at its end.
_REQUEST: Final = text("""
    INSERT INTO recompute_jobs AS job
           (job_id, window_start, window_end, model, model_version, parameters, status, run_count)
    VALUES (:job_id, :window_start, :window_end, :model, :model_version,
            CAST(:parameters AS jsonb), 'queued', 1)
    ON CONFLICT (tenant_id, job_id) DO UPDATE
       SET run_count = job.run_count + CASE WHEN job.status = 'queued' THEN 0 ELSE 1 END,
           requested_at = CASE WHEN job.status = 'queued' THEN job.requested_at ELSE now() END,
           start_count = 0,
           status = 'queued'
     WHERE job.status <> 'running'
    RETURNING job_id
""")

_REQUEST_NEXT: Final = text("""
    INSERT INTO recompute_requests (job_id) VALUES (:job_id) ON CONFLICT (tenant_id, job_id) DO NOTHING
""")

# A request that waits for the running job's end counts as the job's own.
_GET: Final = text("""
    SELECT job_id, model, model_version, parameters, window_start, window_end,
           CASE WHEN request.requested_at IS NULL OR status = 'running' THEN status
                ELSE 'queued' END AS status,
           run_count + CASE WHEN request.requested_at IS NULL THEN 0 ELSE 1 END AS run_count,
           last_outcome, fingerprint, coalesce(request.requested_at, job.requested_at) AS requested_at,
           started_at, finished_at, error,
           taxonomy_version, rule_set_version, correction_count, settings_version, fit_version,
           computed_revision, computed_at, computed_run_count, computed_task_id,
           request.requested_at IS NOT NULL AS is_asked_again
      FROM recompute_jobs AS job
      LEFT JOIN recompute_requests AS request USING (tenant_id, job_id)
     WHERE job_id = :job_id
""")

_IS_ASKED_AGAIN: Final = text("SELECT EXISTS (SELECT FROM recompute_requests WHERE job_id = :job_id)")

_HOLD: Final = text("SELECT FROM recompute_jobs WHERE job_id = :job_id FOR UPDATE")

_ADMIT: Final = text("""
    WITH asked AS (
        DELETE FROM recompute_requests WHERE job_id = :job_id RETURNING job_id, requested_at
    )
    UPDATE recompute_jobs AS job
       SET status = 'queued', run_count = run_count + 1, requested_at = asked.requested_at, start_count = 0
      FROM asked
     WHERE job.job_id = asked.job_id
""")

_START: Final = text("""
    UPDATE recompute_jobs
       SET status = 'running', start_count = start_count + 1,
           started_at = clock_timestamp(), finished_at = NULL, error = NULL
     WHERE job_id = :job_id
       AND status IN ('queued', 'running')
       AND start_count < :starts_max
    RETURNING job_id
""")

_UNCHANGED: Final = text("""
    UPDATE recompute_jobs
       SET status = 'succeeded', last_outcome = 'unchanged', finished_at = clock_timestamp(), error = NULL
     WHERE job_id = :job_id
""")

_COMPUTED: Final = text("""
    UPDATE recompute_jobs
       SET status = 'succeeded', last_outcome = 'computed', finished_at = clock_timestamp(), error = NULL,
           fingerprint = :fingerprint, taxonomy_version = :taxonomy_version,
           rule_set_version = :rule_set_version, correction_count = :correction_count,
           settings_version = :settings_version, fit_version = :fit_version,
           computed_revision = :revision, computed_at = clock_timestamp(),
           computed_run_count = run_count, computed_task_id = :task_id
     WHERE job_id = :job_id
""")

_LOST: Final = text("""
    UPDATE recompute_jobs
       SET computed_revision = NULL
     WHERE model_version = :model_version AND computed_revision IS NOT NULL
""")

_FAIL: Final = text("""
    UPDATE recompute_jobs
       SET status = 'failed', finished_at = clock_timestamp(), error = :error
     WHERE job_id = :job_id
       AND status IN ('queued', 'running')
""")

_RETRY: Final = text("""
    UPDATE recompute_jobs SET status = 'queued', start_count = 0 WHERE job_id = :job_id AND status = 'failed'
""")

# A job that is `running` for longer than its tasks may live was left by a worker that died.
_DUE: Final = text("""
    SELECT job_id
      FROM recompute_jobs AS job
      LEFT JOIN recompute_requests AS request USING (tenant_id, job_id)
     WHERE status = 'queued'
        OR (status <> 'running' AND request.requested_at IS NOT NULL)
        OR (status = 'running' AND started_at < clock_timestamp() - make_interval(secs => :abandoned_seconds))
     ORDER BY job.requested_at, job_id
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
    taxonomy_version: int | None
    rule_set_version: int | None
    correction_count: int | None
    settings_version: int | None
    fit_version: int | None
    computed_revision: int | None
    """The last run of any kind, of this tenant, whose changes the result knows; None if it is not kept."""
    computed_at: datetime | None
    computed_run_count: int | None
    computed_task_id: UUID | None
    is_asked_again: bool
    """Somebody has asked for another run since this one was started."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a run computed from, and which run it was."""

    fingerprint: str
    taxonomy_version: int
    rule_set_version: int
    correction_count: int
    settings_version: int
    fit_version: int | None
    """The tenant's fit that the model's weights are from; None of models without."""
    revision: int
    task_id: UUID


def request(session: Session, job_id: UUID, window: Window, parameters: ModelParameters) -> Job:
    """Accept a run of the window's job, which is made when it is asked for the first time.

    Of a job that is running the request is kept beside it, and is one more run after that.
    """
    asked = {
        "job_id": job_id,
        "window_start": window.start,
        "window_end": window.end,
        "model": parameters.model,
        "model_version": parameters.version,
        "parameters": json.dumps(parameters.to_json()),
    }
    if session.execute(_REQUEST, asked).one_or_none() is None:
        session.execute(_REQUEST_NEXT, {"job_id": job_id})
    return _job(session.execute(_GET, {"job_id": job_id}).one())


def get(session: Session, job_id: UUID) -> Job | None:
    """Return a job, or None when this tenant has none of that id."""
    row = session.execute(_GET, {"job_id": job_id}).one_or_none()
    return None if row is None else _job(row)


def is_asked_again(session: Session, job_id: UUID) -> bool:
    """Tell whether somebody has asked for another run of a job since this one was started."""
    return bool(session.execute(_IS_ASKED_AGAIN, {"job_id": job_id}).scalar_one())


def admit(session: Session, job_id: UUID) -> None:
    """Queue a job that was asked for during its last run; for who has the tenant's turn."""
    session.execute(_HOLD, {"job_id": job_id})
    session.execute(_ADMIT, {"job_id": job_id})


def start(session: Session, job_id: UUID, starts_max: int) -> bool:
    """Mark a job as running, also one that a dead worker left so; False when there is nothing to run.

    A job that was started so often since it was asked for, and never ended, has failed.
    """
    started = session.execute(_START, {"job_id": job_id, "starts_max": starts_max}).one_or_none()
    if started is None:
        fail(session, job_id, STARTED_TOO_OFTEN)
    return started is not None


def unchanged(session: Session, job_id: UUID) -> None:
    """Close a run that found its inputs as they were."""
    session.execute(_UNCHANGED, {"job_id": job_id})


def computed(session: Session, job_id: UUID, origin: Origin) -> None:
    """Close a run that computed, remembering what from."""
    session.execute(_COMPUTED, {"job_id": job_id, **asdict(origin)})


def lost(session: Session, model_version: str) -> None:
    """Note that a version's results are deleted, or some: whatever their inputs, they must be computed anew.

    What they were computed from is still told.
    """
    session.execute(_LOST, {"model_version": model_version})


def fail(session: Session, job_id: UUID, error: str) -> None:
    """Close a run that could not be finished; `error` names the kind of failure, never data."""
    session.execute(_FAIL, {"job_id": job_id, "error": error})


def retry(session: Session, job_id: UUID) -> None:
    """Queue the run that failed once more, with all its starts; other jobs are left as they are."""
    session.execute(_RETRY, {"job_id": job_id})


def due(session: Session, abandoned_seconds: int) -> list[UUID]:
    """Return the jobs that wait for a worker or were abandoned by one, longest waiting first."""
    return list(session.execute(_DUE, {"abandoned_seconds": abandoned_seconds}).scalars())


def _job(row: Row[tuple[object, ...]]) -> Job:
    fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    window = Window(fields.pop("window_start"), fields.pop("window_end"))
    parameters = ModelParameters.from_json(fields.pop("model"), fields.pop("parameters"))
    return Job(window=window, parameters=parameters, **fields)
