"""The rows of exports, read in one snapshot as fast as somebody takes them.

Revenue comes from the days' summaries where they are complete, as the reports do. Allocations and their
entries are two indexes in the order of time, walked side by side: the first row comes at once, nothing is
sorted as a whole or hashed, and the cost stays linear whatever the planner knows of the tenant.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from skeldir.domain.exports import Dataset, ExportFilters
from skeldir.formats.tables import Column
from skeldir.repository import channel_reports
from skeldir.repository.channel_reports import Mode
from skeldir.repository.summaries_sql import ALLOCATED, CELLS

BATCH_ROWS: Final = 2_000

COLUMNS: Final[Mapping[Dataset, Sequence[Column]]] = {
    "revenue": (
        Column("day", "date"),
        Column("currency", "text"),
        Column("channel_code", "text"),
        Column("revenue_cents", "integer"),
        Column("reversed_cents", "integer"),
        Column("order_count", "integer"),
    ),
    "allocations": (
        Column("entry_id", "text"),
        Column("order_id", "text"),
        Column("kind", "text"),
        Column("effective_at", "instant"),
        Column("channel_code", "text"),
        Column("campaign_id", "text"),
        Column("allocated_cents", "integer"),
        Column("currency", "text"),
        Column("fallback", "text"),
    ),
}
AMOUNT: Final[Mapping[Dataset, str]] = {"revenue": "revenue_cents", "allocations": "allocated_cents"}
"""The column whose sum is what was exported."""

_PREPARE: Final = "SET LOCAL statement_timeout = {milliseconds:d}"
_SNAPSHOT: Final = text("SELECT statement_timestamp()")
_ADD_UP: Final = text("SET LOCAL enable_nestloop = off")
_WALK: Final = text("""
    SET LOCAL enable_nestloop = off;
    SET LOCAL enable_hashjoin = off;
    SET LOCAL enable_sort = off;
    SET LOCAL max_parallel_workers_per_gather = 0;
    SET LOCAL jit = off
""")

_CHOSEN: Final = """
       AND (CAST(:channels AS text[]) IS NULL OR channel_code = ANY(CAST(:channels AS text[])))
       AND (CAST(:currency AS text) IS NULL OR currency = CAST(:currency AS text))
"""


def _days(mode: Mode, given: str, cells: str) -> TextClause:
    return text(f"""
    {given}
    SELECT day, currency, channel_code, {mode}_cents, {mode}_reversed_cents, order_count
      FROM {cells}
     WHERE day >= CAST(:first_day AS date) AND day < CAST(:end_day AS date)
       AND ({mode}_cents <> 0 OR {mode}_reversed_cents <> 0 OR order_count <> 0)
       {_CHOSEN}
     ORDER BY day, currency, channel_code COLLATE "C"
    """)  # noqa: S608 - constants of this module


_MODES: Final[tuple[Mode, ...]] = ("cash", "accrual")
_DAYS_SUMMED: Final[Mapping[Mode, TextClause]] = {
    mode: _days(mode, "", "(SELECT * FROM channel_days WHERE model_version = :model_version) AS day_cell")
    for mode in _MODES
}
_DAYS_ADDED_UP: Final[Mapping[Mode, TextClause]] = {
    mode: _days(mode, f"WITH {ALLOCATED}, {CELLS}", "day_cell") for mode in _MODES
}

_ALLOCATIONS: Final = text(f"""
    SELECT CAST(part.entry_id AS text), part.order_id, entry.kind, part.effective_at, channel_code,
           campaign_id, allocated_cents, part.currency, coalesce(fallback, '')
      FROM (SELECT *
              FROM allocations
             WHERE model_version = :model_version
               AND effective_at >= :start AND effective_at < :end
               {_CHOSEN}) AS part
      JOIN ledger_entries AS entry
        ON entry.tenant_id = part.tenant_id
       AND entry.effective_at = part.effective_at
       AND entry.entry_id = part.entry_id
     WHERE entry.effective_at >= :start AND entry.effective_at < :end
     ORDER BY part.effective_at, part.entry_id, channel_code COLLATE "C", campaign_id COLLATE "C"
""")  # noqa: S608 - constants of this module

_UNKNOWN: Final = text("""
    SELECT code FROM unnest(CAST(:channels AS text[])) AS code
    EXCEPT SELECT code FROM channels
    ORDER BY code
""")


def prepare(session: Session, seconds_max: float) -> datetime:
    """Have the transaction take its snapshot, and no statement of it take longer than the export may."""
    session.execute(text(_PREPARE.format(milliseconds=int(seconds_max * 1_000))))
    at: datetime = session.execute(_SNAPSHOT).scalar_one()
    return at


def unknown_channels(session: Session, channels: Sequence[str]) -> list[str]:
    """Return the codes that are no channel's."""
    return list(session.execute(_UNKNOWN, {"channels": list(channels)}).scalars())


def rows(
    session: Session, dataset: Dataset, model_version: str, mode: Mode, filters: ExportFilters
) -> Iterator[Sequence[Any]]:
    """Yield batches of rows in the order of `COLUMNS`, from a cursor of the server's.

    The mode says on which day revenue counts; an allocation has the instant of its own entry.
    """
    window = filters.window()
    parameters = {
        "model_version": model_version,
        "start": window.start,
        "end": window.end,
        "first_day": window.start.date(),
        "end_day": window.end.date(),
        "channels": None if filters.channels is None else list(filters.channels),
        "currency": filters.currency,
    }
    statement = _statement(session, dataset, model_version, mode)
    options = {"stream_results": True, "max_row_buffer": BATCH_ROWS}
    with session.execute(statement, parameters, execution_options=options) as result:
        yield from result.partitions(BATCH_ROWS)


def _statement(session: Session, dataset: Dataset, model_version: str, mode: Mode) -> TextClause:
    if dataset == "allocations":
        session.execute(_WALK)
        return _ALLOCATIONS
    if channel_reports.is_summarised(session, model_version):
        return _DAYS_SUMMED[mode]
    session.execute(_ADD_UP)
    return _DAYS_ADDED_UP[mode]
