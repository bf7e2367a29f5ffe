"""Attribution as a job runs it: scope in, allocations replaced, digests of what they were made from.

All but `take_turn` belong into one REPEATABLE READ transaction that `begin` was called on first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.attribution_settings import AttributionSettings, ModelParameters
from skeldir.domain.models import MODELS
from skeldir.domain.windows import Window
from skeldir.repository import summaries
from skeldir.repository.attribution_sql import DIGEST, REPLACE
from skeldir.repository.credit_rules import bindings

STATEMENT_TIMEOUT: Final = "120s"
"""No statement of a job may run longer; well below the task's own time limit."""

SCOPE_MAX: Final = 20_000
"""Journeys or orders per statement: bounds the memory of both ends, and the arrays sent."""

# Custom plans let arrays be hashed. Nested loops are what turns missing statistics into quadratic time,
# and merging would first sort by texts in the server's language: what is left is hashing.
_PREPARE: Final = (
    text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'"),
    text("SET LOCAL plan_cache_mode = force_custom_plan"),
    text("SET LOCAL enable_nestloop = off"),
    text("SET LOCAL enable_mergejoin = off"),
    text("SET LOCAL jit = off"),
    text("SET LOCAL work_mem = '64MB'"),
)

_TRY_LOCK: Final = text("""
    SELECT pg_try_advisory_xact_lock(
        hashtextextended('attribution:' || current_setting('app.current_tenant_id'), 0))
""")

_ORDERS_OF_JOURNEYS: Final = text("""
    SELECT order_id FROM orders WHERE journey_id = ANY(CAST(:journey_ids AS text[])) ORDER BY order_id
""")

_JOURNEYS_OF_ORDERS: Final = text("""
    SELECT DISTINCT journey_id FROM orders WHERE order_id = ANY(CAST(:order_ids AS text[]))
""")

_ENTRIES_OF_ORDERS: Final = text("""
    SELECT entry_id FROM ledger_entries
     WHERE order_id = ANY(CAST(:order_ids AS text[])) AND effect_cents <> 0
""")

_ORDERS_OF_WINDOW: Final = text("""
    SELECT DISTINCT order_id COLLATE "C" AS order_id
      FROM ledger_entries
     WHERE effective_at >= :window_start
       AND effective_at < :window_end
       AND effect_cents <> 0
     ORDER BY 1
""")

_ANALYZE: Final = text("SELECT analyze_attribution()")


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows a run changed; an unchanged rerun changes none."""

    orders: int = 0
    written: int = 0
    vanished: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(
            self.orders + other.orders, self.written + other.written, self.vanished + other.vanished
        )


@dataclass(frozen=True, slots=True)
class Digest:
    """An order-independent digest of rows: how many, and two sums of halves of their hashes."""

    rows: int = 0
    high: int = 0
    low: int = 0

    def __add__(self, other: "Digest") -> "Digest":
        return Digest(self.rows + other.rows, self.high + other.high, self.low + other.low)


def take_turn(session: Session) -> bool:
    """Take the tenant's turn until this transaction ends; False when another job has it.

    Not in the job's own transaction: its snapshot would be older than the turn, and what another job
    committed between the two would neither be seen nor replaced.
    """
    return bool(session.execute(_TRY_LOCK).scalar_one())


def begin(session: Session) -> None:
    """Prepare the transaction of a job that has the tenant's turn."""
    for statement in _PREPARE:
        session.execute(statement)


def refresh_statistics(session: Session) -> None:
    """Have the planner look at the attribution tables; for after many rows have come in."""
    session.execute(_ANALYZE)


def attribute_journeys(
    session: Session, journey_ids: Iterable[str], settings: AttributionSettings
) -> Changes:
    """Attribute every order of these journeys under all models."""
    models = [settings.parameters(model) for model in MODELS]
    summaries.keep_only(session, [parameters.version for parameters in models])
    changes = Changes()
    for some_journeys in _chunks(journey_ids):
        orders = session.execute(_ORDERS_OF_JOURNEYS, {"journey_ids": some_journeys}).scalars().all()
        for some_orders in _chunks(orders):
            changes += _attribute(session, some_orders, some_journeys, models)
    return changes


def attribute_window(session: Session, window: Window, parameters: ModelParameters) -> Changes:
    """Attribute every order that has an entry in the window, whole, under one model."""
    changes = Changes()
    for orders in _window_orders(session, window):
        changes += attribute_orders(session, orders, (parameters,))
    return changes


def attribute_orders(
    session: Session, order_ids: Sequence[str], models: Sequence[ModelParameters]
) -> Changes:
    """Attribute at most SCOPE_MAX orders, whole, under some models."""
    journeys = session.execute(_JOURNEYS_OF_ORDERS, {"order_ids": order_ids}).scalars().all()
    return _attribute(session, order_ids, journeys, models)


def digest_window(session: Session, window: Window, lookback_days: int) -> Digest:
    """Digest all that the window's allocations are computed from, as this snapshot has it."""
    digest = Digest()
    for orders in _window_orders(session, window):
        journeys = session.execute(_JOURNEYS_OF_ORDERS, {"order_ids": orders}).scalars().all()
        scope = {"order_ids": orders, "journey_ids": journeys, "lookback_days": lookback_days}
        row = session.execute(DIGEST, scope).one()
        digest += Digest(int(row.rows), int(row.high), int(row.low))
    return digest


def orders_of_window(session: Session, window: Window) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """Yield the orders that have an entry in the window, in chunks, each with the orders' journeys."""
    for orders in _window_orders(session, window):
        yield orders, session.execute(_JOURNEYS_OF_ORDERS, {"order_ids": orders}).scalars().all()


def _attribute(
    session: Session,
    order_ids: Sequence[str],
    journey_ids: Sequence[str],
    models: Sequence[ModelParameters],
) -> Changes:
    changes = Changes(orders=len(order_ids))
    entry_ids = session.execute(_ENTRIES_OF_ORDERS, {"order_ids": order_ids}).scalars().all()
    for parameters in models:
        row = session.execute(
            REPLACE[parameters.model],
            {
                "order_ids": order_ids,
                "journey_ids": journey_ids,
                "entry_ids": entry_ids,
                **bindings(parameters),
            },
        ).one()
        changes += Changes(written=row.written, vanished=row.vanished)
    return changes


def _window_orders(session: Session, window: Window) -> Iterator[Sequence[str]]:
    """Yield the window's orders in chunks, through a cursor: a year's orders need not fit in memory."""
    found = session.execute(
        _ORDERS_OF_WINDOW,
        {"window_start": window.start, "window_end": window.end},
        execution_options={"stream_results": True, "yield_per": SCOPE_MAX},
    )
    for rows in found.partitions(SCOPE_MAX):
        yield [row.order_id for row in rows]


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(values)
    while chunk := list(islice(rest, SCOPE_MAX)):
        yield chunk
