"""Completes and checks the summaries that reports are read from; jobs keep them in step themselves."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from celery.utils.log import get_task_logger
from sqlalchemy.orm import Session

from skeldir.domain.attribution_settings import AttributionSettings
from skeldir.domain.models import MODELS
from skeldir.queue import messages
from skeldir.queue.messages import Message
from skeldir.queue.sending import send
from skeldir.repository import (
    attribution,
    attribution_settings,
    backfills,
    channel_intervals,
    performance_days,
    summaries,
)
from workers.base import TenantTask, task

log = get_task_logger(__name__)


@task("attribution.refresh_summaries", TenantTask)
def refresh_summaries(self: TenantTask, *, tenant_id: str) -> dict[str, Any]:
    """Summarise what is not, and check the summary whose last check is longest ago; make a wrong one anew.

    Each run checks one version, so that a tenant's rows are added up once an hour and not once per model.
    Another job that has the tenant's turn is not waited for.
    """
    with self.transaction(tenant_id) as turn:
        if not attribution.take_turn(turn):
            return {"outcome": "busy"}
        completed = catch_up(self, tenant_id).completed
        with self.transaction(tenant_id, isolation="repeatable read") as session:
            attribution.begin_scan(session)
            summaries.prune(session)
            checked = _check(session)
        with self.transaction(tenant_id, isolation="repeatable read") as session:
            attribution.begin(session)
            _refresh_performance(session)
    for message in (messages.count_days, messages.close_ledger):
        send(message(tenant_id=UUID(tenant_id)), app=self.app)
    return {"outcome": "refreshed", "completed": completed, **checked}


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """How many versions were summarised, and who makes what reports would miss until the next hour.

    To be sent when the turn was given back, for it is needed.
    """

    completed: int = 0
    wanted: Sequence[Message] = ()


def catch_up(task_at_work: TenantTask, tenant_id: str) -> CaughtUp:
    """Summarise what is current, covers every order and is not summarised; the caller has the turn."""
    with task_at_work.transaction(tenant_id, isolation="repeatable read") as session:
        chosen = attribution_settings.current(session)
        left_out = {*summaries.listed(session), *backfills.uncovered(session)}
        missing = [version for version in map(chosen.version, MODELS) if version not in left_out]
        if missing:
            attribution.begin_scan(session)
        for version in missing:
            started = time.monotonic()
            summaries.rebuild(session, version)
            _tell("summarised", version, started)
        wanted = list(_wanted(session, chosen, UUID(tenant_id)))
    return CaughtUp(len(missing), wanted)


def _wanted(session: Session, chosen: AttributionSettings, tenant_id: UUID) -> Iterator[Message]:
    if not performance_days.is_listed(session, chosen.version(chosen.default_model)):
        yield messages.refresh_summaries(tenant_id=tenant_id)
    if not channel_intervals.are_any(session):
        yield messages.refresh_intervals(tenant_id=tenant_id)


def _check(session: Session) -> dict[str, Any]:
    listed = summaries.listed(session)
    if not listed:
        return {"checked": None, "drifted": 0}
    version, started = listed[0], time.monotonic()
    drifted = summaries.drift(session, version)
    if drifted:
        log.error("the summary of %s differs from its rows in %d places", version, drifted)
        summaries.rebuild(session, version)
    _tell("checked", version, started, drifted=drifted)
    return {"checked": version, "drifted": drifted}


def _refresh_performance(session: Session) -> None:
    """Keep the days of the tenant's default model, and count them anew: what differs is mended and told.

    Some may: an order that is booked and not attributed yet can have made another one a repeat order.
    """
    chosen = attribution_settings.current(session)
    version, started = chosen.version(chosen.default_model), time.monotonic()
    if version in backfills.uncovered(session):
        return
    was_kept = performance_days.is_listed(session, version)
    differing = performance_days.refresh(session, version)
    if was_kept and differing:
        log.warning("the days of %s differed from its rows in %d places", version, differing)
    _tell("counted", version, started, differing=differing)


def _tell(what: str, version: str, started: float, **figures: int) -> None:
    milliseconds = round(1000 * (time.monotonic() - started))
    log.info("%s %s", what, json.dumps({"model_version": version, "milliseconds": milliseconds, **figures}))
