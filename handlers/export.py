"""Operations of api-contracts/openapi/v1/export.yaml."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from pydantic import MISSING

from generated.models.common_exports import (
    ExportCurrency,
    ExportFilters,
    ExportManifest,
    ExportManifestPage,
)
from handlers.export_stream import Asked, begin
from skeldir.domain import exports
from skeldir.domain.errors import NotFound
from skeldir.domain.exports import ExportFormat
from skeldir.domain.models import Model
from skeldir.http.context import Context, Stream
from skeldir.http.cursors import make_cursor, read_cursor
from skeldir.repository import export_manifests
from skeldir.repository.channel_reports import Mode
from skeldir.repository.export_manifests import Manifest, Place

OPERATION: Final = "listExportManifests"


def export_revenue(
    ctx: Context,
    *,
    format: ExportFormat,  # noqa: A002 - the contract's word
    model: Model | None,
    mode: Mode,
    start_date: date | None,
    end_date: date | None,
    channels: list[str] | None,
    currency: str | None,
) -> Stream:
    """Send revenue per day, currency and channel."""
    filters = exports.ExportFilters(start_date, end_date, channels, currency)
    return begin(ctx, Asked("revenue", format, model, filters, mode))


def export_allocations(
    ctx: Context,
    *,
    format: ExportFormat,  # noqa: A002 - the contract's word
    model: Model | None,
    start_date: date | None,
    end_date: date | None,
    channels: list[str] | None,
    currency: str | None,
) -> Stream:
    """Send every allocation."""
    filters = exports.ExportFilters(start_date, end_date, channels, currency)
    return begin(ctx, Asked("allocations", format, model, filters))


def export_csv(ctx: Context) -> Stream:
    """Send all revenue as CSV."""
    return begin(ctx, Asked("revenue", "csv"))


def export_json(ctx: Context) -> Stream:
    """Send all revenue as JSON."""
    return begin(ctx, Asked("revenue", "json"))


def export_excel(ctx: Context) -> Stream:
    """Send all revenue as a spreadsheet."""
    return begin(ctx, Asked("revenue", "xlsx"))


def get_export_manifest(ctx: Context, *, export_id: UUID) -> ExportManifest:
    """Tell what an export was of, and what it came to."""
    found = export_manifests.get(ctx.session, export_id)
    if found is None:
        raise NotFound(f"There is no export {export_id}.")
    return _manifest(found)


def list_export_manifests(ctx: Context, *, limit: int, cursor: str | None) -> ExportManifestPage:
    """Tell of the exports there were, the newest first."""
    after = None
    if cursor is not None:
        snapshot_at, export_id = read_cursor(ctx.tenant_id, OPERATION, {}, cursor)
        after = Place(datetime.fromisoformat(snapshot_at), UUID(export_id))
    found = export_manifests.page(ctx.session, limit + 1, after)
    shown, rest = found[:limit], found[limit:]
    next_cursor = None
    if rest:
        position = [shown[-1].snapshot_at.isoformat(), str(shown[-1].export_id)]
        next_cursor = make_cursor(ctx.tenant_id, OPERATION, {}, position)
    return ExportManifestPage(manifests=[_manifest(one) for one in shown], next_cursor=next_cursor)


def _manifest(found: Manifest) -> ExportManifest:
    return ExportManifest(
        export_id=found.export_id,
        dataset=found.dataset,
        format=found.format,
        status=found.status,
        model=found.model,
        model_version=found.model_version,
        mode=found.mode,
        filters=ExportFilters(
            start_date=found.start_date or MISSING,
            end_date=found.end_date or MISSING,
            channels=MISSING if found.channels is None else found.channels,
            currency=found.currency or MISSING,
        ),
        requested_by=found.requested_by or MISSING,
        snapshot_at=found.snapshot_at,
        finished_at=found.finished_at or MISSING,
        row_count=MISSING if found.row_count is None else found.row_count,
        byte_count=MISSING if found.byte_count is None else found.byte_count,
        sha256=found.sha256 or MISSING,
        currencies=[ExportCurrency.model_validate({"channels": []} | total) for total in found.totals],
    )
