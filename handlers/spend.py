"""Operations of api-contracts/openapi/v1/spend.yaml."""

from datetime import UTC, date, datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import MISSING

from generated.models.common_performance import PerformanceReport
from generated.models.common_spend import (
    AdSpend,
    AdSpendBatch,
    AdSpendChange,
    AdSpendChangePage,
    AdSpendImport,
    AdSpendImportPage,
    AdSpendPage,
    AdSpendRow,
)
from handlers.performance_figures import performance_of
from skeldir.domain import windows
from skeldir.domain.ad_spend import Reading, ToldSpend, digest
from skeldir.domain.errors import NotFound, Unprocessable
from skeldir.domain.models import Model
from skeldir.http.context import Context
from skeldir.http.cursors import make_cursor, read_cursor
from skeldir.repository import ad_spend, attribution_settings, channels, performance
from skeldir.repository.ad_spend import Change, Import, Place, StandingFigure
from skeldir.repository.channel_reports import Mode

ERRORS_MAX: Final = 100

GroupBy = Literal["channel", "campaign"]


def import_ad_spend(ctx: Context, *, body: AdSpendBatch) -> AdSpendImport:
    """Take every row in, or none: the problem names each fault by its row and field."""
    states = {channel.channel_code: channel.state for channel in channels.everything(ctx.session)}
    reading = Reading(states, datetime.now(UTC).date())
    reading.read(map(_told, body.rows), ERRORS_MAX)
    if reading.faults:
        first = reading.faults[0]
        raise Unprocessable(f"{first.field} {first.message}", errors=tuple(reading.faults))
    is_table = ctx.request.headers.get("content-type", "").lower().startswith("text/csv")
    return _import(
        ad_spend.take_in(
            ctx.session,
            reading.figures,
            content_digest=digest(reading.figures),
            media_type="text/csv" if is_table else "application/json",
            imported_by=None if ctx.principal is None else ctx.principal.user_id,
        )
    )


def list_ad_spend_imports(ctx: Context, *, limit: int, cursor: str | None) -> AdSpendImportPage:
    """Return a page of imports, the newest first."""
    before = None
    if cursor is not None:
        at, import_id = read_cursor(ctx.tenant_id, "listAdSpendImports", {}, cursor)
        before = (datetime.fromisoformat(at), UUID(import_id))
    found = ad_spend.imports(ctx.session, limit=limit + 1, before=before)
    shown, rest = found[:limit], found[limit:]
    next_cursor = None
    if rest:
        position = [shown[-1].imported_at.isoformat(), str(shown[-1].import_id)]
        next_cursor = make_cursor(ctx.tenant_id, "listAdSpendImports", {}, position)
    return AdSpendImportPage(imports=[_import(row) for row in shown], next_cursor=next_cursor)


def list_ad_spend_changes(
    ctx: Context, *, import_id: UUID, limit: int, cursor: str | None
) -> AdSpendChangePage:
    """Return a page of what an import changed, the latest day first."""
    if not ad_spend.is_import(ctx.session, import_id):
        raise NotFound(f"There is no import {import_id}.")
    filters = {"import_id": import_id}
    after = cursor and _place(read_cursor(ctx.tenant_id, "listAdSpendChanges", filters, cursor))
    found = ad_spend.changes(ctx.session, import_id, limit=limit + 1, after=after or None)
    shown, rest = found[:limit], found[limit:]
    next_cursor = None
    if rest:
        next_cursor = make_cursor(ctx.tenant_id, "listAdSpendChanges", filters, _position(shown[-1].place))
    return AdSpendChangePage(changes=[_change(row) for row in shown], next_cursor=next_cursor)


def list_ad_spend(
    ctx: Context,
    *,
    start_date: date | None,
    end_date: date | None,
    channel_code: str | None,
    campaign_id: str | None,
    currency: str | None,
    limit: int,
    cursor: str | None,
) -> AdSpendPage:
    """Return a page of the figures that stand, the latest day first."""
    windows.days(start_date, end_date)
    filters = {
        "start_date": start_date,
        "end_date": end_date,
        "channel_code": channel_code,
        "campaign_id": campaign_id,
        "currency": currency,
    }
    after = cursor and _place(read_cursor(ctx.tenant_id, "listAdSpend", filters, cursor))
    found = ad_spend.figures(
        ctx.session,
        limit=limit + 1,
        start_date=start_date,
        end_date=end_date,
        channel_code=channel_code,
        campaign_id=campaign_id,
        currency=currency,
        after=after or None,
    )
    shown, rest = found[:limit], found[limit:]
    next_cursor = None
    if rest:
        next_cursor = make_cursor(ctx.tenant_id, "listAdSpend", filters, _position(shown[-1].place))
    return AdSpendPage(figures=[_figure(row) for row in shown], next_cursor=next_cursor)


def get_channel_performance(
    ctx: Context,
    *,
    model: Model | None,
    mode: Mode,
    group_by: GroupBy,
    start_date: date | None,
    end_date: date | None,
    currency: str | None,
) -> PerformanceReport:
    """Set what was spent against what it brought, from one snapshot."""
    parameters = attribution_settings.current(ctx.session).parameters(model)
    window = windows.days(start_date, end_date)
    found = performance.report(ctx.session, parameters.version, window, mode, currency)
    return PerformanceReport(
        model=parameters.model,
        model_version=parameters.version,
        lookback_days=parameters.lookback_days,
        mode=mode,
        group_by=group_by,
        start_date=start_date or MISSING,
        end_date=end_date or MISSING,
        currencies=[performance_of(one, with_campaigns=group_by == "campaign") for one in found],
    )


def _told(row: AdSpendRow) -> ToldSpend:
    return ToldSpend(
        day=row.day,
        channel_code=row.channel_code,
        campaign_id="" if row.campaign_id is MISSING else row.campaign_id,
        currency=row.currency,
        cost_cents=None if row.cost_cents is MISSING else row.cost_cents,
        cost=None if row.cost is MISSING else row.cost,
        impressions=None if row.impressions is MISSING else row.impressions,
        clicks=None if row.clicks is MISSING else row.clicks,
    )


def _import(row: Import) -> AdSpendImport:
    return AdSpendImport(
        import_id=row.import_id,
        imported_at=row.imported_at,
        imported_by=row.imported_by or MISSING,
        media_type=row.media_type,
        outcome="unchanged" if row.unchanged_count == row.row_count else "changed",
        row_count=row.row_count,
        added_count=row.added_count,
        replaced_count=row.replaced_count,
        unchanged_count=row.unchanged_count,
        content_digest=row.content_digest,
    )


def _figure(row: StandingFigure) -> AdSpend:
    return AdSpend(
        day=row.day,
        channel_code=row.channel_code,
        campaign_id=row.campaign_id,
        currency=row.currency,
        cost_cents=row.cost_cents,
        impressions=_given(row.impressions),
        clicks=_given(row.clicks),
        import_id=row.import_id,
    )


def _change(row: Change) -> AdSpendChange:
    return AdSpendChange(
        day=row.day,
        channel_code=row.channel_code,
        campaign_id=row.campaign_id,
        currency=row.currency,
        cost_cents=row.cost_cents,
        impressions=_given(row.impressions),
        clicks=_given(row.clicks),
        previous_cost_cents=_given(row.previous_cost_cents),
        previous_impressions=_given(row.previous_impressions),
        previous_clicks=_given(row.previous_clicks),
        previous_import_id=row.previous_import_id or MISSING,
    )


def _given(value: int | None) -> int | MISSING:
    return MISSING if value is None else value


def _position(place: Place) -> list[str]:
    return [place.day.isoformat(), place.channel_code, place.campaign_id, place.currency]


def _place(position: list[str]) -> Place:
    day, channel_code, campaign_id, currency = position
    return Place(date.fromisoformat(day), channel_code, campaign_id, currency)
