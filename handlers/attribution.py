"""Operations of api-contracts/openapi/v1/attribution.yaml."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from pydantic import MISSING

from generated.models.attribution import RecomputeJob, RecomputeRequest
from generated.models.common_revenue import (
    AllocationPage,
    ChannelAttributionReport,
    ChannelRevenue,
    CurrencyAttribution,
    LedgerCurrencyTotal,
    LedgerKindTotal,
    LedgerTotals,
)
from generated.models.common_touchpoints import Touchpoint, TouchpointBatch, TouchpointReceipt
from handlers.certainty import certainty
from skeldir.domain import windows
from skeldir.domain.channels import classify, host_name
from skeldir.domain.errors import FieldError, NotFound, Unprocessable
from skeldir.domain.ids import fact_id
from skeldir.domain.journeys import Touch, names_nobody
from skeldir.domain.models import Model, share_ppm
from skeldir.domain.pii import personal_kind
from skeldir.http.context import Context, Reply
from skeldir.http.cursors import make_cursor, read_cursor
from skeldir.queue import messages
from skeldir.queue.sending import enqueue, send_after_commit
from skeldir.repository import (
    allocations,
    attribution_settings,
    channel_intervals,
    channel_reports,
    dirty_marks,
    ledger_totals,
    recompute_jobs,
    touchpoints,
)
from skeldir.repository.allocations import Place
from skeldir.repository.channel_intervals import Certainties
from skeldir.repository.channel_reports import CurrencyReport, Mode
from skeldir.repository.ledger_totals import Totals
from skeldir.repository.recompute_jobs import Job
from skeldir.settings import get_settings

ERRORS_MAX: Final = 100
TOLD: Final = ("journey_id", "session_id", "utm_source", "utm_medium", "utm_campaign", "referrer_host")


def record_touchpoints(ctx: Context, *, body: TouchpointBatch) -> TouchpointReceipt:
    """Keep touches that are new and have their journeys attributed anew."""
    _refuse_implausible(body.touchpoints)
    recorded = touchpoints.record(ctx.session, [_touch(sent) for sent in body.touchpoints])
    earliest: dict[str, datetime] = {}
    for touch in recorded.new:
        earliest[touch.journey_id] = min(touch.occurred_at, earliest.get(touch.journey_id, touch.occurred_at))
    if earliest:
        dirty_marks.mark(ctx.session, earliest)
        _wake_up(ctx)
    return TouchpointReceipt(
        recorded_count=len(recorded.new),
        duplicate_count=recorded.duplicates,
        conflicts=list(recorded.conflicts),
    )


def get_channel_attribution(
    ctx: Context,
    *,
    model: Model | None,
    mode: Mode,
    start_date: date | None,
    end_date: date | None,
    currency: str | None,
) -> ChannelAttributionReport:
    """Set each currency's channels against its ledger, from one snapshot."""
    parameters = attribution_settings.current(ctx.session).parameters(model)
    version = parameters.version
    window = windows.days(start_date, end_date)
    certainties = channel_intervals.certainties(ctx.session, version, window, mode)
    return ChannelAttributionReport(
        model=parameters.model,
        model_version=version,
        lookback_days=parameters.lookback_days,
        mode=mode,
        start_date=start_date or MISSING,
        end_date=end_date or MISSING,
        currencies=[
            _currency(found, certainties)
            for found in channel_reports.report(ctx.session, version, window, mode, currency)
        ],
    )


def list_allocations(
    ctx: Context,
    *,
    model: Model | None,
    order_id: str | None,
    channel_code: str | None,
    limit: int,
    cursor: str | None,
) -> AllocationPage:
    """Return a page of allocations, the newest entries first."""
    parameters = attribution_settings.current(ctx.session).parameters(model)
    version = parameters.version
    filters = {"model_version": version, "order_id": order_id, "channel_code": channel_code}
    after = cursor and _place(read_cursor(ctx.tenant_id, "listAllocations", filters, cursor))
    found = allocations.page(
        ctx.session,
        version,
        limit=limit + 1,
        order_id=order_id,
        channel_code=channel_code,
        after=after or None,
    )
    shown, rest = found[:limit], found[limit:]
    return AllocationPage.model_validate(
        {
            "model": parameters.model,
            "model_version": version,
            "allocations": [_allocation(row) for row in shown],
            "next_cursor": make_cursor(ctx.tenant_id, "listAllocations", filters, _position(shown[-1].place))
            if rest
            else None,
        }
    )


def get_ledger_totals(ctx: Context) -> LedgerTotals:
    """Add up the ledger by currency and kind."""
    totals = ledger_totals.totals(ctx.session)
    return LedgerTotals(currencies=[_ledger_currency(totals, code) for code in sorted(totals.orders)])


def recompute_window(ctx: Context, *, body: RecomputeRequest) -> Reply[RecomputeJob]:
    """Accept a run of the window's job and wake up a worker for it."""
    parameters = attribution_settings.current(ctx.session).parameters(body.model)
    window = windows.recompute_window(body.window_start, body.window_end)
    key = (window.start.isoformat(), window.end.isoformat(), parameters.version)
    job_id = fact_id(ctx.tenant_id, "recompute_job", *key)
    job = recompute_jobs.request(ctx.session, job_id, window, parameters)
    enqueue(ctx.session, messages.recompute_window(tenant_id=ctx.tenant_id, job_id=job.job_id))
    location = f"/api/attribution/recompute-jobs/{job.job_id}"
    return Reply(_job(job), status=202, headers={"Location": location})


def get_recompute_job(ctx: Context, *, job_id: UUID) -> RecomputeJob:
    """Return how a job is doing."""
    job = recompute_jobs.get(ctx.session, job_id)
    if job is None:
        raise NotFound(f"There is no recompute job {job_id}.")
    return _job(job)


def _refuse_implausible(sent: list[Touchpoint]) -> None:
    errors = [error for index, touch in enumerate(sent) for error in _faults(index, touch)]
    if errors:
        raise Unprocessable(f"{errors[0].field} {errors[0].message}", errors=tuple(errors[:ERRORS_MAX]))


def _faults(index: int, touch: Touchpoint) -> list[FieldError]:
    place = f"body.touchpoints.{index}"
    faults = []
    if not windows.is_plausible(touch.occurred_at):
        message = "is not between the years 1970 and 2200"
        faults.append(FieldError(f"{place}.occurred_at", "time_out_of_range", message))
    if names_nobody(touch.journey_id):
        message = "is a placeholder; leave out the touches of visitors whom you cannot tell apart"
        faults.append(FieldError(f"{place}.journey_id", "placeholder", message))
    for name in TOLD:
        value = getattr(touch, name)
        value = host_name(value) if name == "referrer_host" and value is not MISSING else value
        # A run of digits alone is a shop's own number or a campaign's, and one in ten looks like a card's.
        kind = None if value is MISSING or value.isdigit() else personal_kind(value)
        if kind is not None:
            message = f"looks like personal data ({kind}); send a pseudonym"
            faults.append(FieldError(f"{place}.{name}", "personal_data", message))
    return faults


def _touch(sent: Touchpoint) -> Touch:
    source = None if sent.utm_source is MISSING else sent.utm_source
    medium = None if sent.utm_medium is MISSING else sent.utm_medium
    click_id = None if sent.click_id is MISSING else sent.click_id
    referrer = None if sent.referrer_host is MISSING else host_name(sent.referrer_host)
    return Touch(
        touchpoint_id=sent.touchpoint_id,
        journey_id=sent.journey_id,
        occurred_at=sent.occurred_at,
        # By the built-in table alone: a tenant's own rules are applied before its journey is attributed.
        channel_code=classify(utm_source=source, utm_medium=medium, click_id=click_id, referrer=referrer),
        campaign_id="" if sent.utm_campaign is MISSING else sent.utm_campaign,
        source=source,
        medium=medium,
        session_id=None if sent.session_id is MISSING else sent.session_id,
        referrer_host=referrer,
        click_id=click_id,
    )


def _wake_up(ctx: Context) -> None:
    rest = get_settings().attribution_debounce_seconds
    message = messages.attribute_marked(tenant_id=ctx.tenant_id, delay_seconds=rest)
    send_after_commit(ctx.session, message, at_most_every_seconds=rest)


def _currency(found: CurrencyReport, certainties: Certainties) -> CurrencyAttribution:
    return CurrencyAttribution(
        currency=found.currency,
        ledger_net_cents=found.ledger_net_cents,
        allocated_cents=found.allocated_cents,
        pending_cents=found.pending_cents,
        channels=[
            ChannelRevenue(
                channel_code=channel.channel_code,
                channel_name=channel.channel_name,
                family=channel.family,
                is_paid=channel.is_paid,
                revenue_cents=channel.revenue_cents,
                reversed_cents=channel.reversed_cents,
                order_count=channel.order_count,
                share_ppm=share_ppm(channel.revenue_cents, found.allocated_cents),
                **certainty(certainties, found.currency, channel.channel_code),
            )
            for channel in found.channels
        ],
    )


def _allocation(row: allocations.Allocation) -> dict[str, object]:
    """Return what the page, which is validated whole, says of a row."""
    return row._asdict() | {"fallback": row.fallback or MISSING}


def _ledger_currency(totals: Totals, currency: str) -> LedgerCurrencyTotal:
    kinds = {kind: found for (code, kind), found in sorted(totals.kinds.items()) if code == currency}
    return LedgerCurrencyTotal(
        currency=currency,
        net_cents=sum(found.effect_cents for found in kinds.values()),
        order_count=totals.orders[currency],
        kinds=[
            LedgerKindTotal.model_validate(
                {"kind": kind, "entry_count": found.entry_count, "effect_cents": found.effect_cents}
            )
            for kind, found in kinds.items()
        ],
    )


def _position(place: Place) -> list[str]:
    return [place.effective_at.isoformat(), str(place.entry_id), place.channel_code, place.campaign_id]


def _place(position: list[str]) -> Place:
    effective_at, entry_id, channel_code, campaign_id = position
    return Place(datetime.fromisoformat(effective_at), UUID(entry_id), channel_code, campaign_id)


def _job(job: Job) -> RecomputeJob:
    return RecomputeJob(
        job_id=job.job_id,
        model=job.parameters.model,
        model_version=job.model_version,
        lookback_days=job.parameters.lookback_days,
        window_start=job.window.start,
        window_end=job.window.end,
        status=job.status,
        run_count=job.run_count,
        last_outcome=job.last_outcome or MISSING,
        fingerprint=job.fingerprint or MISSING,
        requested_at=job.requested_at,
        started_at=job.started_at or MISSING,
        finished_at=job.finished_at or MISSING,
        error=job.error or MISSING,
    )
