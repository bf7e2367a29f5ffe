"""Tasks that compute windows anew: a job row says what is to be done, a message only when."""

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from celery.utils.log import get_task_logger
from sqlalchemy.orm import Session

from skeldir.domain.models import TAXONOMY_VERSION
from skeldir.queue import messages
from skeldir.queue.sending import enqueue, send
from skeldir.repository import (
    attribution,
    attribution_digests,
    attribution_settings,
    channel_corrections,
    dirty_marks,
    model_fits,
    reclassification,
    recompute_inputs,
    recompute_jobs,
    recompute_skips,
)
from skeldir.repository.attribution import Changes
from skeldir.repository.attribution_planning import LOOK_UPS, SCAN_TIMEOUT_SECONDS
from skeldir.repository.recompute_inputs import Input
from skeldir.repository.recompute_jobs import Job, Origin
from workers.attribution import JOURNEYS_MAX, attribute_taken, classify_marked
from workers.base import Busy, TenantTask, task

ABANDONED_SECONDS: Final = 60
"""After so long a running job is sent again. While its worker lives that worker has the tenant's turn."""

STARTS_MAX: Final = 12
"""Starts of one run: one message's tries, twice. A job that ends its workers must not do so for ever."""

_GLANCE: Final = {**LOOK_UPS, "statement_timeout": f"{SCAN_TIMEOUT_SECONDS}s"}

log = get_task_logger(__name__)


class WindowTask(TenantTask):
    """A task that leaves its job marked as failed when no try is left."""

    abstract = True

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:  # noqa: ANN401
        """Close the job, naming the kind of error: messages may quote data."""
        super().on_failure(exc, task_id, args, kwargs, einfo)
        with suppress(ValueError):  # of what is no id there is no job to close
            job_id = UUID(kwargs["job_id"])
            with self.transaction(kwargs["tenant_id"]) as session:
                recompute_jobs.fail(session, job_id, type(exc).__name__)


@task(recompute_jobs.TASK, WindowTask)
def recompute_window(self: TenantTask, *, tenant_id: str, job_id: str) -> dict[str, Any]:
    """Run a window's job: of two at once one works and one reports, and unchanged inputs are skipped.

    Whatever is asked for while it runs is one more run. Should the commit of a skip be lost in a crash, the
    job is still queued and this happens once more.
    """
    started = time.monotonic()
    if _skip(self, tenant_id, UUID(job_id)):
        result: dict[str, Any] = {"outcome": "unchanged"}
    else:
        with self.transaction(tenant_id, is_durable=False) as turn:
            has_turn = attribution.take_turn(turn)
            job = recompute_jobs.get(turn, UUID(job_id))
            if not has_turn:
                if job is not None and job.status == "running":
                    return {"outcome": "running"}
                raise Busy
            if job is not None and job.is_asked_again:
                with self.transaction(tenant_id) as session:
                    recompute_jobs.admit(session, job.job_id)
            result = {"outcome": "nothing_to_do"} if job is None else _run(self, tenant_id, job)
            _send_next(turn, tenant_id, UUID(job_id))
    milliseconds = round(1000 * (time.monotonic() - started), 1)
    log.info("recomputed %s", json.dumps({**result, "milliseconds": milliseconds}))
    return result


@task("attribution.resume_windows", TenantTask)
def resume_windows(self: TenantTask, *, tenant_id: str) -> int:
    """Send the tenant's waiting and abandoned jobs to the workers; return how many there are."""
    with self.transaction(tenant_id) as session:
        due = recompute_jobs.due(session, ABANDONED_SECONDS)
    for job_id in due:
        send(messages.recompute_window(tenant_id=UUID(tenant_id), job_id=job_id), app=self.app)
    return len(due)


def _skip(task: TenantTask, tenant_id: str, job_id: UUID) -> bool:
    """Close a job that has nothing to do; in a transaction of its own.

    It may hold the job's row although it has not closed it, and who runs the job needs that row.
    """
    with task.transaction(tenant_id, is_durable=False, settings=_GLANCE) as session:
        return recompute_skips.skip(session, job_id)


def _run(task: TenantTask, tenant_id: str, job: Job) -> dict[str, Any]:
    """Start a job and bring it to its end.

    The start is committed by itself, so that it can be watched and counted. Should the worker die, the
    job stays `running`, and `resume_windows` has it started again, a bounded number of times.
    """
    with task.transaction(tenant_id, settings=_GLANCE) as session:
        if not recompute_jobs.start(session, job.job_id, STARTS_MAX):
            return {"outcome": "nothing_to_do"}
        is_marked = dirty_marks.touch_window(session, job.window)
    if is_marked:
        classify_marked(task, tenant_id)
        while _attribute_portion(task, tenant_id, job.job_id):
            pass
    with task.effect(tenant_id, isolation="repeatable read", is_durable=False) as session:
        attribution.begin_scan(session)
        started = recompute_jobs.get(session, job.job_id)
        if started is None or started.status != "running":
            return {"outcome": "nothing_to_do"}
        result = _compute(session, started, UUID(task.request.id))
        if result["outcome"] == "computed" and job.window.is_of_days:  # of others nobody can be told
            enqueue(session, messages.request_intervals(tenant_id=UUID(tenant_id), job_id=job.job_id))
    return result


def _attribute_portion(task: TenantTask, tenant_id: str, job_id: UUID) -> bool:
    """Attribute some of a window's marked journeys if they are too many for one transaction; tell whether."""
    with task.transaction(tenant_id, isolation="repeatable read") as session:
        attribution.begin_scan(session)
        job = recompute_jobs.get(session, job_id)
        if job is None or not dirty_marks.touch_window(session, job.window, more_than=JOURNEYS_MAX):
            return False
        taken = dirty_marks.take_of_window(session, job.window, JOURNEYS_MAX)
        journeys, _ = attribute_taken(session, taken)
    if len(journeys) < len(taken):
        classify_marked(task, tenant_id)
    return True


def _send_next(turn: Session, tenant_id: str, job_id: UUID) -> None:
    """Send for the run that was asked for during this one, as soon as the turn is free for it.

    The message that came with the request has only reported. Should the worker die before, `resume_windows`
    finds the request.
    """
    if recompute_jobs.is_asked_again(turn, job_id):
        enqueue(turn, messages.recompute_window(tenant_id=UUID(tenant_id), job_id=job_id))


def _compute(session: Session, job: Job, task_id: UUID) -> dict[str, Any]:
    """Attribute the dirty journeys that the window rests on, and then what else of it has changed.

    Those that are not classified yet, or too many, keep their marks, and their orders are left to whoever
    takes these: what the fingerprint does not name is no part of the result.
    """
    revision = before = attribution_digests.last_revision(session)
    settings = attribution_settings.current(session)
    taken = dirty_marks.take_of_window(session, job.window, JOURNEYS_MAX)
    changes, left = Changes(), set[str]()
    if taken:
        _, changes = attribute_taken(session, taken)
        attribution.begin_scan(session)
        left = set(dirty_marks.of_window(session, job.window))
        revision = attribution_digests.last_revision(session)
    attribution.begin(session)
    inputs = recompute_inputs.of_window(session, job.window)
    fingerprint = _fingerprint(job, inputs)
    if fingerprint == job.fingerprint and job.computed_revision is not None:
        recompute_jobs.unchanged(session, job.job_id)
        return {"outcome": "unchanged"}
    if job.computed_revision is None or job.taxonomy_version != TAXONOMY_VERSION:
        changes += attribution.attribute_window(session, job.window, job.parameters, without=left)
    else:
        # What this run has just attributed under all models need not be attributed under one of them.
        is_current = job.model_version == settings.version(job.parameters.model)
        changes += attribution.attribute_changed(
            session,
            job.window,
            job.parameters,
            after=job.computed_revision,
            before=1 + (before if is_current else revision),
            without=left,
        )
    recompute_inputs.remember(session, job.job_id, job.window)
    origin = Origin(
        fingerprint=fingerprint,
        taxonomy_version=TAXONOMY_VERSION,
        rule_set_version=reclassification.applied(session),
        correction_count=channel_corrections.count(session),
        settings_version=settings.settings_version,
        fit_version=model_fits.version_of(session, job.parameters),
        revision=revision,
        task_id=task_id,
    )
    recompute_jobs.computed(session, job.job_id, origin)
    return {"outcome": "computed", **asdict(changes)}


def _fingerprint(job: Job, inputs: Sequence[Input]) -> str:
    """Name a result by everything that it depends on."""
    return recompute_inputs.fingerprint(
        inputs, job.model_version, job.parameters.lookback_days, TAXONOMY_VERSION
    )
