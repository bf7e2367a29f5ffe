"""Operations of api-contracts/openapi/v1/uncertainty.yaml."""

from dataclasses import asdict
from datetime import date
from itertools import groupby
from urllib.parse import urlencode

from pydantic import MISSING

from generated.models.uncertainty import (
    ChannelCertainty,
    ChannelEstimate,
    ChannelUncertainty,
    CurrencyEstimate,
    UncertaintyRequest,
)
from skeldir.domain import windows
from skeldir.domain.bootstrap import ChannelInterval
from skeldir.domain.models import Model
from skeldir.http.context import Context, Reply
from skeldir.queue import messages
from skeldir.queue.sending import enqueue
from skeldir.repository import attribution_settings, channel_intervals
from skeldir.repository.channel_intervals import Estimate


def get_channel_uncertainty(
    ctx: Context, *, model: Model, start_date: date | None, end_date: date | None
) -> ChannelUncertainty:
    """Return what is stored of exactly these days, which is nothing before they were asked for."""
    version = attribution_settings.current(ctx.session).version(model)
    known = channel_intervals.find(ctx.session, version, windows.days(start_date, end_date))
    if known is None:
        return ChannelUncertainty(
            model=model,
            model_version=version,
            start_date=start_date or MISSING,
            end_date=end_date or MISSING,
            currencies=[],
        )
    return _uncertainty(ctx, known, start_date, end_date)


def estimate_channel_uncertainty(ctx: Context, *, body: UncertaintyRequest) -> Reply[ChannelUncertainty]:
    """Remember that the days were asked for, and wake up a worker for them."""
    start_date = None if body.start_date is MISSING else body.start_date
    end_date = None if body.end_date is MISSING else body.end_date
    window = windows.asked_days(start_date, end_date)
    version = attribution_settings.current(ctx.session).version(body.model)
    known = channel_intervals.request(ctx.session, ctx.tenant_id, body.model, version, window)
    message = messages.estimate_intervals(tenant_id=ctx.tenant_id, estimate_id=known.estimate_id)
    enqueue(ctx.session, message)
    asked = {"model": body.model, "start_date": start_date, "end_date": end_date}
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    location = f"/api/attribution/uncertainty?{query}"
    return Reply(_uncertainty(ctx, known, start_date, end_date), status=202, headers={"Location": location})


def _uncertainty(
    ctx: Context, known: Estimate, start_date: date | None, end_date: date | None
) -> ChannelUncertainty:
    found = channel_intervals.intervals(ctx.session, known.estimate_id)
    return ChannelUncertainty(
        model=known.model,
        model_version=known.model_version,
        start_date=start_date or MISSING,
        end_date=end_date or MISSING,
        requested_at=known.requested_at,
        computed_at=known.computed_at or MISSING,
        checked_at=known.checked_at or MISSING,
        fingerprint=known.fingerprint or MISSING,
        draws=known.draws or MISSING,
        level_ppm=known.level_ppm or MISSING,
        currencies=[
            CurrencyEstimate(currency=currency, channels=[_channel(channel) for channel in channels])
            for currency, channels in groupby(found, key=lambda channel: channel.currency)
        ],
    )


def _channel(found: ChannelInterval) -> ChannelEstimate:
    return ChannelEstimate(
        channel_code=found.channel_code,
        revenue_cents=found.revenue_cents,
        journey_count=found.journey_count,
        certainty=ChannelCertainty(**asdict(found.certainty)) if found.certainty else MISSING,
    )
