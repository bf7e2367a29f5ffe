"""Channels set against the ledger, from the summaries where they are complete, else from the rows.

Both ways count the same by the same SQL (`summaries_sql`), each report in one snapshot; so whoever asks
cannot tell them apart but by the clock. What is pending adds to what is allocated: together they are the
ledger's net, because a summarised version misses no entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from skeldir.db.statements import fetch_all
from skeldir.domain.windows import Window
from skeldir.repository.summaries_sql import ALLOCATED, CELLS, UNALLOCATED

Mode = Literal["cash", "accrual"]

MARKS_MAX: Final = 20_000
"""With more marks than this it is cheaper to look at all entries than at those of the marked journeys."""

_IS_SUMMARISED: Final = text("""
    SELECT EXISTS (SELECT FROM summarised_versions WHERE model_version = :model_version)
       AND (SELECT count(*) FROM (SELECT FROM dirty_marks LIMIT :marks_max + 1) AS mark) <= :marks_max
""")

# Nested loops are what turns missing statistics into quadratic time, where all rows are added up.
_PREPARE: Final = text("SET LOCAL enable_nestloop = off")
_UNPREPARE: Final = text("SET LOCAL enable_nestloop = on")


def _channels(mode: Mode, given: str, cells: str) -> TextClause:
    return text(f"""
    {given}
    SELECT total.*, channel.display_name AS channel_name, channel.family, channel.is_paid
      FROM (SELECT currency, channel_code,
                   CAST(sum({mode}_cents) AS bigint) AS revenue_cents,
                   CAST(sum({mode}_reversed_cents) AS bigint) AS reversed_cents,
                   CAST(sum(order_count) AS bigint) AS order_count
              FROM {cells}
             WHERE day >= CAST(:first_day AS date) AND day < CAST(:end_day AS date)
               AND (CAST(:currency AS text) IS NULL OR currency = CAST(:currency AS text))
             GROUP BY currency, channel_code
            HAVING sum({mode}_cents) <> 0 OR sum({mode}_reversed_cents) <> 0 OR sum(order_count) <> 0
           ) AS total
      JOIN channels AS channel ON channel.code = total.channel_code
     ORDER BY currency, revenue_cents DESC, channel_code COLLATE "C"
    """)  # noqa: S608 - constants of this module


def _pending(mode: Mode, given: str, waiting: str) -> TextClause:
    at = "effective_at" if mode == "cash" else "accrued_at"
    return text(f"""
    WITH {given}, {UNALLOCATED}
    SELECT currency, CAST(sum(effect_cents) AS bigint) AS pending_cents
      FROM (SELECT currency, {at} AS at, effect_cents FROM unallocated WHERE is_allocated = 0
            {waiting.format(at=at)}) AS pending
     WHERE at >= :start AND at < :end
       AND (CAST(:currency AS text) IS NULL OR currency = CAST(:currency AS text))
     GROUP BY currency
    HAVING sum(effect_cents) <> 0
    """)  # noqa: S608 - constants of this module


_EVERYTHING: Final = """
    booked AS (
        SELECT entry_id, order_id, currency, kind, effective_at, effect_cents, 0 AS is_allocated
          FROM ledger_entries
         WHERE effect_cents <> 0
        UNION ALL
        SELECT entry_id, NULL, NULL, NULL, NULL, 0, 1 FROM allocations WHERE model_version = :model_version
    )
"""

# Looked up by arrays of ids, so that no join decides how: the marked journeys' orders, their entries, and
# which of these are allocated. Beside them only what waits is pending.
_MARKED: Final = """
    marked AS MATERIALIZED (
        SELECT order_id FROM orders WHERE journey_id = ANY(ARRAY(SELECT journey_id FROM dirty_marks))
    ), touched AS MATERIALIZED (
        SELECT entry_id, order_id, currency, kind, effective_at, effect_cents
          FROM ledger_entries
         WHERE order_id = ANY(ARRAY(SELECT order_id FROM marked)) AND effect_cents <> 0
    ), booked AS (
        SELECT entry_id, order_id, currency, kind, effective_at, effect_cents, 0 AS is_allocated FROM touched
        UNION ALL
        SELECT entry_id, NULL, NULL, NULL, NULL, 0, 1
          FROM allocations
         WHERE model_version = :model_version AND entry_id = ANY(ARRAY(SELECT entry_id FROM touched))
    )
"""
_WAITING: Final = """
            UNION ALL
            SELECT currency, {at}, effect_cents
              FROM waiting_entries
             WHERE model_version = :model_version AND order_id NOT IN (SELECT order_id FROM marked)
"""

_MODES: Final[tuple[Mode, ...]] = get_args(Mode)
_CHANNELS_SUMMED: Final[Mapping[Mode, TextClause]] = {
    mode: _channels(mode, "", "(SELECT * FROM channel_days WHERE model_version = :model_version) AS day_cell")
    for mode in _MODES
}
_CHANNELS_ADDED_UP: Final[Mapping[Mode, TextClause]] = {
    mode: _channels(mode, f"WITH {ALLOCATED}, {CELLS}", "day_cell") for mode in _MODES
}
_PENDING_MARKED: Final[Mapping[Mode, TextClause]] = {
    mode: _pending(mode, _MARKED, _WAITING) for mode in _MODES
}
_PENDING_ADDED_UP: Final[Mapping[Mode, TextClause]] = {
    mode: _pending(mode, _EVERYTHING, "") for mode in _MODES
}


@dataclass(frozen=True, slots=True)
class ChannelRevenue:
    """What one channel was credited with, less what its part of the reversals took back."""

    currency: str
    channel_code: str
    revenue_cents: int
    reversed_cents: int
    order_count: int
    channel_name: str
    family: str
    is_paid: bool


@dataclass(frozen=True, slots=True)
class CurrencyReport:
    """One currency: its channels, what they add up to, and what is booked and not attributed."""

    currency: str
    allocated_cents: int
    pending_cents: int
    channels: list[ChannelRevenue]

    @property
    def ledger_net_cents(self) -> int:
        """Return what the ledger holds for the same days."""
        return self.allocated_cents + self.pending_cents


def report(
    session: Session, model_version: str, window: Window, mode: Mode = "cash", currency: str | None = None
) -> list[CurrencyReport]:
    """Report the whole UTC days of a window under one model version, per currency.

    The window begins and ends with a day.
    """
    asked = {
        "model_version": model_version,
        "start": window.start,
        "end": window.end,
        "first_day": window.start.date(),
        "end_day": window.end.date(),
        "currency": currency,
    }
    if is_summarised(session, model_version):
        rows = fetch_all(session, _CHANNELS_SUMMED[mode], asked)
        waiting = fetch_all(session, _PENDING_MARKED[mode], asked)
    else:
        session.execute(_PREPARE)
        rows = fetch_all(session, _CHANNELS_ADDED_UP[mode], asked)
        waiting = fetch_all(session, _PENDING_ADDED_UP[mode], asked)
        session.execute(_UNPREPARE)
    channels = [ChannelRevenue(*row) for row in rows]
    pending = dict(waiting)
    return [
        _currency(code, pending.get(code, 0), [channel for channel in channels if channel.currency == code])
        for code in sorted({channel.currency for channel in channels} | pending.keys())
    ]


def is_summarised(session: Session, model_version: str) -> bool:
    """Tell whether a version's summary is complete in this snapshot, and quicker than its rows."""
    asked = {"model_version": model_version, "marks_max": MARKS_MAX}
    [(answer,)] = fetch_all(session, _IS_SUMMARISED, asked)
    return bool(answer)


def _currency(code: str, pending_cents: int, channels: list[ChannelRevenue]) -> CurrencyReport:
    allocated_cents = sum(channel.revenue_cents for channel in channels)
    return CurrencyReport(code, allocated_cents, pending_cents, channels)
