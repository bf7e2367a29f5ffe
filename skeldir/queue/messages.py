"""The producers: one function per task, with the task's name and its arguments.

A message is only a wake-up. What is to be done stands in the database (marks, job rows), and the
sweep sends again what a lost message would have started; so each message may expire.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID

Queue = Literal["attribution", "llm", "maintenance", "housekeeping"]

QUEUES: Final[tuple[Queue, ...]] = ("attribution", "llm", "maintenance", "housekeeping")

_EXPIRES_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Message:
    """A task to be run by a worker: its name, its queue and its JSON-safe arguments."""

    name: str
    queue: Queue
    arguments: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    expires_seconds: float = _EXPIRES_SECONDS


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
    return Message("attribution.resume_windows", "attribution", {"tenant_id": str(tenant_id)})


def refresh_summaries(*, tenant_id: UUID) -> Message:
    """Complete the summaries of the tenant's allocations, and check one of them against its rows."""
    return Message("attribution.refresh_summaries", "attribution", {"tenant_id": str(tenant_id)})


def count_days(*, tenant_id: UUID) -> Message:
    """Count the tenant's days of performance that have changed since they were counted."""
    return Message("maintenance.count_days", "maintenance", {"tenant_id": str(tenant_id)})


def close_ledger(*, tenant_id: UUID) -> Message:
    """Keep what the tenant's ledger adds up to, so that its totals read only what was booked since."""
    return Message("maintenance.close_ledger", "maintenance", {"tenant_id": str(tenant_id)})


def backfill(*, tenant_id: UUID) -> Message:
    """Attribute the tenant's orders under the versions of models that do not cover them yet."""
    return Message("attribution.backfill", "attribution", {"tenant_id": str(tenant_id)})


def refit_models(*, tenant_id: UUID) -> Message:
    """Fit the tenant's models to its journeys anew."""
    return Message("attribution.refit_models", "attribution", {"tenant_id": str(tenant_id)})


def prune_tenant(*, tenant_id: UUID) -> Message:
    """Delete what has expired of one tenant."""
    return Message("maintenance.prune_tenant", "maintenance", {"tenant_id": str(tenant_id)})


def enforce_retention(*, tenant_id: UUID) -> Message:
    """Let go what of the tenant is older than its policy allows."""
    return Message("maintenance.enforce_retention", "maintenance", {"tenant_id": str(tenant_id)})


def fulfil_privacy_requests(*, tenant_id: UUID) -> Message:
    """Do what the tenant's waiting privacy requests ask."""
    return Message("maintenance.fulfil_privacy_requests", "maintenance", {"tenant_id": str(tenant_id)})


def audit_attribution(*, tenant_id: UUID) -> Message:
    """Look at all of the tenant's attribution anew."""
    return Message("maintenance.audit_attribution", "maintenance", {"tenant_id": str(tenant_id)})


def scan_personal_data(*, tenant_id: UUID) -> Message:
    """Look through what is stored of the tenant for personal data."""
    return Message("maintenance.scan_personal_data", "maintenance", {"tenant_id": str(tenant_id)})


def estimate_intervals(*, tenant_id: UUID, estimate_id: UUID) -> Message:
    """Answer one estimate that was asked for."""
    arguments = {"tenant_id": str(tenant_id), "estimate_id": str(estimate_id)}
    return Message("maintenance.estimate_intervals", "maintenance", arguments)


def refresh_intervals(*, tenant_id: UUID) -> Message:
    """Answer the tenant's open estimates, and look at those of the usual windows anew."""
    return Message("maintenance.refresh_intervals", "maintenance", {"tenant_id": str(tenant_id)})


def reclassify_touches(*, tenant_id: UUID) -> Message:
    """Apply the channel mapping in force to the touches that the tenant stored before it."""
    return Message("maintenance.reclassify_touches", "maintenance", {"tenant_id": str(tenant_id)})


def measure_unknown_share(*, tenant_id: UUID) -> Message:
    """Count which part of the tenant's late touches no rule can tell apart."""
    return Message("maintenance.measure_unknown_share", "maintenance", {"tenant_id": str(tenant_id)})


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
    refresh_intervals,
    reclassify_touches,
    measure_unknown_share,
)
