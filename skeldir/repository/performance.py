"""What advertising brought for its money: spend beside what its channels and campaigns were credited with.

What was credited is read from the days that jobs keep (`performance_days`), else from those that were
counted and have not changed since (`performance_counts`); what neither has is counted from the rows by the
same SQL, some orders at a time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from skeldir.domain.performance import Figures, Outcome, Spend
from skeldir.domain.windows import Window
from skeldir.repository import channel_reports, channels, performance_counts, performance_days
from skeldir.repository.attribution_planning import looked_up
from skeldir.repository.channel_reports import Mode
from skeldir.repository.channels import Channel
from skeldir.repository.performance_counts import ORDERS_MAX
from skeldir.repository.performance_sql import CELLS, JOURNEYS, KEPT_CELLS, ORDERS, SIBLINGS


def _outcomes(mode: Mode, given: str, cells: str) -> TextClause:
    return text(f"""
    {given}
    SELECT currency, level, channel_code, campaign_id,
           CAST(sum({mode}_cents) AS bigint) AS revenue_cents,
           CAST(sum(conversion_count) AS bigint) AS conversion_count,
           CAST(sum(new_conversion_count) AS bigint) AS new_conversion_count,
           CAST(sum(conversions_ppm) AS bigint) AS conversions_ppm,
           CAST(sum(new_conversions_ppm) AS bigint) AS new_conversions_ppm
      FROM {cells} AS cell
     WHERE day >= CAST(:first_day AS date) AND day < CAST(:end_day AS date)
       AND (CAST(:currency AS text) IS NULL OR currency = CAST(:currency AS text))
     GROUP BY currency, level, channel_code, campaign_id
    """)  # noqa: S608 - constants


_MODES: Final[tuple[Mode, ...]] = get_args(Mode)
_COUNTED: Final[Mapping[Mode, TextClause]] = {
    mode: _outcomes(mode, f"WITH {CELLS}", "cell") for mode in _MODES
}
_SUMMED: Final[Mapping[Mode, TextClause]] = {
    mode: _outcomes(mode, "", "(SELECT * FROM performance_days WHERE model_version = :model_version)")
    for mode in _MODES
}
_HELD: Final[Mapping[Mode, TextClause]] = {
    mode: _outcomes(
        mode,
        "",
        """(SELECT * FROM counted_performance
             WHERE model_version = :model_version AND day <> ALL(CAST(:stale_days AS date[])))""",
    )
    for mode in _MODES
}
_RECOUNTED: Final[Mapping[Mode, TextClause]] = {
    mode: _outcomes(mode, f"WITH {KEPT_CELLS}", "(SELECT * FROM cell WHERE day = ANY(CAST(:days AS date[])))")
    for mode in _MODES
}

_SPEND: Final = text("""
    SELECT currency, channel_code, campaign_id,
           CAST(sum(cost_cents) AS bigint) AS spend_cents,
           CAST(sum(impressions) AS bigint) AS impressions,
           CAST(sum(clicks) AS bigint) AS clicks,
           CAST(coalesce(sum(cost_cents) FILTER (WHERE clicks IS NOT NULL), 0) AS bigint) AS clicked_cents,
           CAST(coalesce(sum(impressions) FILTER (WHERE clicks IS NOT NULL), 0) AS bigint)
               AS rated_impressions,
           CAST(coalesce(sum(clicks) FILTER (WHERE impressions IS NOT NULL), 0) AS bigint) AS rated_clicks
      FROM ad_spend
     WHERE day >= CAST(:first_day AS date) AND day < CAST(:end_day AS date)
       AND (CAST(:currency AS text) IS NULL OR currency = CAST(:currency AS text))
     GROUP BY currency, channel_code, campaign_id
""")

Campaigns = dict[str, Figures]
Cells = dict[tuple[str | None, str | None], Figures]
"""Figures by channel and campaign; without a campaign the channel's orders, without both the currency's."""


@dataclass(frozen=True, slots=True)
class ChannelPerformance:
    """A channel and its campaigns, which add up to its figures; but an order counts once in each."""

    channel: Channel
    figures: Figures
    campaigns: Campaigns


@dataclass(frozen=True, slots=True)
class CurrencyPerformance:
    """One currency: its channels, what they add up to, and what is booked and not attributed."""

    currency: str
    pending_cents: int
    totals: Figures
    channels: list[ChannelPerformance]


def report(
    session: Session, model_version: str, window: Window, mode: Mode, currency: str | None = None
) -> list[CurrencyPerformance]:
    """Set the spend of a window's days against what is credited under one model version, per currency.

    The window begins and ends with a day. Channels come by spend, the most first, then by revenue and code.
    """
    known = {channel.channel_code: channel for channel in channels.everything(session)}
    pending = {
        one.currency: one.pending_cents
        for one in channel_reports.report(session, model_version, window, mode, currency)
    }
    asked = {
        "model_version": model_version,
        "start": window.start,
        "end": window.end,
        "first_day": window.start.date(),
        "end_day": window.end.date(),
        "currency": currency,
    }
    cells = _outcome_cells(session, mode, asked)
    for code, channel_code, campaign_id, *measures in session.execute(_SPEND, asked):
        cells[code][channel_code, campaign_id] += Figures(spend=Spend(*measures))
    blocks = (
        _currency(code, cells[code], pending.get(code, 0), known)
        for code in sorted(cells.keys() | pending.keys())
    )
    return [block for block in blocks if block.channels or block.pending_cents]


def _outcome_cells(session: Session, mode: Mode, asked: Mapping[str, object]) -> dict[str, Cells]:
    """Return, per currency, what each campaign, channel and the whole were credited with."""
    model_version = str(asked["model_version"])
    if performance_days.is_listed(session, model_version):
        found: Iterable[Any] = session.execute(_SUMMED[mode], asked)
    elif performance_counts.are_kept(session, model_version):
        found = _held(session, mode, asked)
    else:
        found = _counted(session, mode, asked)
    cells: dict[str, Cells] = defaultdict(lambda: defaultdict(Figures))
    for code, level, channel_code, campaign_id, *measures in found:
        place = (channel_code if level > 0 else None, campaign_id if level > 1 else None)
        cells[code][place] += Figures(Outcome(*measures))
    return cells


def _held(session: Session, mode: Mode, asked: Mapping[str, Any]) -> Iterator[Any]:
    stale = performance_counts.stale(session, asked["model_version"], asked["first_day"], asked["end_day"])
    yield from session.execute(_HELD[mode], {**asked, "stale_days": list(stale)})
    if stale:
        with looked_up(session):
            for scope in performance_counts.scopes(session, list(stale)):
                yield from session.execute(_RECOUNTED[mode], {**asked, **scope})


def _counted(session: Session, mode: Mode, asked: Mapping[str, object]) -> Iterator[Any]:
    with looked_up(session):
        for order_ids in _window_orders(session, asked):
            yield from session.execute(_COUNTED[mode], {**asked, **_scope(session, order_ids)})


def _window_orders(session: Session, asked: Mapping[str, object]) -> Iterator[list[str]]:
    found = session.execute(
        ORDERS, asked, execution_options={"stream_results": True, "yield_per": ORDERS_MAX}
    )
    for rows in found.partitions(ORDERS_MAX):
        yield [row.order_id for row in rows]


def _scope(session: Session, order_ids: list[str]) -> dict[str, object]:
    """Return the ids by which CELLS looks rows up: the orders, and all orders of their journeys."""
    journey_ids = session.execute(JOURNEYS, {"order_ids": order_ids}).scalars().all()
    siblings = session.execute(SIBLINGS, {"journey_ids": journey_ids}).scalars()
    return {"order_ids": order_ids, "sibling_ids": list({*order_ids, *siblings})}


def _currency(
    code: str, cells: Cells, pending_cents: int, known: Mapping[str, Channel]
) -> CurrencyPerformance:
    campaigns: dict[str, Campaigns] = defaultdict(dict)
    for (channel_code, campaign_id), figures in cells.items():
        if channel_code is not None and campaign_id is not None and figures != Figures():
            campaigns[channel_code][campaign_id] = figures
    found = [
        ChannelPerformance(
            known[channel_code], _added_up(of.values(), cells.get((channel_code, None), Figures())), of
        )
        for channel_code, of in campaigns.items()
    ]
    totals = _added_up((one.figures for one in found), cells.get((None, None), Figures()))
    return CurrencyPerformance(code, pending_cents, totals, sorted(found, key=_size))


def _size(found: ChannelPerformance) -> tuple[int, int, str]:
    figures = found.figures
    return (-figures.spend.spend_cents, -figures.outcome.revenue_cents, found.channel.channel_code)


def _added_up(parts: Iterable[Figures], whole: Figures) -> Figures:
    """Add parts up, but for the orders, which the whole has counted: what several parts led to is one."""
    added = sum(parts, Figures())
    counted = replace(
        added.outcome,
        conversion_count=whole.outcome.conversion_count,
        new_conversion_count=whole.outcome.new_conversion_count,
    )
    return Figures(counted, added.spend)
