# @generated from api-contracts/openapi/v1/health.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the health contract."""

from typing import Literal
from uuid import UUID

from generated.models.common_health import DetailedHealth, HealthStatus, Liveness, Readiness
from generated.models.common_jobs import FailedJob, FailedJobPage, ParkedMessage, ParkedMessagePage
from generated.stubs import Answer
from handlers import health as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context
from skeldir.http.convert import required


def discard_failed_job(call: Call) -> HttpAnswer:
    """POST /api/health/failed-jobs/{failed_job_id}/discard."""
    sent = call.parameters
    failed_job_id = required(sent, "path.failed_job_id", UUID)

    def handle(ctx: Context) -> Answer[FailedJob]:
        return handlers.discard_failed_job(ctx, failed_job_id=failed_job_id)

    return call.run(handle, transaction="write", status=200)


def discard_parked_message(call: Call) -> HttpAnswer:
    """POST /api/health/parked-messages/{message_id}/discard."""
    sent = call.parameters
    message_id: int = sent["path.message_id"]

    def handle(ctx: Context) -> Answer[ParkedMessage]:
        return handlers.discard_parked_message(ctx, message_id=message_id)

    return call.run(handle, transaction="write", status=200)


def get_detailed_health(call: Call) -> HttpAnswer:
    """GET /api/health/detailed."""

    def handle(ctx: Context) -> Answer[DetailedHealth]:
        return handlers.get_detailed_health(ctx)

    return call.run(handle, transaction="read", status=200)


def get_health_status(call: Call) -> HttpAnswer:
    """GET /api/health."""

    def handle(ctx: Context) -> Answer[HealthStatus]:
        return handlers.get_health_status(ctx)

    return call.run(handle, transaction="none", status=200)


def get_metrics(call: Call) -> HttpAnswer:
    """GET /metrics."""

    def handle(ctx: Context) -> Answer[str]:
        return handlers.get_metrics(ctx)

    return call.run(handle, transaction="none", status=200, media_type="text/plain")


def list_failed_jobs(call: Call) -> HttpAnswer:
    """GET /api/health/failed-jobs."""
    sent = call.parameters
    status: Literal["pending", "retried", "discarded"] | None = sent.get("query.status")
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[FailedJobPage]:
        return handlers.list_failed_jobs(ctx, status=status, limit=limit, cursor=cursor)

    return call.run(handle, transaction="read", status=200)


def list_parked_messages(call: Call) -> HttpAnswer:
    """GET /api/health/parked-messages."""
    sent = call.parameters
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[ParkedMessagePage]:
        return handlers.list_parked_messages(ctx, limit=limit, cursor=cursor)

    return call.run(handle, transaction="read", status=200)


async def liveness_probe(call: Call) -> HttpAnswer:
    """GET /api/health/live."""

    async def handle(ctx: Context) -> Answer[Liveness]:
        return await handlers.liveness_probe(ctx)

    return await call.run_async(handle, status=200)


def readiness_probe(call: Call) -> HttpAnswer:
    """GET /api/health/ready."""

    def handle(ctx: Context) -> Answer[Readiness]:
        return handlers.readiness_probe(ctx)

    return call.run(handle, transaction="none", status=200)


def requeue_parked_message(call: Call) -> HttpAnswer:
    """POST /api/health/parked-messages/{message_id}/requeue."""
    sent = call.parameters
    message_id: int = sent["path.message_id"]

    def handle(ctx: Context) -> Answer[ParkedMessage]:
        return handlers.requeue_parked_message(ctx, message_id=message_id)

    return call.run(handle, transaction="write", status=200)


def retry_failed_job(call: Call) -> HttpAnswer:
    """POST /api/health/failed-jobs/{failed_job_id}/retry."""
    sent = call.parameters
    failed_job_id = required(sent, "path.failed_job_id", UUID)

    def handle(ctx: Context) -> Answer[FailedJob]:
        return handlers.retry_failed_job(ctx, failed_job_id=failed_job_id)

    return call.run(handle, transaction="write", status=200)
