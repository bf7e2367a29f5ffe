"""The task that counts days of performance for the models whose days no job keeps."""

import json
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from celery.utils.log import get_task_logger
from sqlalchemy.orm import Session

from skeldir.domain.models import MODELS
from skeldir.domain.windows import BEGINNING, END
from skeldir.queue import messages
from skeldir.queue.sending import enqueue
from skeldir.repository import attribution, attribution_settings, performance_counts, performance_days
from workers.base import TenantTask, task

DAYS_MAX: Final = 10
"""Days per transaction: a third of a second of a shop with 10,000 events a day."""

BUDGET_SECONDS: Final = 20.0
"""A run stops after so long and sends for the rest, so that others get their turn."""

log = get_task_logger(__name__)


@task("maintenance.count_days", TenantTask)
def count_days(self: TenantTask, *, tenant_id: str) -> dict[str, Any]:
    """Count the days that have changed since they were counted, under each current model, the latest first.

    Those that change meanwhile are the next run's; whoever reads them before counts them himself.
    """
    started, counted = time.monotonic(), 0
    with self.transaction(tenant_id) as turn:
        if not performance_counts.take_turn(turn):
            return {"outcome": "busy"}
        with self.transaction(tenant_id, isolation="repeatable read") as session:
            due = list(_due(session))
        for version, days in due:
            with self.transaction(tenant_id, isolation="repeatable read") as session:
                attribution.begin(session)
                counted += _count(session, version, days)
            if time.monotonic() - started > BUDGET_SECONDS:
                enqueue(turn, messages.count_days(tenant_id=UUID(tenant_id)))  # there once the turn is over
                break
    result = {"outcome": "counted", "days": counted}
    log.info("counted %s", json.dumps({**result, "milliseconds": round(1000 * (time.monotonic() - started))}))
    return result


def _due(session: Session) -> Iterator[tuple[str, list[date]]]:
    """Yield the stale days of each version, some at a time."""
    chosen = attribution_settings.current(session)
    for version in map(chosen.version, MODELS):
        if not performance_days.is_listed(session, version) and performance_counts.are_kept(session, version):
            days = list(performance_counts.stale(session, version, BEGINNING.date(), END.date()))
            for start in range(0, len(days), DAYS_MAX):
                yield version, days[start : start + DAYS_MAX]


def _count(session: Session, version: str, days: list[date]) -> int:
    """Count those of the days that are still stale, if the version is still followed; return how many."""
    if not performance_counts.are_kept(session, version):
        return 0
    known = performance_counts.stale(session, version, min(days), max(days) + timedelta(days=1))
    stale = {day: known[day] for day in days if day in known}
    if stale:
        performance_counts.keep(session, version, stale)
    return len(stale)
