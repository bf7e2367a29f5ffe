"""Operations of api-contracts/openapi/v1/realtime.yaml."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from generated.models.realtime import (
    RealtimeCurrency,
    RealtimeRevenue,
    RealtimeRevenueCounter,
    RealtimeWindow,
)
from skeldir.http.context import Context, Reply
from skeldir.repository import realtime
from skeldir.repository.realtime import Span

CACHE_CONTROL: Final = "private, max-age=5"
SUCCESSOR: Final = "/api/v1/revenue/realtime"
# Since when the first address is deprecated, when it goes, and what takes its place.
LEGACY_HEADERS: Final = {
    "Deprecation": "@1795392000",
    "Sunset": "Mon, 01 Mar 2027 00:00:00 GMT",
    "Link": f'<{SUCCESSOR}>; rel="successor-version"',
}


def get_realtime_revenue_v1(ctx: Context) -> Reply[RealtimeRevenue]:
    """Add up the ledger's last day, per currency and window."""
    now = datetime.now(UTC)
    found = realtime.add_up(ctx.session, now)
    as_of = found.last_delivery_at
    body = RealtimeRevenue(
        tenant_id=ctx.tenant_id,
        data_as_of=as_of,
        currencies=[_currency(currency, spans) for currency, spans in found.windows.items()],
    )
    return Reply(body, headers=_headers(now, as_of), tagged=body.model_copy(update={"data_as_of": None}))


def get_realtime_revenue(ctx: Context, *, currency: str) -> Reply[RealtimeRevenueCounter]:
    """Add up one currency's entries of today, in the shape of before."""
    now = datetime.now(UTC)
    found = realtime.add_up(ctx.session, now)
    as_of, spans = found.last_delivery_at, found.windows.get(currency)
    today = spans["today"] if spans else realtime.RealtimeWindow()
    body = RealtimeRevenueCounter(
        tenant_id=ctx.tenant_id,
        currency=currency,
        total_revenue=today.net_cents,
        event_count=today.order_count,
        last_updated=as_of,
        data_freshness_seconds=_age_seconds(now, as_of) or 0,
        verified=today.is_verified,
        upgrade_notice=f"Ask GET {SUCCESSOR}.",
    )
    figures = body.model_copy(update={"last_updated": None, "data_freshness_seconds": 0})
    return Reply(body, headers=_headers(now, as_of) | LEGACY_HEADERS, tagged=figures)


def _currency(currency: str, spans: Mapping[Span, realtime.RealtimeWindow]) -> RealtimeCurrency:
    return RealtimeCurrency(
        currency=currency,
        today=_window(spans["today"]),
        last_24_hours=_window(spans["last_24_hours"]),
        last_hour=_window(spans["last_hour"]),
        last_minute=_window(spans["last_minute"]),
    )


def _window(found: realtime.RealtimeWindow) -> RealtimeWindow:
    return RealtimeWindow(
        net_cents=found.net_cents,
        captured_cents=found.captured_cents,
        reversed_cents=found.reversed_cents,
        order_count=found.order_count,
        verified=found.is_verified,
    )


def _headers(now: datetime, as_of: datetime | None) -> dict[str, str]:
    headers = {"Cache-Control": CACHE_CONTROL, "Data-Generated-At": now.isoformat()}
    age = _age_seconds(now, as_of)
    if age is not None:
        headers["Data-Freshness-Seconds"] = str(age)
    return headers


def _age_seconds(now: datetime, as_of: datetime | None) -> int | None:
    return None if as_of is None else max(0, int((now - as_of).total_seconds()))
