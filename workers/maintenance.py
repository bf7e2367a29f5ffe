"""Tasks of the maintenance queue: what a tenant no longer needs goes."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from skeldir.queue import messages
from skeldir.queue.sending import send
from skeldir.repository import failed_jobs, idempotency, login_failures, rate_limits, task_effects, tokens
from skeldir.settings import get_settings
from workers.base import TenantTask, task

EFFECTS_KEPT_DAYS: Final = 7
"""No message lives so long: each expires, but for those that somebody sent again, which took no effect."""
IDEMPOTENCY_KEYS_KEPT: Final = timedelta(hours=24)
RATE_LIMITS_KEPT: Final = timedelta(days=1)
ROWS_AT_ONCE: Final = 1_000
"""Rows of a table that are deleted in one transaction."""
BATCHES_MAX: Final = 20
"""Transactions of one task; the rest is the next one's, so that none runs for long."""


@task("maintenance.prune_tenant", TenantTask)
def prune_tenant(self: TenantTask, *, tenant_id: str) -> dict[str, int]:
    """Delete what is over: tokens, login windows, full buckets, request keys, failed tasks, task effects.

    What is gone is not deleted twice, so a message more changes nothing.
    """
    now, settings, gone = datetime.now(UTC), get_settings(), Counter[str]()
    window_is_over = now - timedelta(seconds=settings.login_failures_window_seconds)
    for _ in range(BATCHES_MAX):
        with self.transaction(tenant_id) as session:
            batch = {
                "tokens": tokens.prune_expired(session, now, ROWS_AT_ONCE),
                "login_failures": login_failures.prune(session, window_is_over, ROWS_AT_ONCE),
                "rate_limits": rate_limits.forget(session, RATE_LIMITS_KEPT, ROWS_AT_ONCE),
                "idempotency_keys": idempotency.forget(session, IDEMPOTENCY_KEYS_KEPT, ROWS_AT_ONCE),
                "failed_jobs": failed_jobs.prune(session, settings.failed_job_days, ROWS_AT_ONCE),
                "task_effects": task_effects.forget(session, EFFECTS_KEPT_DAYS, ROWS_AT_ONCE),
            }
        gone.update(batch)
        if max(batch.values()) < ROWS_AT_ONCE:
            return dict(gone)
    send(messages.prune_tenant(tenant_id=UUID(tenant_id)), app=self.app)
    return dict(gone)
