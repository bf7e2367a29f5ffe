"""Operations of api-contracts/openapi/v1/models.yaml."""

from collections.abc import Mapping, Sequence
from datetime import date

from pydantic import MISSING

from generated.models import common_models as models
from generated.models.common import SuccessResponse
from handlers.certainty import certainty
from skeldir.domain import windows
from skeldir.domain.attribution_settings import AttributionSettings
from skeldir.domain.errors import FieldError, Unprocessable
from skeldir.domain.models import MODELS, Model, share_ppm
from skeldir.http.context import Context, Reply
from skeldir.http.cursors import make_cursor, read_cursor
from skeldir.queue import messages
from skeldir.queue.sending import enqueue
from skeldir.repository import (
    attribution_settings,
    backfills,
    channel_intervals,
    channel_reports,
    channels,
    model_fits,
)
from skeldir.repository.channel_intervals import Certainties
from skeldir.repository.channel_reports import ChannelRevenue, CurrencyReport, Mode
from skeldir.repository.model_fits import KeptFit

Reports = Mapping[Model, CurrencyReport]
"""One currency under every model."""

_PERCENTS = 100


def get_attribution_settings(ctx: Context) -> models.AttributionSettings:
    """Return what is current, and which models cover every order under it."""
    return _settings(ctx, attribution_settings.current(ctx.session))


def set_attribution_settings(
    ctx: Context, *, body: models.AttributionSettingsRequest
) -> models.AttributionSettings:
    """Make a new version of the settings and have what it changes attributed anew."""
    wanted = AttributionSettings(
        default_model=body.default_model,
        lookback_days=body.lookback_days,
        half_life_days=body.half_life_days,
        position_weights=_position_weights(body.position_weights),
        markov_order=body.markov_order,
        custom_weights=_custom_weights(ctx, body.custom_weights),
    )
    if wanted.default_model == "custom" and not any(wanted.custom_weights.values()):
        raise _refusal("body.default_model", "no_weights", "is custom, but no channel has a weight")
    attribution_settings.hold(ctx.session)
    known = attribution_settings.current(ctx.session)
    user_id = ctx.principal.user_id if ctx.principal else None
    chosen = attribution_settings.choose(ctx.session, wanted, user_id)
    if chosen != known:
        backfills.adopt(ctx.session, chosen)
        enqueue(ctx.session, messages.refit_models(tenant_id=ctx.tenant_id))
        enqueue(ctx.session, messages.backfill(tenant_id=ctx.tenant_id))
    return _settings(ctx, chosen)


def list_model_fits(ctx: Context, *, limit: int, cursor: str | None) -> models.ModelFitPage:
    """Return a page of fits, the newest first."""
    before = None
    if cursor is not None:
        [before] = map(int, read_cursor(ctx.tenant_id, "listModelFits", {}, cursor))
    found = model_fits.page(ctx.session, limit=limit + 1, before=before)
    next_cursor = None
    if len(found) > limit:
        position = [str(found[limit - 1].fit_version)]
        next_cursor = make_cursor(ctx.tenant_id, "listModelFits", {}, position)
    return models.ModelFitPage(fits=[_fit(one) for one in found[:limit]], next_cursor=next_cursor)


def refit_models(ctx: Context) -> Reply[SuccessResponse]:
    """Wake up a worker that fits the models anew."""
    enqueue(ctx.session, messages.refit_models(tenant_id=ctx.tenant_id))
    return Reply(SuccessResponse(success=True, correlation_id=ctx.correlation_id), status=202)


def compare_models(
    ctx: Context, *, mode: Mode, start_date: date | None, end_date: date | None, currency: str | None
) -> models.ModelComparison:
    """Set every model's channels side by side, all from the request's one snapshot."""
    settings = attribution_settings.current(ctx.session)
    window = windows.days(start_date, end_date)
    by_currency: dict[str, dict[Model, CurrencyReport]] = {}
    certainties: dict[Model, Certainties] = {}
    for model in MODELS:
        version = settings.version(model)
        certainties[model] = channel_intervals.certainties(ctx.session, version, window, mode)
        for found in channel_reports.report(ctx.session, version, window, mode, currency):
            by_currency.setdefault(found.currency, {})[model] = found
    return models.ModelComparison(
        mode=mode,
        start_date=start_date or MISSING,
        end_date=end_date or MISSING,
        currencies=[
            _comparison(
                settings, {model: found.get(model) or _nothing(code) for model in MODELS}, certainties
            )
            for code, found in sorted(by_currency.items())
        ],
    )


def _position_weights(sent: models.PositionWeights) -> tuple[int, int, int]:
    percents = (sent.first_percent, sent.middle_percent, sent.last_percent)
    if sum(percents) != _PERCENTS:
        message = f"adds up to {sum(percents)} percent instead of 100"
        raise _refusal("body.position_weights", "not_a_hundred", message)
    return percents


def _custom_weights(ctx: Context, sent: Sequence[models.ChannelWeight]) -> dict[str, int]:
    known = {channel.channel_code for channel in channels.everything(ctx.session)} if sent else set()
    weights: dict[str, int] = {}
    for place, one in enumerate(sent):
        field = f"body.custom_weights.{place}.channel_code"
        if one.channel_code not in known:
            raise _refusal(field, "unknown_channel", "is no channel")
        if one.channel_code in weights:
            raise _refusal(field, "duplicate", "is named twice")
        weights[one.channel_code] = one.weight
    return weights


def _refusal(field: str, code: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field} {message}", errors=(FieldError(field, code, message),))


def _settings(ctx: Context, settings: AttributionSettings) -> models.AttributionSettings:
    first, middle, last = settings.position_weights
    covered = backfills.covered(ctx.session)
    return models.AttributionSettings(
        settings_version=settings.settings_version,
        default_model=settings.default_model,
        lookback_days=settings.lookback_days,
        half_life_days=settings.half_life_days,
        position_weights=models.PositionWeights(
            first_percent=first, middle_percent=middle, last_percent=last
        ),
        markov_order=settings.markov_order,
        custom_weights=[
            models.ChannelWeight(channel_code=code, weight=weight)
            for code, weight in sorted(settings.custom_weights.items())
        ],
        models=[
            models.CurrentModel(model=model, model_version=version, is_complete=version in covered)
            for model in MODELS
            for version in [settings.version(model)]
        ],
    )


def _fit(kept: KeptFit) -> models.ModelFit:
    fit = kept.fit
    return models.ModelFit(
        model=fit.model,
        fit_version=kept.fit_version,
        markov_order=fit.markov_order,
        lookback_days=fit.lookback_days,
        converted_path_count=fit.converted_path_count,
        lost_path_count=fit.lost_path_count,
        weights=[
            models.RemovalEffect(
                channel_code=code, removal_effect_ppm=weight, is_grouped=code in fit.grouped_channels
            )
            for code, weight in sorted(fit.weights.items())
        ],
        fitted_at=kept.fitted_at,
    )


def _nothing(currency: str) -> CurrencyReport:
    return CurrencyReport(currency, allocated_cents=0, pending_cents=0, channels=[])


def _comparison(
    settings: AttributionSettings, reports: Reports, certainties: Mapping[Model, Certainties]
) -> models.CurrencyComparison:
    whole = reports[settings.default_model]
    found: dict[str, ChannelRevenue] = {}
    cents: dict[tuple[Model, str], int] = {}
    for model, report in reports.items():
        for channel in report.channels:
            found[channel.channel_code] = channel
            cents[model, channel.channel_code] = channel.revenue_cents
    return models.CurrencyComparison(
        currency=whole.currency,
        ledger_net_cents=whole.ledger_net_cents,
        models=[
            models.ComparedModel(
                model=model,
                model_version=settings.version(model),
                allocated_cents=report.allocated_cents,
                pending_cents=report.pending_cents,
            )
            for model, report in reports.items()
        ],
        channels=[
            models.ComparedChannel(
                channel_code=channel.channel_code,
                channel_name=channel.channel_name,
                family=channel.family,
                is_paid=channel.is_paid,
                revenues=[
                    models.ModelRevenue(
                        model=model,
                        revenue_cents=cents.get((model, channel_code), 0),
                        share_ppm=share_ppm(cents.get((model, channel_code), 0), report.allocated_cents),
                        **certainty(certainties[model], whole.currency, channel_code),
                    )
                    for model, report in reports.items()
                ],
            )
            for channel_code, channel in sorted(found.items())
        ],
    )
