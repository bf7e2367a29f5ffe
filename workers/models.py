"""Tasks of the attribution queue that keep up with a tenant's settings and with what its journeys teach."""

import json
from typing import Any, Final
from uuid import UUID

from celery.utils.log import get_task_logger

from skeldir.queue import messages
from skeldir.queue.sending import enqueue, send
from skeldir.repository import attribution, attribution_orders, attribution_settings, backfills, model_fits
from workers.base import TenantTask, task
from workers.summaries import catch_up

ROWS_MAX: Final = attribution_orders.SCOPE_MAX
"""Orders attributed, or rows deleted, per transaction: what is marked meanwhile gets its turn in between."""

log = get_task_logger(__name__)


@task("attribution.backfill", TenantTask)
def backfill(self: TenantTask, *, tenant_id: str) -> dict[str, Any]:
    """Take one step of the tenant's backfills, and send for the next unless there is none.

    Whoever finds another job at work leaves it at that: the sweep sends again.
    """
    with self.transaction(tenant_id) as session:
        attribution_settings.hold(session)
        backfills.adopt(session, attribution_settings.current(session))
    with self.transaction(tenant_id) as turn:
        if not attribution.take_turn(turn):
            return {"outcome": "busy"}
        with self.effect(tenant_id, isolation="repeatable read") as session:
            attribution.begin(session)
            done = backfills.step(session, attribution_settings.current(session), ROWS_MAX)
            if done.has_covered:  # nobody has estimated the intervals of what was half there
                enqueue(session, messages.refresh_intervals(tenant_id=UUID(tenant_id)))
        wanted = catch_up(self, tenant_id).wanted if done.is_over else ()
    for message in wanted:
        send(message, app=self.app)
    if done.is_over:
        return {"outcome": "over"}
    send(messages.backfill(tenant_id=UUID(tenant_id)), app=self.app)
    log.info("filled back %s", json.dumps({"orders": done.orders, "deleted": done.deleted}))
    return {"outcome": "went_on", "orders": done.orders, "deleted": done.deleted}


@task("attribution.refit_models", TenantTask)
def refit_models(self: TenantTask, *, tenant_id: str) -> dict[str, Any]:
    """Fit the models to all of the tenant's journeys; a fit that says something new is backfilled.

    Settings may change meanwhile. Then this fit is not kept: who changed them sent for another.
    """
    with self.effect(tenant_id) as session:
        attribution.begin_scan(session)
        settings = attribution_settings.current(session)
        fitted = model_fits.fit_markov(session, settings)
        attribution_settings.hold(session)
        if attribution_settings.current(session).settings_version != settings.settings_version:
            return {"outcome": "superseded"}
        is_new = fitted is not None and model_fits.keep(session, fitted)
        backfills.adopt(session, attribution_settings.current(session))
    send(messages.backfill(tenant_id=UUID(tenant_id)), app=self.app)
    return {"outcome": "fitted" if is_new else "unchanged"}
