"""Tasks of the maintenance queue on channels: apply mappings to what was stored, watch what none knows."""

import logging
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from celery.utils.log import get_task_logger

from skeldir.domain.unknown_share import WINDOW_DAYS, level_of_share
from skeldir.queue import messages
from skeldir.queue.sending import send
from skeldir.repository import reclassification, unknown_touches
from workers.base import TenantTask, task

ROWS_AT_ONCE: Final = 2_000
"""Touches that are looked at in one transaction: an order whose hint changes is locked no longer."""
ROWS_MAX: Final = 200_000
"""Touches of one task; the rest is the next one's, so that none runs for long."""

log = get_task_logger(__name__)


@task("maintenance.reclassify_touches", TenantTask)
def reclassify_touches(self: TenantTask, *, tenant_id: str) -> dict[str, int]:
    """Go on with the walk that applies the mapping in force; changed journeys are attributed anew.

    It goes on from where it is, whichever message it was sent by, so one more changes nothing.
    """
    rows = changed = 0
    is_over = False
    while rows < ROWS_MAX and not is_over:
        with self.transaction(tenant_id) as session:
            step = reclassification.step(session, ROWS_AT_ONCE)
        rows, changed, is_over = rows + step.touch_count, changed + step.changed_count, step.is_over
    log.info("looked at %s touches and reclassified %s", rows, changed)
    if changed:
        send(messages.attribute_marked(tenant_id=UUID(tenant_id)), app=self.app)
    if not is_over:
        send(messages.reclassify_touches(tenant_id=UUID(tenant_id)), app=self.app)
    return {"touches": rows, "changed": changed}


@task("maintenance.measure_unknown_share", TenantTask)
def measure_unknown_share(self: TenantTask, *, tenant_id: str) -> dict[str, str]:
    """Count which part of a week's touches no rule can tell apart; what is too much is told."""
    now = datetime.now(UTC)
    with self.effect(tenant_id) as session:
        counted = unknown_touches.counts(session, now - timedelta(days=WINDOW_DAYS), now)
        level = level_of_share(counted.unknown_count, counted.touch_count)
        unknown_touches.keep(session, counted, level, now)
    if level != "ok":
        figures = asdict(counted) | {"tenant_id": tenant_id}
        log.log(getattr(logging, level.upper()), "too many touches that no rule tells apart", extra=figures)
    return {"level": level}
