"""Attribution as a job runs it: scope in, allocations replaced, and the digests of what they were made from.

All but `take_turn` belong into one REPEATABLE READ transaction that `begin` was called on first.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar

from psycopg.errors import NumericValueOutOfRange
from sqlalchemy import Row, text
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from skeldir.db.session import driver_of
from skeldir.domain.attribution_settings import AttributionSettings, ModelParameters
from skeldir.domain.models import MODELS, Model
from skeldir.domain.windows import Window
from skeldir.repository import attribution_digests, performance_days, summaries
from skeldir.repository.attribution_split import NUMBERS
from skeldir.repository.attribution_sql import REPLACE
from skeldir.repository.credit_rules import bindings

Value = TypeVar("Value")

STATEMENT_TIMEOUT_SECONDS: Final = 5
"""No statement of a job may run longer, so that none is far from an answer however busy the server is."""

SCOPE_MAX: Final = 5_000
"""Orders or journeys per statement: a fifth of a second on an idle server, and little memory at both ends."""

CROWD: Final = 50
"""A journey of so many orders is crowded; people's are not, those of shop counters and robots are."""

CROWDED_ORDER_BURDEN: Final = 10
"""An order of a crowded journey counts for so many."""

SCAN_TIMEOUT_SECONDS: Final = 60
"""Nor one that reads all of a tenant's rows, which nobody waits for."""


def _settings(**values: str | int) -> bytes:
    return "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in values.items()).encode()


# Nested loops are what turns missing statistics into quadratic time, and merging would first sort by texts in
# the server's language: what is left is hashing.
_HASHING: Final = {"enable_nestloop": "off", "enable_mergejoin": "off", "jit": "off", "work_mem": "64MB"}

# Every row is looked up by its key (see attribution_scope), so one plan serves any number of ids and is made
# once per connection. Costs are set so that rows to be deleted are reached by where they lie, also in a table
# of which nothing is known.
_JOB: Final = _settings(
    **_HASHING,
    statement_timeout=f"{STATEMENT_TIMEOUT_SECONDS}s",
    plan_cache_mode="force_generic_plan",
    enable_seqscan="off",
    enable_bitmapscan="off",
    random_page_cost="0.01",
    cpu_operator_cost="0.025",
)

_SCAN: Final = _settings(
    **_HASHING, statement_timeout=f"{SCAN_TIMEOUT_SECONDS}s", plan_cache_mode="force_custom_plan"
)

_TRY_LOCK: Final = text("""
    SELECT pg_try_advisory_xact_lock(
        hashtextextended('attribution:' || current_setting('app.current_tenant_id'), 0))
""")

# By pairs, so that journeys without an order, which are most, are asked for nothing more.
_ORDERS_OF_JOURNEYS: Final = text("""
    SELECT found.order_id, found.journey_id
      FROM unnest(CAST(:journey_ids AS text[])) AS asked (journey_id),
           LATERAL (SELECT order_id, journey_id FROM orders
                     WHERE orders.journey_id = asked.journey_id ORDER BY ordered_at) AS found
""")

_JOURNEYS_OF_ORDERS: Final = text("""
    SELECT found.order_id, found.journey_id
      FROM unnest(CAST(:order_ids AS text[])) AS asked (order_id),
           LATERAL (SELECT order_id, journey_id FROM orders
                     WHERE orders.order_id = asked.order_id OFFSET 0) AS found
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


def take_turn(session: Session) -> bool:
    """Take the tenant's turn until this transaction ends; False when another job has it.

    Not in the job's own transaction: its snapshot would be older than the turn, and what another job
    committed between the two would neither be seen nor replaced.
    """
    return bool(session.execute(_TRY_LOCK).scalar_one())


def begin(session: Session) -> None:
    """Prepare the transaction of a job that has the tenant's turn and works on some orders at a time."""
    driver_of(session).execute(_JOB, prepare=False)


def begin_scan(session: Session) -> None:
    """Prepare a transaction whose statements read all of a tenant's rows at once."""
    driver_of(session).execute(_SCAN, prepare=False)


def refresh_statistics(session: Session) -> None:
    """Have the planner look at the attribution tables; for after many rows have come in."""
    session.execute(_ANALYZE)


def attribute_journeys(
    session: Session, journey_ids: Iterable[str], settings: AttributionSettings
) -> Changes:
    """Attribute every order of these journeys under all models, and keep its digest."""
    models = [settings.parameters(model) for model in MODELS]
    versions = [parameters.version for parameters in models]
    summaries.keep_only(session, versions)
    performance_days.keep_only(session, versions)
    revision = attribution_digests.last_revision(session) + 1
    changes = Changes()
    for some_journeys in _chunks(journey_ids, SCOPE_MAX):
        flipped = performance_days.rank(session, some_journeys)
        found = session.execute(_ORDERS_OF_JOURNEYS, {"journey_ids": some_journeys})
        for rows in _chunks(found, SCOPE_MAX):
            attribution_digests.settle(session, [row.order_id for row in rows], revision)
            changes += _attribute(session, rows, models, flipped)
    return changes


def attribute_window(session: Session, window: Window, parameters: ModelParameters) -> Changes:
    """Attribute every order that has an entry in the window, whole, under one model."""
    return _attribute_orders(session, _window_orders(session, window), parameters)


def attribute_changed(
    session: Session, window: Window, parameters: ModelParameters, *, after: int, before: int
) -> Changes:
    """Attribute the window's orders whose inputs last changed between two runs, under one model."""
    changed = attribution_digests.changed_since(
        session, window, after=after, before=before, at_once=SCOPE_MAX
    )
    return _attribute_orders(session, changed, parameters)


def _attribute_orders(
    session: Session, chunks: Iterable[Sequence[str]], parameters: ModelParameters
) -> Changes:
    changes = Changes()
    for orders in chunks:
        changes += attribute_orders(session, orders, (parameters,))
    return changes


def attribute_orders(
    session: Session, order_ids: Sequence[str], models: Sequence[ModelParameters]
) -> Changes:
    """Attribute at most SCOPE_MAX orders, whole, under some models."""
    found = session.execute(_JOURNEYS_OF_ORDERS, {"order_ids": order_ids}).all()
    return _attribute(session, found, models)


def orders_of_window(session: Session, window: Window) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """Yield the orders that have an entry in the window, in chunks, each with the orders' journeys."""
    for orders in _window_orders(session, window):
        found = session.execute(_JOURNEYS_OF_ORDERS, {"order_ids": orders})
        yield orders, sorted({row.journey_id for row in found})


def _attribute(
    session: Session,
    orders: Sequence[Row[Any]],
    models: Sequence[ModelParameters],
    flipped: Sequence[str] = (),
) -> Changes:
    """Attribute orders, given with their journeys."""
    changes = Changes(orders=len(orders))
    for some in _uncrowded(orders):
        order_ids = [row.order_id for row in some]
        journey_ids = sorted({row.journey_id for row in some})
        for parameters in models:
            scope = {"order_ids": order_ids, "journey_ids": journey_ids, **bindings(parameters)}
            with performance_days.followed(session, parameters.version, order_ids, flipped):
                changes += _replace(session, parameters.model, scope)
    return changes


def _uncrowded(orders: Sequence[Row[Any]]) -> Iterator[list[Row[Any]]]:
    """Cut orders into pieces for one statement: of a crowded journey each may bring hundreds of touches."""
    in_journey = Counter(row.journey_id for row in orders)
    piece: list[Row[Any]] = []
    burden = 0
    for row in orders:
        own = CROWDED_ORDER_BURDEN if in_journey[row.journey_id] >= CROWD else 1
        if burden + own > SCOPE_MAX:
            yield piece
            piece, burden = [], 0
        piece.append(row)
        burden += own
    if piece:
        yield piece


def _replace(session: Session, model: Model, scope: Mapping[str, object]) -> Changes:
    """Replace what is kept, in bigints, or in numerics where a product overflows these."""
    quick, safe = (REPLACE[number][model] for number in NUMBERS)
    try:
        with session.begin_nested():
            row = session.execute(quick, scope).one()
    except DataError as error:
        if not isinstance(error.orig, NumericValueOutOfRange):
            raise
        row = session.execute(safe, scope).one()
    return Changes(written=row.written, vanished=row.vanished)


def _window_orders(session: Session, window: Window) -> Iterator[Sequence[str]]:
    """Yield the window's orders in chunks, through a cursor: a year's orders need not fit in memory."""
    found = session.execute(
        _ORDERS_OF_WINDOW,
        {"window_start": window.start, "window_end": window.end},
        execution_options={"stream_results": True, "yield_per": SCOPE_MAX},
    )
    for rows in found.partitions(SCOPE_MAX):
        yield [row.order_id for row in rows]


def _chunks(values: Iterable[Value], size: int) -> Iterator[list[Value]]:
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk
