"""What the overview shows of ad spend: nothing where none was told, else its return beside the revenue."""

from collections.abc import Mapping, Sequence

from generated.models.common_performance import CurrencyPerformance
from generated.models.common_revenue import ChannelRevenue, CurrencyAttribution
from handlers import spend
from skeldir.console.filters import Filters
from skeldir.http.context import Context


def read_spending(context: Context, filters: Filters) -> dict[str, CurrencyPerformance]:
    """Return the performance of each currency in which something was spent on the days shown."""
    days = {"start_date": filters.start_date, "end_date": filters.end_date}
    told = spend.list_ad_spend(
        context, **days, channel_code=None, campaign_id=None, currency=None, limit=1, cursor=None
    )
    if not told.figures:
        return {}
    report = spend.get_channel_performance(
        context, **days, model=filters.model, mode="cash", group_by="channel", currency=None
    )
    return {block.currency: block for block in report.currencies if block.totals.spend_cents}


def with_spending(
    report: Sequence[CurrencyAttribution], spending: Mapping[str, CurrencyPerformance]
) -> list[CurrencyAttribution]:
    """Return the report with rows for what cost something and brought nothing, currencies included."""
    parts = {part.currency: part for part in report}
    for currency, block in spending.items():
        part = parts.get(currency) or CurrencyAttribution(
            currency=currency, ledger_net_cents=0, allocated_cents=0, pending_cents=0, channels=[]
        )
        known = {row.channel_code for row in part.channels}
        unpaid_back = [
            ChannelRevenue(
                channel_code=row.channel_code,
                channel_name=row.channel_name,
                family=row.family,
                is_paid=row.is_paid,
                revenue_cents=0,
                reversed_cents=0,
                order_count=0,
                share_ppm=0,
                credible_interval=None,
                confidence_ppm=None,
                interval_as_of=None,
                interval_missing="no_journeys",
            )
            for row in block.channels
            if row.channel_code not in known and row.figures.spend_cents
        ]
        parts[currency] = part.model_copy(update={"channels": [*part.channels, *unpaid_back]})
    return [parts[currency] for currency in sorted(parts)]
