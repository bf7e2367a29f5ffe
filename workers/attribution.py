"""Tasks that attribute marked journeys. The marks say what is to be done, a message only when."""

import json
import time
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from celery.utils.log import get_task_logger
from sqlalchemy.orm import Session

from skeldir.db.engine import get_engine
from skeldir.db.session import tenant_session
from skeldir.queue import messages
from skeldir.queue.sending import send
from skeldir.repository import attribution, attribution_settings, dirty_marks, reclassification
from skeldir.repository.attribution import Changes
from skeldir.repository.dirty_marks import Patience
from skeldir.settings import get_settings
from workers import summaries
from workers.base import TenantTask, task
from workers.measuring import WAITED

JOURNEYS_MAX: Final = 25_000
"""Journeys per run; the rest is the next run's, so that no transaction grows without bound."""

STATISTICS_AFTER_JOURNEYS: Final = 5_000
"""A run of this many journeys follows a bulk ingest: the readers' plans deserve fresh statistics."""

log = get_task_logger(__name__)


@task("attribution.attribute_marked", TenantTask)
def attribute_marked(self: TenantTask, *, tenant_id: str) -> dict[str, Any]:
    """Attribute the journeys that are dirty and have rested, under all models, from one snapshot."""
    settings = get_settings()
    patience = Patience(settings.attribution_debounce_seconds, settings.attribution_delay_seconds_max)
    started = time.monotonic()
    with self.transaction(tenant_id) as turn:
        if not attribution.take_turn(turn):
            return dict(WAITED)
        classify_marked(self, tenant_id)
        with self.effect(tenant_id, isolation="repeatable read", is_durable=False) as session:
            attribution.begin_scan(session)
            taken = dirty_marks.take(session, patience, JOURNEYS_MAX)
            journeys, changes = attribute_taken(session, taken)
        milliseconds = round(1000 * (time.monotonic() - started))
        wanted = summaries.catch_up(self, tenant_id).wanted if len(journeys) < JOURNEYS_MAX else ()
    result = {
        "outcome": "attributed",
        "journeys": len(journeys),
        "orders": changes.orders,
        "written": changes.written,
        "vanished": changes.vanished,
        "milliseconds": milliseconds,
    }
    log.info("attributed %s", json.dumps(result))
    if len(taken) == JOURNEYS_MAX:
        send(messages.attribute_marked(tenant_id=UUID(tenant_id)), app=self.app)
    elif len(journeys) < len(taken):
        rest = patience.debounce_seconds
        send(messages.attribute_marked(tenant_id=UUID(tenant_id), delay_seconds=rest), app=self.app)
    if len(journeys) >= STATISTICS_AFTER_JOURNEYS:
        with tenant_session(UUID(tenant_id), engine=get_engine("app_worker")) as session:
            attribution.refresh_statistics(session)
        send(messages.count_days(tenant_id=UUID(tenant_id)), app=self.app)
    for message in wanted if changes.written else ():
        send(message, app=self.app)
    return result


def attribute_taken(session: Session, taken: Sequence[str]) -> tuple[list[str], Changes]:
    """Attribute journeys whose marks were taken; those that are not classified yet keep theirs.

    Returns those that it attributed, and what changed.
    """
    journeys = reclassification.only_classified(session, taken)
    settings = attribution_settings.current(session)
    attribution.begin(session)
    return journeys, attribution.attribute_journeys(session, journeys, settings)


def classify_marked(self: TenantTask, tenant_id: str) -> None:
    """Apply rules and corrections to marked journeys, some at a time: webhooks wait for locked orders."""
    with self.transaction(tenant_id) as session:
        after = None if reclassification.is_built_in(session) else ""
    while after is not None:
        with self.transaction(tenant_id) as session:
            after = reclassification.classify_marked(session, after)
