# @generated from api-contracts/openapi/v1/models.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the models contract."""

from datetime import date
from typing import Literal

from generated.models.common import SuccessResponse
from generated.models.common_models import (
    AttributionSettings,
    AttributionSettingsRequest,
    ModelComparison,
    ModelFitPage,
)
from generated.stubs import Answer
from handlers import models as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context
from skeldir.http.convert import optional, to_model


def compare_models(call: Call) -> HttpAnswer:
    """GET /api/attribution/comparison."""
    sent = call.parameters
    mode: Literal["cash", "accrual"] = sent.get("query.mode", "cash")
    start_date = optional(sent, "query.start_date", date.fromisoformat)
    end_date = optional(sent, "query.end_date", date.fromisoformat)
    currency: str | None = sent.get("query.currency")

    def handle(ctx: Context) -> Answer[ModelComparison]:
        return handlers.compare_models(
            ctx,
            mode=mode,
            start_date=start_date,
            end_date=end_date,
            currency=currency,
        )

    return call.run(handle, transaction="read", status=200)


def get_attribution_settings(call: Call) -> HttpAnswer:
    """GET /api/attribution/settings."""

    def handle(ctx: Context) -> Answer[AttributionSettings]:
        return handlers.get_attribution_settings(ctx)

    return call.run(handle, transaction="read", status=200)


def list_model_fits(call: Call) -> HttpAnswer:
    """GET /api/attribution/model-fits."""
    sent = call.parameters
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[ModelFitPage]:
        return handlers.list_model_fits(ctx, limit=limit, cursor=cursor)

    return call.run(handle, transaction="read", status=200)


def refit_models(call: Call) -> HttpAnswer:
    """POST /api/attribution/model-fits."""

    def handle(ctx: Context) -> Answer[SuccessResponse]:
        return handlers.refit_models(ctx)

    return call.run(handle, transaction="write", status=202)


def set_attribution_settings(call: Call) -> HttpAnswer:
    """PUT /api/attribution/settings."""
    body = to_model(AttributionSettingsRequest, call.json)

    def handle(ctx: Context) -> Answer[AttributionSettings]:
        return handlers.set_attribution_settings(ctx, body=body)

    return call.run(handle, transaction="write", status=200)
