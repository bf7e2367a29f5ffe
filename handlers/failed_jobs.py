"""The operations on failed jobs of api-contracts/openapi/v1/health.yaml."""

from dataclasses import asdict
from datetime import datetime
from typing import cast
from uuid import UUID

from generated.models import common_jobs as models
from skeldir.domain.failed_jobs import Status
from skeldir.http.context import Context
from skeldir.http.cursors import make_cursor, read_cursor
from skeldir.queue import messages
from skeldir.queue.sending import enqueue
from skeldir.repository import failed_jobs
from skeldir.repository.failed_jobs import FailedJob


def list_failed_jobs(
    ctx: Context, *, status: Status | None, limit: int, cursor: str | None
) -> models.FailedJobPage:
    """Return a page of the tenant's failed jobs, the latest first."""
    filters = {"status": status}
    after = None
    if cursor:
        failed_at, failed_job_id = read_cursor(ctx.tenant_id, "listFailedJobs", filters, cursor)
        after = (datetime.fromisoformat(failed_at), UUID(failed_job_id))
    found = failed_jobs.page(ctx.session, limit + 1, status=status, after=after)
    next_cursor = None
    if len(found) > limit:
        last = found[limit - 1]
        position = [cast("datetime", last.failed_at).isoformat(), str(last.failed_job_id)]
        next_cursor = make_cursor(ctx.tenant_id, "listFailedJobs", filters, position)
    return models.FailedJobPage(failed_jobs=[_told(job) for job in found[:limit]], next_cursor=next_cursor)


def retry_failed_job(ctx: Context, *, failed_job_id: UUID) -> models.FailedJob:
    """Send a failed job's task again, and mark it as retried in the same transaction."""
    job = failed_jobs.retry(ctx.session, failed_job_id, _user(ctx))
    enqueue(ctx.session, messages.sent_again(job.task_name, job.queue, job.arguments_to_send()))
    return _told(job)


def discard_failed_job(ctx: Context, *, failed_job_id: UUID) -> models.FailedJob:
    """Put a failed job aside."""
    failed_jobs.pending(ctx.session, failed_job_id)
    return _told(failed_jobs.settle(ctx.session, failed_job_id, "discarded", _user(ctx)))


def _user(ctx: Context) -> UUID | None:
    return ctx.principal.user_id if ctx.principal else None


def _told(job: FailedJob) -> models.FailedJob:
    return models.FailedJob.model_validate(
        {name: value for name, value in asdict(job).items() if value is not None}
    )
