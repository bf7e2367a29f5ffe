"""Attribution as a job runs it: scope in, allocations replaced, and the digests of what they were made from.

All but `take_turn` belong into one REPEATABLE READ transaction that `begin` was called on first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from psycopg.errors import NumericValueOutOfRange
from sqlalchemy import text
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from skeldir.db.session import driver_of
from skeldir.domain.attribution_settings import AttributionSettings, ModelParameters
from skeldir.domain.models import MODELS, Model
from skeldir.domain.windows import Window
from skeldir.repository import attribution_digests, attribution_orders, performance_days, summaries
from skeldir.repository.attribution_orders import OrderKey, chunks
from skeldir.repository.attribution_split import NUMBERS
from skeldir.repository.attribution_sql import REPLACE
from skeldir.repository.credit_rules import bindings

STATEMENT_TIMEOUT_SECONDS: Final = 5
"""No statement of a job may run longer, so that none is far from an answer however busy the server is."""

SCAN_TIMEOUT_SECONDS: Final = 60
"""Nor one that reads all of a tenant's rows, which nobody waits for."""


def _settings(**values: str | int) -> bytes:
    return "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in values.items()).encode()


# Nested loops are what turns missing statistics into quadratic time, and merging would first sort by texts in
# the server's language: what is left is hashing.
_HASHING: Final = {"enable_nestloop": "off", "enable_mergejoin": "off", "jit": "off", "work_mem": "64MB"}

# Every row is looked up by its key (see attribution_scope), so one plan serves any number of ids and is made
# once per connection. Sorting is off where an index may do: a plan made over a few rows would rather read and
# sort them all, and be kept while they grow to many. Costs are set so that rows to be deleted are reached by
# where they lie, also in a table of which nothing is known.
_JOB: Final = _settings(
    **_HASHING,
    statement_timeout=f"{STATEMENT_TIMEOUT_SECONDS}s",
    plan_cache_mode="force_generic_plan",
    enable_seqscan="off",
    enable_bitmapscan="off",
    enable_sort="off",
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
    for some_journeys in chunks(journey_ids, attribution_orders.SCOPE_MAX):
        flipped = performance_days.rank(session, some_journeys)
        for orders in attribution_orders.of_journeys(session, some_journeys):
            attribution_digests.settle(session, [order.order_id for order in orders], revision)
            changes += _attribute(session, orders, models, flipped)
    return changes


def attribute_window(session: Session, window: Window, parameters: ModelParameters) -> Changes:
    """Attribute every order that has an entry in the window, whole, under one model."""
    changes = Changes()
    for orders in attribution_orders.of_window(session, window):
        changes += _attribute(session, orders, (parameters,))
    return changes


def attribute_changed(
    session: Session, window: Window, parameters: ModelParameters, *, after: int, before: int
) -> Changes:
    """Attribute the window's orders whose inputs last changed between two runs, under one model."""
    changes = Changes()
    for orders in attribution_digests.changed_since(
        session, window, after=after, before=before, at_once=attribution_orders.SCOPE_MAX
    ):
        changes += attribute_orders(session, orders, (parameters,))
    return changes


def attribute_orders(
    session: Session, order_ids: Sequence[str], models: Sequence[ModelParameters]
) -> Changes:
    """Attribute at most SCOPE_MAX orders, whole, under some models."""
    return _attribute(session, attribution_orders.with_journeys(session, order_ids), models)


def _attribute(
    session: Session,
    orders: Sequence[OrderKey],
    models: Sequence[ModelParameters],
    flipped: Sequence[str] = (),
) -> Changes:
    changes = Changes(orders=len(orders))
    for portion in attribution_orders.portions(orders):
        scope = portion.scope()
        for parameters in models:
            with performance_days.followed(session, parameters.version, portion.order_ids, flipped):
                changes += _replace(session, parameters.model, {**scope, **bindings(parameters)})
    return changes


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
