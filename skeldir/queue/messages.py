"""The producers: one function per task, with the task's name and its arguments.

A message is only a wake-up. What is to be done stands in the database (marks, job rows), and the
schedule sends again what a lost message would have started; so each message may expire, but not before
its next one is due: a long queue must not keep anybody's from ever being taken.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, cast
from uuid import UUID

Queue = Literal["attribution", "llm", "maintenance", "housekeeping"]

QUEUES: Final[tuple[Queue, ...]] = ("attribution", "llm", "maintenance", "housekeeping")

# Of what the sweep makes up for, and of what the schedule sends to every tenant hourly and nightly.
_EXPIRES_SECONDS: Final = 300.0
_HOURLY: Final = 3_600.0
_NIGHTLY: Final = 24 * _HOURLY


@dataclass(frozen=True, slots=True)
class Message:
    """A task to be run by a worker: its name, its queue and its JSON-safe arguments."""

    name: str
    queue: Queue
    arguments: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    expires_seconds: float | None = _EXPIRES_SECONDS
    """None: it waits for a worker however long that takes."""


def _of_tenant(name: str, tenant_id: UUID, expires_seconds: float = _EXPIRES_SECONDS) -> Message:
    queue = cast("Queue", name.partition(".")[0])
    return Message(name, queue, {"tenant_id": str(tenant_id)}, expires_seconds=expires_seconds)


def attribute_marked(*, tenant_id: UUID, delay_seconds: float = 0.0) -> Message:
    """Attribute the tenant's journeys that are marked dirty and have rested."""
    arguments = {"tenant_id": str(tenant_id)}
    return Message("attribution.attribute_marked", "attribution", arguments, delay_seconds)


def recompute_window(*, tenant_id: UUID, job_id: UUID) -> Message:
    """Run the job of one window."""
    arguments = {"tenant_id": str(tenant_id), "job_id": str(job_id)}
    return Message("attribution.recompute_window", "attribution", arguments)


def resume_windows(*, tenant_id: UUID) -> Message:
    """Run the tenant's jobs whose message was lost or whose worker died."""
    return _of_tenant("attribution.resume_windows", tenant_id)


def refresh_summaries(*, tenant_id: UUID) -> Message:
    """Complete the summaries of the tenant's allocations, and check one of them against its rows."""
    return _of_tenant("attribution.refresh_summaries", tenant_id, _HOURLY)


def count_days(*, tenant_id: UUID) -> Message:
    """Count the tenant's days of performance that have changed since they were counted."""
    return _of_tenant("maintenance.count_days", tenant_id, _HOURLY)


def close_ledger(*, tenant_id: UUID) -> Message:
    """Keep what the tenant's ledger adds up to, so that its totals read only what was booked since."""
    return _of_tenant("maintenance.close_ledger", tenant_id, _HOURLY)


def backfill(*, tenant_id: UUID) -> Message:
    """Attribute the tenant's orders under the versions of models that do not cover them yet."""
    return _of_tenant("attribution.backfill", tenant_id)


def refit_models(*, tenant_id: UUID) -> Message:
    """Fit the tenant's models to its journeys anew."""
    return _of_tenant("attribution.refit_models", tenant_id, _NIGHTLY)


def prune_tenant(*, tenant_id: UUID) -> Message:
    """Delete what has expired of one tenant."""
    return _of_tenant("maintenance.prune_tenant", tenant_id, _HOURLY)


def enforce_retention(*, tenant_id: UUID) -> Message:
    """Let go what of the tenant is older than its policy allows."""
    return _of_tenant("maintenance.enforce_retention", tenant_id, _NIGHTLY)


def fulfil_privacy_requests(*, tenant_id: UUID) -> Message:
    """Do what the tenant's waiting privacy requests ask."""
    return _of_tenant("maintenance.fulfil_privacy_requests", tenant_id, _HOURLY)


def audit_attribution(*, tenant_id: UUID) -> Message:
    """Look at all of the tenant's attribution anew."""
    return _of_tenant("maintenance.audit_attribution", tenant_id, _NIGHTLY)


def scan_personal_data(*, tenant_id: UUID) -> Message:
    """Look through what is stored of the tenant for personal data."""
    return _of_tenant("maintenance.scan_personal_data", tenant_id, _NIGHTLY)


def estimate_intervals(*, tenant_id: UUID, estimate_id: UUID, delay_seconds: float = 0.0) -> Message:
    """Answer one estimate that was asked for."""
    arguments = {"tenant_id": str(tenant_id), "estimate_id": str(estimate_id)}
    return Message("maintenance.estimate_intervals", "maintenance", arguments, delay_seconds)


def request_intervals(*, tenant_id: UUID, job_id: UUID) -> Message:
    """Ask for the estimate of a window that was recomputed."""
    arguments = {"tenant_id": str(tenant_id), "job_id": str(job_id)}
    return Message("maintenance.request_intervals", "maintenance", arguments)


def refresh_intervals(*, tenant_id: UUID) -> Message:
    """Answer the tenant's open estimates, and look at those of the usual windows anew."""
    return _of_tenant("maintenance.refresh_intervals", tenant_id, _HOURLY)


def reclassify_touches(*, tenant_id: UUID) -> Message:
    """Apply the channel mapping in force to the touches that the tenant stored before it."""
    return _of_tenant("maintenance.reclassify_touches", tenant_id)


def measure_unknown_share(*, tenant_id: UUID) -> Message:
    """Count which part of the tenant's late touches no rule can tell apart."""
    return _of_tenant("maintenance.measure_unknown_share", tenant_id, _HOURLY)


def sent_again(name: str, queue: str, arguments: dict[str, str]) -> Message:
    """Do once more what failed for good: somebody asked for it, so it waits until it is done."""
    return Message(name, cast("Queue", queue), arguments, expires_seconds=None)


PRODUCERS: Final[tuple[Callable[..., Message], ...]] = (
    attribute_marked,
    recompute_window,
    resume_windows,
    refresh_summaries,
    count_days,
    close_ledger,
    backfill,
    refit_models,
    prune_tenant,
    enforce_retention,
    fulfil_privacy_requests,
    scan_personal_data,
    audit_attribution,
    estimate_intervals,
    request_intervals,
    refresh_intervals,
    reclassify_touches,
    measure_unknown_share,
)
