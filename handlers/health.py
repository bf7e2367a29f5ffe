"""Operations of api-contracts/openapi/v1/health.yaml."""

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final, Literal

import structlog
from sqlalchemy import QueuePool

from generated.models import common_queues as models
from generated.models.common_health import (
    DatabaseMetrics,
    DetailedHealth,
    HealthStatus,
    Liveness,
    Readiness,
    RequestMetrics,
    Services,
)
from handlers import watch
from handlers.failed_jobs import discard_failed_job, list_failed_jobs, retry_failed_job
from handlers.parked_messages import discard_parked_message, list_parked_messages, requeue_parked_message
from handlers.watch import Watched
from skeldir import __version__
from skeldir.db import migrate
from skeldir.db.engine import get_engine
from skeldir.db.faults import DATABASE_ERRORS
from skeldir.db.session import lookup_session
from skeldir.domain.errors import Unavailable
from skeldir.domain.queue_figures import QueueFigures
from skeldir.http.context import Context
from skeldir.observability import requests
from skeldir.queue.messages import QUEUES
from skeldir.repository import service_state
from skeldir.repository.service_state import SchemaState

PATIENCE_SECONDS: Final = 30.0
"""The schedule sends a message every few seconds: one that waits longer than this waits in vain, and a
schedule that has sent none for so long has ended."""

STARTED: Final = time.monotonic()
_log = structlog.get_logger("skeldir.health")

State = Literal["up", "degraded", "down"]
__all__ = [
    "discard_failed_job",
    "discard_parked_message",
    "get_detailed_health",
    "get_health_status",
    "get_metrics",
    "list_failed_jobs",
    "list_parked_messages",
    "liveness_probe",
    "readiness_probe",
    "requeue_parked_message",
    "retry_failed_job",
]


@dataclass(frozen=True, slots=True)
class Findings:
    """How the parts are."""

    database: State
    queue: State
    worker: State
    schedule: State
    watched: Watched | None = None

    def status(self) -> Literal["healthy", "degraded", "unhealthy"]:
        """Missing workers only delay what the database keeps; without the database nothing goes."""
        if self.database == "down":
            return "unhealthy"
        states = {self.database, self.queue, self.worker, self.schedule}
        return "healthy" if states == {"up"} else "degraded"

    def services(self) -> Services:
        """Return them as the contract shows them."""
        return Services(
            api="up",
            database=self.database,
            queue=self.queue,
            worker=self.worker,
            schedule=self.schedule,
        )

    def queues(self) -> list[models.QueueFigures]:
        """Return the queues as the contract shows them."""
        return [] if self.watched is None else [_told(one, self.watched) for one in self.watched.queues]


async def liveness_probe(ctx: Context) -> Liveness:  # noqa: ARG001 - every handler takes one
    """Answer from the event loop: whoever hears this knows that it turns."""
    return Liveness(alive=True)


def readiness_probe(ctx: Context) -> Readiness:  # noqa: ARG001
    """Accept traffic only with a database of the right schema whose walls bind this login."""
    try:
        with lookup_session() as session:
            fault = _fault(service_state.schema_state(session))
    except DATABASE_ERRORS as error:
        _log.warning("not_ready", exc_info=error)
        fault = "The database does not answer as it should."
    if fault is not None:
        raise Unavailable(fault, headers={"Retry-After": "5"})
    return Readiness(ready=True)


def get_health_status(ctx: Context) -> HealthStatus:  # noqa: ARG001
    """Look at every part; the answer is 200 even when a part is down, for it is the answer asked for."""
    found = _look()
    return HealthStatus(
        status=found.status(),
        timestamp=datetime.now(UTC),
        version=__version__,
        uptime_seconds=_uptime(),
        services=found.services(),
        queues=found.queues(),
    )


def get_detailed_health(ctx: Context) -> DetailedHealth:
    """Add the figures of this process and of its connections."""
    begun = time.perf_counter_ns()
    revisions = service_state.schema_state(ctx.session).revisions
    latency = (time.perf_counter_ns() - begun) // 1_000
    figures = requests.figures()
    pool = get_engine("app_user").pool
    found = _look()
    return DetailedHealth(
        status=found.status(),
        timestamp=datetime.now(UTC),
        version=__version__,
        uptime_seconds=_uptime(),
        services=found.services(),
        queues=found.queues(),
        metrics=RequestMetrics(
            requests_per_minute=figures.requests_per_minute,
            average_response_microseconds=figures.average_response_microseconds,
            error_rate_ppm=figures.error_rate_ppm,
            active_requests=figures.active_requests,
        ),
        database=DatabaseMetrics(
            pool_size=pool.size() if isinstance(pool, QueuePool) else 0,
            active_connections=pool.checkedout() if isinstance(pool, QueuePool) else 0,
            query_latency_microseconds=latency,
            migration=", ".join(revisions),
        ),
    )


def get_metrics(ctx: Context) -> str:  # noqa: ARG001
    """Return the figures for Prometheus; they are the database's, so that every process tells the same."""
    from handlers import metrics  # noqa: PLC0415 - it would slow every start down

    return metrics.exposition(watch.look())


def _look() -> Findings:
    try:
        with lookup_session() as session:
            fault = _fault(service_state.schema_state(session))
        watched = watch.look()
    except DATABASE_ERRORS as error:
        _log.warning("database_down", exc_info=error)
        return Findings(database="down", queue="down", worker="down", schedule="down")
    stuck = any(one.oldest_seconds > PATIENCE_SECONDS for one in watched.queues)
    alive = [watched.workers[queue].alive for queue in QUEUES]
    return Findings(
        database="degraded" if fault else "up",
        queue="degraded" if stuck else "up",
        worker="down" if not any(alive) else "degraded" if stuck or not all(alive) else "up",
        schedule="up" if watched.schedule_age_seconds <= PATIENCE_SECONDS else "down",
        watched=watched,
    )


def _told(figures: QueueFigures, watched: Watched) -> models.QueueFigures:
    workers = watched.workers[figures.queue]
    told = asdict(figures) | {
        "redelivered": workers.redelivered,
        "expired": workers.expired,
        "workers": workers.alive,
    }
    told["oldest_seconds"] = int(figures.oldest_seconds)
    if workers.heartbeat_age_seconds is not None:
        told["heartbeat_age_seconds"] = int(workers.heartbeat_age_seconds)
    return models.QueueFigures.model_validate(told)


def _fault(schema: SchemaState) -> str | None:
    """Say why this database must not be used, or None."""
    if schema.revisions != _newest_revisions():
        at, wanted = (", ".join(heads) or "nothing" for heads in (schema.revisions, _newest_revisions()))
        return f"The schema is at revision {at}; this version of the service needs {wanted}."
    if schema.open_tables:
        return f"Row-level security does not bind this login on {', '.join(schema.open_tables)}."
    return None


@cache
def _newest_revisions() -> tuple[str, ...]:
    return tuple(sorted(migrate.newest_heads()))


def _uptime() -> int:
    return int(time.monotonic() - STARTED)
