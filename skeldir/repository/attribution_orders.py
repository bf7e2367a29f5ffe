"""Which orders a run attributes, each with its journey, in portions that one statement may take."""

import json
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import cached_property
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from skeldir.domain.windows import Window

Value = TypeVar("Value")

SCOPE_MAX: Final = 1_000
"""Orders or journeys per statement: well under a tenth of a second, and little memory at both ends."""

CROWD: Final = 50
"""A journey of so many orders is crowded; people's are not, those of shop counters and robots are."""

CROWDED_ORDER_BURDEN: Final = 10
"""An order of a crowded journey counts for so many."""

# By pairs, so that journeys without an order, which are most, are asked for nothing more.
OF_JOURNEYS: Final = text("""
    SELECT found.order_id, found.journey_id
      FROM json_array_elements_text(CAST(:journey_ids AS json)) AS asked (journey_id),
           LATERAL (SELECT order_id, journey_id FROM orders
                     WHERE orders.journey_id = asked.journey_id ORDER BY ordered_at) AS found
""")

_JOURNEY: Final = """
           LATERAL (SELECT order_id, journey_id FROM orders
                     WHERE orders.order_id BETWEEN asked.order_id AND asked.order_id
                     ORDER BY orders.order_id) AS found
"""

WITH_JOURNEYS: Final = text(f"""
    SELECT found.order_id, found.journey_id
      FROM json_array_elements_text(CAST(:order_ids AS json)) AS asked (order_id), {_JOURNEY}
""")  # noqa: S608 - a constant

# In the order of time, in which what is written lies close together too.
OF_WINDOW: Final = text(f"""
    SELECT found.order_id, found.journey_id
      FROM (SELECT order_id
              FROM ledger_entries
             WHERE effective_at >= :window_start
               AND effective_at < :window_end
               AND effect_cents <> 0
             GROUP BY order_id
             ORDER BY min(effective_at), order_id COLLATE "C") AS asked, {_JOURNEY}
""")  # noqa: S608 - a constant

CHANGED_SINCE: Final = text(f"""
    SELECT found.order_id, found.journey_id
      FROM (SELECT order_id
              FROM (SELECT order_id, days
                      FROM order_digests
                     WHERE revision > :after AND revision < :before
                     ORDER BY revision) AS changed
             WHERE days && ARRAY(
                       SELECT CAST(day AS date)
                         FROM generate_series(CAST(:first_day AS timestamp),
                                              CAST(:last_day AS timestamp), '1 day') AS day)) AS asked,
{_JOURNEY}
""")  # noqa: S608 - a constant


class OrderKey(NamedTuple):
    """An order and the journey that led to it."""

    order_id: str
    journey_id: str


@dataclass(frozen=True)
class Portion:
    """Orders that one statement takes at a time."""

    order_ids: list[str]
    journey_ids: list[str]

    @classmethod
    def of(cls, orders: Iterable[OrderKey]) -> "Portion":
        """Return orders and, each once, their journeys."""
        known = list(orders)
        return cls([order.order_id for order in known], sorted({order.journey_id for order in known}))

    @cached_property
    def scope(self) -> dict[str, str]:
        """What `attribution_scope` asks for, once for all statements."""
        return {"order_ids": json.dumps(self.order_ids), "journey_ids": json.dumps(self.journey_ids)}


def of_journeys(session: Session, journey_ids: Sequence[str]) -> Iterator[list[OrderKey]]:
    """Yield all orders of some journeys, in chunks."""
    found = session.execute(OF_JOURNEYS, {"journey_ids": json.dumps(journey_ids)})
    yield from chunks((OrderKey(*row) for row in found), SCOPE_MAX)


def with_journeys(session: Session, order_ids: Sequence[str]) -> list[OrderKey]:
    """Return at most SCOPE_MAX orders with their journeys; what is no order is left out."""
    found = session.execute(WITH_JOURNEYS, {"order_ids": json.dumps(order_ids)})
    return [OrderKey(*row) for row in found]


def of_window(session: Session, window: Window) -> Generator[list[OrderKey]]:
    """Yield the orders that have an entry in the window, in chunks; to be closed by who does not want all."""
    return _streamed(session, OF_WINDOW, {"window_start": window.start, "window_end": window.end})


def changed_since(session: Session, window: Window, *, after: int, before: int) -> Generator[list[OrderKey]]:
    """Yield, likewise, those with an entry on one of the window's days whose digests changed meanwhile.

    `after` and `before` are runs by the numbers of `attribution_digests`.
    """
    asked = {
        "after": after,
        "before": before,
        "first_day": window.start.astimezone(UTC).date(),
        "last_day": (window.end - timedelta(microseconds=1)).astimezone(UTC).date(),
    }
    return _streamed(session, CHANGED_SINCE, asked)


def _streamed(
    session: Session, statement: TextClause, asked: Mapping[str, object]
) -> Generator[list[OrderKey]]:
    """Read through a cursor: a year's orders need not fit in memory."""
    options = {"stream_results": True, "yield_per": SCOPE_MAX}
    with session.execute(statement, asked, execution_options=options) as found:
        for rows in found.partitions(SCOPE_MAX):
            yield [OrderKey(*row) for row in rows]


def portions(orders: Sequence[OrderKey], orders_max: int | None = None) -> Iterator[Portion]:
    """Cut orders into what a statement may take, or less: at most so many orders.

    Of a crowded journey each order may bring hundreds of touches.
    """
    burden_max = min(SCOPE_MAX, orders_max or SCOPE_MAX)
    in_journey = Counter(order.journey_id for order in orders)
    portion: list[OrderKey] = []
    burden = 0
    for order in orders:
        own = CROWDED_ORDER_BURDEN if in_journey[order.journey_id] >= CROWD else 1
        if portion and burden + own > burden_max:
            yield Portion.of(portion)
            portion, burden = [], 0
        portion.append(order)
        burden += own
    if portion:
        yield Portion.of(portion)


def chunks(values: Iterable[Value], size: int) -> Iterator[list[Value]]:
    """Cut values into lists of at most `size`."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk
