"""Operations of api-contracts/openapi/v1/recomputes.yaml."""

from uuid import UUID

from pydantic import MISSING

from generated.models.common_models import ChannelWeight
from generated.models.recomputes import FingerprintExplanation, ResultInput, ResultParameters
from skeldir.domain.attribution_settings import weights_digest
from skeldir.domain.errors import NotFound
from skeldir.http.context import Context
from skeldir.repository import recompute_inputs, recompute_jobs
from skeldir.repository.recompute_inputs import Input
from skeldir.repository.recompute_jobs import Job


def explain_fingerprint(ctx: Context, *, job_id: UUID) -> FingerprintExplanation:
    """Return what a job's result was computed from, as the run that computed it found it."""
    job = recompute_jobs.get(ctx.session, job_id)
    if job is None:
        raise NotFound(f"There is no recompute job {job_id}.")
    if job.fingerprint is None or job.computed_at is None or job.computed_task_id is None:
        raise NotFound(f"The recompute job {job_id} has no result yet.")
    inputs = recompute_inputs.of_job(ctx.session, job_id)
    return FingerprintExplanation(
        job_id=job_id,
        fingerprint=job.fingerprint,
        model=job.parameters.model,
        model_version=job.model_version,
        parameters=_parameters(job),
        taxonomy_version=job.taxonomy_version or 1,
        rule_set_version=_known(job.rule_set_version),
        correction_count=_known(job.correction_count),
        settings_version=_known(job.settings_version),
        window_start=job.window.start,
        window_end=job.window.end,
        computed_at=job.computed_at,
        computed_by_run=job.computed_run_count or 1,
        computed_by_task=job.computed_task_id,
        order_count=sum(one.order_count for one in inputs),
        entry_count=sum(one.entry_count for one in inputs),
        touch_count=sum(one.touch_count for one in inputs),
        inputs=[_input(one) for one in inputs],
    )


def _parameters(job: Job) -> ResultParameters:
    given = job.parameters
    weights = given.channel_weights
    return ResultParameters(
        lookback_days=given.lookback_days,
        half_life_days=given.half_life_days or MISSING,
        position_weights=list(given.position_weights) if given.position_weights else MISSING,
        weights_digest=weights_digest(weights) if weights else MISSING,
        channel_weights=[
            ChannelWeight(channel_code=code, weight=weight) for code, weight in sorted(weights.items())
        ]
        if given.model == "custom"
        else MISSING,
        fit_version=_known(job.fit_version),
    )


def _known(value: int | None) -> int | MISSING:
    return MISSING if value is None else value


def _input(one: Input) -> ResultInput:
    return ResultInput(
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        order_count=one.order_count,
        entry_count=one.entry_count,
        touch_count=one.touch_count,
        digest=one.digest,
    )
