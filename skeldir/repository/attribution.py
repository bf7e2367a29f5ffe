"""Attribution as a job runs it: scope in, allocations replaced, and the digests of what they were made from.

All but `take_turn` belong into one REPEATABLE READ transaction that `begin` was called on first.
"""

from collections.abc import Collection, Iterable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.attribution_settings import AttributionSettings, ModelParameters
from skeldir.domain.models import MODELS
from skeldir.domain.windows import Window
from skeldir.repository import (
    attribution_digests,
    attribution_orders,
    attribution_results,
    performance_days,
    summaries,
    turns,
)
from skeldir.repository.attribution_orders import OrderKey, chunks
from skeldir.repository.attribution_planning import begin, begin_scan
from skeldir.repository.attribution_results import Work

__all__ = [
    "Changes",
    "attribute_changed",
    "attribute_journeys",
    "attribute_orders",
    "attribute_window",
    "begin",
    "begin_scan",
    "refresh_statistics",
    "take_turn",
]

AHEAD_FROM: Final = 300
"""From so many orders on, each counted once per model, a second connection pays."""

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
    return turns.take(session, "attribution")


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
            changes += _attribute(session, [orders], models, flipped)
    return changes


def attribute_window(
    session: Session, window: Window, parameters: ModelParameters, *, without: Collection[str] = ()
) -> Changes:
    """Attribute every order that has an entry in the window, whole, under one model.

    `without` are journeys whose orders are left out.
    """
    with closing(attribution_orders.of_window(session, window)) as found:
        orders = (_outside(without, some) for some in found)
        return _attribute(session, orders, (parameters,))


def attribute_changed(
    session: Session,
    window: Window,
    parameters: ModelParameters,
    *,
    after: int,
    before: int,
    without: Collection[str] = (),
) -> Changes:
    """Attribute the window's orders whose inputs last changed between two runs, under one model."""
    changed = attribution_orders.changed_since(session, window, after=after, before=before)
    with closing(changed) as found:
        orders = (_outside(without, some) for some in found)
        return _attribute(session, orders, (parameters,))


def _outside(journeys: Collection[str], orders: Sequence[OrderKey]) -> Sequence[OrderKey]:
    return [order for order in orders if order.journey_id not in journeys] if journeys else orders


def attribute_orders(
    session: Session, order_ids: Sequence[str], models: Sequence[ModelParameters]
) -> Changes:
    """Attribute at most SCOPE_MAX orders, whole, under some models."""
    return _attribute(session, [attribution_orders.with_journeys(session, order_ids)], models)


def _attribute(
    session: Session,
    orders: Iterable[Sequence[OrderKey]],
    models: Sequence[ModelParameters],
    flipped: Sequence[str] = (),
) -> Changes:
    # Told once, since no order comes twice.
    are_first = {one.version: not attribution_results.are_kept(session, one.version) for one in models}
    followed = {one.version for one in models if performance_days.is_listed(session, one.version)}
    rest = iter(orders)
    first = next(rest, [])
    is_ahead = len(first) * len(models) >= AHEAD_FROM
    # What would be one portion is made two, one for each connection.
    is_halved = is_ahead and len(models) == 1 and len(first) < attribution_orders.SCOPE_MAX
    orders_max = (len(first) + 1) // 2 if is_halved else None
    work = (
        Work(portion, parameters)
        for some in chain([first], rest)
        for portion in attribution_orders.portions(some, orders_max)
        for parameters in models
    )
    changes = Changes()
    with closing(attribution_results.computed(session, work, ahead=is_ahead)) as results:
        for done, columns in results:
            order_ids, version = done.portion.order_ids, done.parameters.version
            cells = performance_days.followed(session, version, order_ids, flipped)
            with cells if version in followed else nullcontext():
                written, vanished = attribution_results.replace(
                    session, version, columns, is_first=are_first[version]
                )
            is_first = done.parameters is models[0]
            changes += Changes(len(order_ids) if is_first else 0, written, vanished)
    return changes
