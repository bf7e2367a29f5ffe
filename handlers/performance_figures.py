"""What `getChannelPerformance` says of each currency: the repository's sums as the contract's figures."""

from typing import Final

from pydantic import MISSING

from generated.models.common_performance import (
    CampaignPerformance,
    CampaignRest,
    ChannelPerformance,
    CurrencyPerformance,
    PerformanceFigures,
)
from skeldir.domain.performance import Figures
from skeldir.repository import performance

CAMPAIGNS_SHOWN: Final = 200


def performance_of(found: performance.CurrencyPerformance, *, with_campaigns: bool) -> CurrencyPerformance:
    """Tell one currency's block, with or without the campaigns of its channels."""
    return CurrencyPerformance(
        currency=found.currency,
        pending_cents=found.pending_cents,
        totals=_figures(found.totals),
        channels=[_channel(one, with_campaigns=with_campaigns) for one in found.channels],
    )


def _channel(found: performance.ChannelPerformance, *, with_campaigns: bool) -> ChannelPerformance:
    by_size = sorted(found.campaigns.items(), key=lambda item: _size(*item)) if with_campaigns else []
    shown, rest = by_size[:CAMPAIGNS_SHOWN], by_size[CAMPAIGNS_SHOWN:]
    return ChannelPerformance(
        channel_code=found.channel.channel_code,
        channel_name=found.channel.channel_name,
        family=found.channel.family,
        is_paid=found.channel.is_paid,
        figures=_figures(found.figures),
        campaigns=[CampaignPerformance(campaign_id=name, figures=_figures(one)) for name, one in shown]
        if with_campaigns
        else MISSING,
        other_campaigns=_rest([one for _, one in rest]) if rest else MISSING,
    )


def _size(campaign_id: str, figures: Figures) -> tuple[int, int, str]:
    return (-figures.spend.spend_cents, -figures.outcome.revenue_cents, campaign_id)


def _rest(parts: list[Figures]) -> CampaignRest:
    added = sum(parts, Figures())
    return CampaignRest(
        campaign_count=len(parts),
        spend_cents=added.spend.spend_cents,
        revenue_cents=added.outcome.revenue_cents,
        attributed_conversions_ppm=added.outcome.conversions_ppm,
        attributed_new_conversions_ppm=added.outcome.new_conversions_ppm,
    )


def _figures(found: Figures) -> PerformanceFigures:
    outcome, spend = found.outcome, found.spend
    return PerformanceFigures(
        spend_cents=spend.spend_cents,
        revenue_cents=outcome.revenue_cents,
        conversion_count=outcome.conversion_count,
        new_conversion_count=outcome.new_conversion_count,
        repeat_conversion_count=outcome.conversion_count - outcome.new_conversion_count,
        attributed_conversions_ppm=outcome.conversions_ppm,
        attributed_new_conversions_ppm=outcome.new_conversions_ppm,
        roas_ppm=_known(found.roas_ppm),
        cpa_cents=_known(found.cpa_cents),
        new_cpa_cents=_known(found.new_cpa_cents),
        impressions=_known(spend.impressions),
        clicks=_known(spend.clicks),
        cpc_cents=_known(found.cpc_cents),
        ctr_ppm=_known(found.ctr_ppm),
    )


def _known(value: int | None) -> int | MISSING:
    return MISSING if value is None else value
