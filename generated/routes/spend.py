# @generated from api-contracts/openapi/v1/spend.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the spend contract."""

from datetime import date
from typing import Literal
from uuid import UUID

from generated.models.common_performance import PerformanceReport
from generated.models.common_spend import (
    AdSpendBatch,
    AdSpendChangePage,
    AdSpendImport,
    AdSpendImportPage,
    AdSpendPage,
)
from generated.stubs import Answer
from handlers import spend as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context
from skeldir.http.convert import optional, required, to_model


def get_channel_performance(call: Call) -> HttpAnswer:
    """GET /api/attribution/performance."""
    sent = call.parameters
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"] | None = sent.get(
        "query.model",
    )
    mode: Literal["cash", "accrual"] = sent.get("query.mode", "cash")
    group_by: Literal["channel", "campaign"] = sent.get("query.group_by", "channel")
    start_date = optional(sent, "query.start_date", date.fromisoformat)
    end_date = optional(sent, "query.end_date", date.fromisoformat)
    currency: str | None = sent.get("query.currency")

    def handle(ctx: Context) -> Answer[PerformanceReport]:
        return handlers.get_channel_performance(
            ctx,
            model=model,
            mode=mode,
            group_by=group_by,
            start_date=start_date,
            end_date=end_date,
            currency=currency,
        )

    return call.run(handle, transaction="read", status=200)


def import_ad_spend(call: Call) -> HttpAnswer:
    """POST /api/attribution/ad-spend/imports."""
    body = to_model(AdSpendBatch, call.json)

    def handle(ctx: Context) -> Answer[AdSpendImport]:
        return handlers.import_ad_spend(ctx, body=body)

    return call.run(handle, transaction="write", status=200)


def list_ad_spend(call: Call) -> HttpAnswer:
    """GET /api/attribution/ad-spend."""
    sent = call.parameters
    start_date = optional(sent, "query.start_date", date.fromisoformat)
    end_date = optional(sent, "query.end_date", date.fromisoformat)
    channel_code: str | None = sent.get("query.channel_code")
    campaign_id: str | None = sent.get("query.campaign_id")
    currency: str | None = sent.get("query.currency")
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[AdSpendPage]:
        return handlers.list_ad_spend(
            ctx,
            start_date=start_date,
            end_date=end_date,
            channel_code=channel_code,
            campaign_id=campaign_id,
            currency=currency,
            limit=limit,
            cursor=cursor,
        )

    return call.run(handle, transaction="read", status=200)


def list_ad_spend_changes(call: Call) -> HttpAnswer:
    """GET /api/attribution/ad-spend/imports/{import_id}/changes."""
    sent = call.parameters
    import_id = required(sent, "path.import_id", UUID)
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[AdSpendChangePage]:
        return handlers.list_ad_spend_changes(ctx, import_id=import_id, limit=limit, cursor=cursor)

    return call.run(handle, transaction="read", status=200)


def list_ad_spend_imports(call: Call) -> HttpAnswer:
    """GET /api/attribution/ad-spend/imports."""
    sent = call.parameters
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[AdSpendImportPage]:
        return handlers.list_ad_spend_imports(ctx, limit=limit, cursor=cursor)

    return call.run(handle, transaction="read", status=200)
