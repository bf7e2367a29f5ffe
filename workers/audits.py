"""The task of the maintenance queue that audits attribution: once a night, everything."""

import json
import time
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from celery.utils.log import get_task_logger

from skeldir.domain.models import MODELS
from skeldir.queue import messages
from skeldir.queue.sending import send
from skeldir.repository import attribution, attribution_audits, attribution_orders, attribution_settings
from skeldir.repository.attribution_audits import Audit
from workers.base import TenantTask, task

ORDERS_AT_ONCE: Final = attribution_orders.SCOPE_MAX
"""Orders that are looked at in one snapshot."""
SECONDS_MAX: Final = 60.0
"""After so long the rest is the next task's, so that none runs for long."""

log = get_task_logger(__name__)


@task("maintenance.audit_attribution", TenantTask)
def audit_attribution(self: TenantTask, *, tenant_id: str) -> dict[str, Any]:
    """Go on with the tenant's audit, or begin one: sums, digests, summaries and the closing, against rows.

    What is wrong is counted, kept and told in the log as an error; a closing is mended too. Another worker's
    audit is left to it.
    """
    until = time.monotonic() + SECONDS_MAX
    with self.transaction(tenant_id) as turn:
        if not attribution_audits.take_turn(turn):
            return {"outcome": "busy"}
        with self.transaction(tenant_id) as session:
            audit = attribution_audits.go_on(session)
        is_over = False
        while not is_over and time.monotonic() < until:
            audit, is_over = _step(self, tenant_id, audit)
    if not is_over:
        send(messages.audit_attribution(tenant_id=UUID(tenant_id)), app=self.app)
        return {"outcome": "went_on"}
    found = {name: value for name, value in asdict(audit).items() if name.endswith("_count")}
    if audit.wrong_count:
        log.error("audit %s found wrong %s", audit.audit_id, json.dumps(found))
    else:
        log.info("audit %s found nothing wrong %s", audit.audit_id, json.dumps(found))
    return {"outcome": "audited", **found}


def _step(self: TenantTask, tenant_id: str, audit: Audit) -> tuple[Audit, bool]:
    """Look at the next orders, and after the last ones at the sums over all; return whether that was all."""
    with self.transaction(tenant_id, isolation="repeatable read") as session:
        attribution.begin(session)
        settings = attribution_settings.current(session)
        versions = [settings.version(model) for model in MODELS]
        audit, has_more = attribution_audits.look_at_orders(session, audit, versions, ORDERS_AT_ONCE)
        if not has_more:
            attribution.begin_scan(session)
            audit = attribution_audits.look_at_sums(session, audit)
        attribution_audits.write_down(session, audit, is_over=not has_more)
    return audit, not has_more
