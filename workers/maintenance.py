"""Tasks of the maintenance queue: what a tenant no longer needs goes."""

from datetime import UTC, datetime, timedelta
from typing import Final

from skeldir.repository import failed_jobs, idempotency, login_failures, task_effects, tokens
from skeldir.settings import get_settings
from workers.base import TenantTask, task

EFFECTS_KEPT_DAYS: Final = 7
FAILED_JOBS_KEPT_DAYS: Final = 30
IDEMPOTENCY_KEYS_KEPT: Final = timedelta(hours=24)


@task("maintenance.prune_tenant", TenantTask)
def prune_tenant(self: TenantTask, *, tenant_id: str) -> dict[str, int]:
    """Delete what is over: tokens, login windows, task effects, request keys, settled failures."""
    now = datetime.now(UTC)
    window_is_over = now - timedelta(seconds=get_settings().login_failures_window_seconds)
    with self.effect(tenant_id) as session:
        return {
            "tokens": tokens.prune_expired(session, now),
            "login_failures": login_failures.prune(session, window_is_over),
            "idempotency_keys": idempotency.forget(session, IDEMPOTENCY_KEYS_KEPT),
            "failed_jobs": failed_jobs.prune(session, FAILED_JOBS_KEPT_DAYS),
            "task_effects": task_effects.forget(session, EFFECTS_KEPT_DAYS),
        }
