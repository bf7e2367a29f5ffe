"""Tasks that estimate how certain the channels' figures are: what was asked for, and the usual windows."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from celery.utils.log import get_task_logger
from sqlalchemy.orm import Session

from skeldir.domain import windows
from skeldir.domain.bootstrap import estimate
from skeldir.domain.models import MODELS, Model
from skeldir.domain.windows import Window
from skeldir.queue import messages
from skeldir.queue.sending import enqueue
from skeldir.repository import attribution, attribution_settings, backfills, channel_intervals, recompute_jobs
from workers.base import TenantTask, task
from workers.measuring import WAITED

USUAL_DAYS: Final = (7, 30, 90, None)
"""The windows that reports show by themselves: so many days that end today; None is all days."""

# Less than the schedule's hour and the next day's same hour: what was due an hour ago is due again.
DEFAULT_MODEL_AGE_MAX: Final = timedelta(minutes=50)
OTHER_MODEL_AGE_MAX: Final = timedelta(hours=23)

BUDGET_SECONDS: Final = 60.0
"""A run of many estimates stops after so long and sends for the rest, so that others get their turn."""

PAUSE_SECONDS: Final = 5.0
"""Until somebody who did not get the tenant's turn tries again; most estimates take less than a second."""

KEPT_DAYS: Final = 35
"""A window that ended so long ago, and that nobody has asked for since, is estimated anew when asked for."""

log = get_task_logger(__name__)


@task("maintenance.estimate_intervals", TenantTask)
def estimate_intervals(self: TenantTask, *, tenant_id: str, estimate_id: str) -> dict[str, Any]:
    """Answer one estimate; nothing is computed when its inputs are those of the last answer.

    While others have the tenant's turn it sends itself again, however long that takes: the schedule would
    only look for it after an hour.
    """
    with self.transaction(tenant_id) as turn:
        if not channel_intervals.take_turn(turn):
            later = messages.estimate_intervals(
                tenant_id=UUID(tenant_id), estimate_id=UUID(estimate_id), delay_seconds=PAUSE_SECONDS
            )
            enqueue(turn, later)
            return dict(WAITED)
        return {"outcome": _answer(self, tenant_id, UUID(estimate_id))}


@task("maintenance.refresh_intervals", TenantTask)
def refresh_intervals(self: TenantTask, *, tenant_id: str) -> dict[str, Any]:
    """Answer what is open and look at the usual windows anew, each in a transaction of its own."""
    until = time.monotonic() + BUDGET_SECONDS
    counts = {"computed": 0, "unchanged": 0, "nothing_to_do": 0}
    with self.transaction(tenant_id) as turn:
        if not channel_intervals.take_turn(turn):
            return dict(WAITED)
        with self.transaction(tenant_id) as session:
            channel_intervals.forget(session, KEPT_DAYS)
            due = _due(session, UUID(tenant_id), datetime.now(UTC))
        for estimate_id in due:
            counts[_answer(self, tenant_id, estimate_id)] += 1
            if time.monotonic() > until:
                enqueue(turn, messages.refresh_intervals(tenant_id=UUID(tenant_id)))  # there once it is over
                break
    return {"outcome": "refreshed", **counts}


@task("maintenance.request_intervals", TenantTask)
def request_intervals(self: TenantTask, *, tenant_id: str, job_id: str) -> None:
    """Ask for the estimate of a recomputed window.

    Not the recompute itself: the request changes a row that estimates change too, and a conflict over that
    would undo all that a large window was computed for.
    """
    with self.transaction(tenant_id) as session:
        job = recompute_jobs.get(session, UUID(job_id))
        if job is None:
            return
        asked = channel_intervals.request(
            session, UUID(tenant_id), job.parameters.model, job.model_version, job.window
        )
        message = messages.estimate_intervals(tenant_id=UUID(tenant_id), estimate_id=asked.estimate_id)
        enqueue(session, message)


def usual_windows(now: datetime) -> Iterator[Window]:
    """Yield the windows whose intervals are there without being asked for."""
    today = now.date()
    for days in USUAL_DAYS:
        yield windows.days(today - timedelta(days=days - 1), today) if days else windows.days(None, None)


def _due(session: Session, tenant_id: UUID, now: datetime) -> list[UUID]:
    """Ask for the usual windows that were not looked at for long enough; return all that is open.

    A version that does not cover every order yet is left out, and looked at anew once it does: of what is
    half there an interval would stand beside the whole figure.
    """
    chosen = attribution_settings.current(session)
    completions = backfills.completions(session)
    is_first = not channel_intervals.are_any(session)  # that there was nothing is no answer for long
    for model in MODELS:
        version = chosen.version(model)
        covered_since = completions.get(version, windows.BEGINNING)
        if covered_since is None:
            continue
        for window in usual_windows(now):
            known = channel_intervals.find(session, version, window)
            if (
                is_first
                or known is None
                or known.checked_at is None
                or known.checked_at < max(covered_since, now - _age_max(model, chosen.default_model))
            ):
                channel_intervals.request(session, tenant_id, model, version, window)
    return [
        open_one.estimate_id
        for open_one in channel_intervals.unanswered(session)
        if backfills.is_whole(completions, open_one.model_version)
    ]


def _age_max(model: Model, default: Model) -> timedelta:
    return DEFAULT_MODEL_AGE_MAX if model == default else OTHER_MODEL_AGE_MAX


def _answer(self: TenantTask, tenant_id: str, estimate_id: UUID) -> str:
    """Compute an estimate from one snapshot, unless that would give what is stored; return what was done.

    Of a version that does not cover every order, as yet or no more, nothing is done: the request stays open.
    """
    started = time.monotonic()
    with self.transaction(tenant_id, isolation="repeatable read") as session:
        attribution.begin_scan(session)
        asked = channel_intervals.get(session, estimate_id)
        if asked is None or not backfills.is_whole(backfills.completions(session), asked.model_version):
            return "nothing_to_do"
        fingerprint, figures = channel_intervals.read(session, asked)
        outcome = "unchanged" if fingerprint == asked.fingerprint else "computed"
        if outcome == "unchanged":
            channel_intervals.confirm(session, estimate_id)
        else:
            channel_intervals.replace(session, estimate_id, estimate(figures), fingerprint=fingerprint)
    told = {"outcome": outcome, "milliseconds": round(1000 * (time.monotonic() - started))}
    log.info("estimated %s", json.dumps(told))
    return outcome
