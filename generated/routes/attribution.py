# @generated from api-contracts/openapi/v1/attribution.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the attribution contract."""

from datetime import date
from typing import Literal
from uuid import UUID

from generated.models.attribution import RecomputeJob, RecomputeRequest
from generated.models.common_revenue import AllocationPage, ChannelAttributionReport, LedgerTotals
from generated.models.common_touchpoints import TouchpointBatch, TouchpointReceipt
from generated.stubs import Answer
from handlers import attribution as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context
from skeldir.http.convert import optional, required, to_model


def get_channel_attribution(call: Call) -> HttpAnswer:
    """GET /api/attribution/channels."""
    sent = call.parameters
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"] | None = sent.get(
        "query.model",
    )
    mode: Literal["cash", "accrual"] = sent.get("query.mode", "cash")
    start_date = optional(sent, "query.start_date", date.fromisoformat)
    end_date = optional(sent, "query.end_date", date.fromisoformat)
    currency: str | None = sent.get("query.currency")

    def handle(ctx: Context) -> Answer[ChannelAttributionReport]:
        return handlers.get_channel_attribution(
            ctx,
            model=model,
            mode=mode,
            start_date=start_date,
            end_date=end_date,
            currency=currency,
        )

    return call.run(handle, transaction="read", status=200)


def get_ledger_totals(call: Call) -> HttpAnswer:
    """GET /api/attribution/ledger."""

    def handle(ctx: Context) -> Answer[LedgerTotals]:
        return handlers.get_ledger_totals(ctx)

    return call.run(handle, transaction="read", status=200)


def get_recompute_job(call: Call) -> HttpAnswer:
    """GET /api/attribution/recompute-jobs/{job_id}."""
    sent = call.parameters
    job_id = required(sent, "path.job_id", UUID)

    def handle(ctx: Context) -> Answer[RecomputeJob]:
        return handlers.get_recompute_job(ctx, job_id=job_id)

    return call.run(handle, transaction="read", status=200)


def list_allocations(call: Call) -> HttpAnswer:
    """GET /api/attribution/allocations."""
    sent = call.parameters
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"] | None = sent.get(
        "query.model",
    )
    order_id: str | None = sent.get("query.order_id")
    channel_code: str | None = sent.get("query.channel_code")
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[AllocationPage]:
        return handlers.list_allocations(
            ctx,
            model=model,
            order_id=order_id,
            channel_code=channel_code,
            limit=limit,
            cursor=cursor,
        )

    return call.run(handle, transaction="read", status=200)


def recompute_window(call: Call) -> HttpAnswer:
    """POST /api/attribution/recompute-jobs."""
    body = to_model(RecomputeRequest, call.json)

    def handle(ctx: Context) -> Answer[RecomputeJob]:
        return handlers.recompute_window(ctx, body=body)

    return call.run(handle, transaction="write", status=202)


def record_touchpoints(call: Call) -> HttpAnswer:
    """POST /api/attribution/touchpoints."""
    body = to_model(TouchpointBatch, call.json)

    def handle(ctx: Context) -> Answer[TouchpointReceipt]:
        return handlers.record_touchpoints(ctx, body=body)

    return call.run(handle, transaction="write", status=200)
