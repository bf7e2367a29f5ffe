# @generated from api-contracts/openapi/v1/export.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the export contract."""

from datetime import date
from typing import Literal
from uuid import UUID

from generated.models.common_exports import ExportManifest, ExportManifestPage
from generated.stubs import Answer
from handlers import export as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context, Stream
from skeldir.http.convert import optional, required


def export_allocations(call: Call) -> HttpAnswer:
    """GET /api/export/allocations."""
    sent = call.parameters
    format: Literal["csv", "json", "ndjson", "parquet", "xlsx"] = sent.get("query.format", "csv")
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"] | None = sent.get(
        "query.model",
    )
    start_date = optional(sent, "query.start_date", date.fromisoformat)
    end_date = optional(sent, "query.end_date", date.fromisoformat)
    channels: list[str] | None = sent.get("query.channels")
    currency: str | None = sent.get("query.currency")

    def handle(ctx: Context) -> Answer[Stream]:
        return handlers.export_allocations(
            ctx,
            format=format,
            model=model,
            start_date=start_date,
            end_date=end_date,
            channels=channels,
            currency=currency,
        )

    return call.stream(handle)


def export_csv(call: Call) -> HttpAnswer:
    """GET /api/export/csv."""

    def handle(ctx: Context) -> Answer[Stream]:
        return handlers.export_csv(ctx)

    return call.stream(handle)


def export_excel(call: Call) -> HttpAnswer:
    """GET /api/export/excel."""

    def handle(ctx: Context) -> Answer[Stream]:
        return handlers.export_excel(ctx)

    return call.stream(handle)


def export_json(call: Call) -> HttpAnswer:
    """GET /api/export/json."""

    def handle(ctx: Context) -> Answer[Stream]:
        return handlers.export_json(ctx)

    return call.stream(handle)


def export_revenue(call: Call) -> HttpAnswer:
    """GET /api/export/revenue."""
    sent = call.parameters
    format: Literal["csv", "json", "ndjson", "parquet", "xlsx"] = sent.get("query.format", "csv")
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"] | None = sent.get(
        "query.model",
    )
    mode: Literal["cash", "accrual"] = sent.get("query.mode", "cash")
    start_date = optional(sent, "query.start_date", date.fromisoformat)
    end_date = optional(sent, "query.end_date", date.fromisoformat)
    channels: list[str] | None = sent.get("query.channels")
    currency: str | None = sent.get("query.currency")

    def handle(ctx: Context) -> Answer[Stream]:
        return handlers.export_revenue(
            ctx,
            format=format,
            model=model,
            mode=mode,
            start_date=start_date,
            end_date=end_date,
            channels=channels,
            currency=currency,
        )

    return call.stream(handle)


def get_export_manifest(call: Call) -> HttpAnswer:
    """GET /api/export/manifests/{export_id}."""
    sent = call.parameters
    export_id = required(sent, "path.export_id", UUID)

    def handle(ctx: Context) -> Answer[ExportManifest]:
        return handlers.get_export_manifest(ctx, export_id=export_id)

    return call.run(handle, transaction="read", status=200)


def list_export_manifests(call: Call) -> HttpAnswer:
    """GET /api/export/manifests."""
    sent = call.parameters
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[ExportManifestPage]:
        return handlers.list_export_manifests(ctx, limit=limit, cursor=cursor)

    return call.run(handle, transaction="read", status=200)
