"""Keeps, for one model version per tenant, the days that performance reports are read from.

While a version is listed in `performance_versions`, in every snapshot `performance_days` is what its
allocations make of `performance_sql.KEPT_CELLS`. A job that replaces allocations of some orders counts
their cells before and after, and books the difference in its own transaction. Other versions cost jobs
nothing, and their reports add up the rows.

All but the reading belong into a transaction in which the caller has the tenant's turn, its snapshot
younger than that, and which `attribution.begin` was called on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from operator import add, sub
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from skeldir.domain.windows import BEGINNING, END
from skeldir.repository.performance_sql import KEPT_CELLS, MEASURES, RANK, SIBLINGS

ORDERS_MAX: Final = 5_000

Key = tuple[date, str, int, str, str]
"""Day, currency, level, channel and campaign."""
Cells = dict[Key, tuple[int, ...]]

_NOTHING: Final = (0,) * len(MEASURES)

_ARE_KEPT: Final = text("SELECT EXISTS (SELECT FROM performance_versions)")
_IS_LISTED: Final = text("""
    SELECT EXISTS (SELECT FROM performance_versions WHERE model_version = :model_version)
""")
_UNLIST: Final = text("""
    DELETE FROM performance_versions WHERE model_version <> ALL(CAST(:model_versions AS text[]))
""")
_LIST: Final = text("""
    INSERT INTO performance_versions (model_version) VALUES (:model_version) ON CONFLICT DO NOTHING
""")
_FORGET_OTHERS: Final = tuple(
    text(f"DELETE FROM {table} WHERE model_version <> :model_version")  # noqa: S608 - one of two names
    for table in ("performance_versions", "performance_days")
)

_RANK: Final = text(RANK)
_SHARED: Final = "SELECT journey_id FROM orders GROUP BY journey_id HAVING count(*) > 1"
_JOURNEYS: Final = text(_SHARED)
_ORDERS: Final = text("SELECT DISTINCT order_id FROM ledger_entries WHERE effect_cents <> 0")
_FORGET_ALONE: Final = text(f"""
    DELETE FROM repeat_orders
     WHERE order_id NOT IN (SELECT order_id FROM orders WHERE journey_id IN ({_SHARED}))
""")  # noqa: S608 - a constant

_CELLS: Final = text(f"WITH {KEPT_CELLS} SELECT * FROM cell")  # noqa: S608 - a constant
_STORED: Final = text(f"""
    SELECT day, currency, level, channel_code, campaign_id, {", ".join(MEASURES)}
      FROM performance_days
     WHERE model_version = :model_version
""")  # noqa: S608 - constants

_ADD: Final = text(f"""
    INSERT INTO performance_days AS row (model_version, day, currency, level, channel_code, campaign_id,
                                         {", ".join(MEASURES)})
    SELECT :model_version, *
      FROM unnest(CAST(:days AS date[]), CAST(:currencies AS text[]), CAST(:levels AS smallint[]),
                  CAST(:channel_codes AS text[]), CAST(:campaign_ids AS text[]),
                  {", ".join(f"CAST(:{measure} AS bigint[])" for measure in MEASURES)})
        ON CONFLICT (tenant_id, model_version, day, currency, level, channel_code, campaign_id) DO UPDATE
       SET {", ".join(f"{measure} = row.{measure} + excluded.{measure}" for measure in MEASURES)}
""")  # noqa: S608 - constants


def is_listed(session: Session, model_version: str) -> bool:
    """Tell whether a model version's days are kept."""
    return bool(session.execute(_IS_LISTED, {"model_version": model_version}).scalar_one())


def keep_only(session: Session, model_versions: Sequence[str]) -> None:
    """Say that from now on only these versions follow what is marked; for every job that takes marks."""
    session.execute(_UNLIST, {"model_versions": model_versions})


def rank(session: Session, journey_ids: Sequence[str]) -> list[str]:
    """Settle which orders of some journeys are repeat ones; return those of which that was kept otherwise.

    Their cells before are to be counted as it was kept: hand them to `followed`.
    """
    if not session.execute(_ARE_KEPT).scalar_one():
        return []
    return _rank(session, journey_ids)


def _rank(session: Session, journey_ids: Sequence[str]) -> list[str]:
    siblings = session.execute(SIBLINGS, {"journey_ids": journey_ids}).scalars().all()
    return list(session.execute(_RANK, {"sibling_ids": siblings}).scalars())


@contextmanager
def followed(
    session: Session, model_version: str, order_ids: Sequence[str], flipped: Sequence[str] = ()
) -> Iterator[None]:
    """Book what the body changes of some orders' allocations under a version that is listed."""
    before = _cells(session, model_version, order_ids, flipped)
    yield
    _book(session, model_version, before, _cells(session, model_version, order_ids))


def refresh(session: Session, model_version: str) -> int:
    """Keep this version's days and no other's; return how many cells were not what the rows make them."""
    for statement in _FORGET_OTHERS:
        session.execute(statement, {"model_version": model_version})
    session.execute(_FORGET_ALONE)
    for journeys in _some_at_a_time(session, _JOURNEYS):
        _rank(session, journeys)
    wanted: Cells = {}
    for orders in _some_at_a_time(session, _ORDERS):
        for key, sums in _cells(session, model_version, orders).items():
            wanted[key] = tuple(map(add, wanted.get(key, _NOTHING), sums))
    rows = session.execute(_STORED, {"model_version": model_version})
    stored: Cells = {tuple(row[:5]): tuple(row[5:]) for row in rows}
    session.execute(_LIST, {"model_version": model_version})
    return _book(session, model_version, stored, wanted)


def _cells(
    session: Session, model_version: str, order_ids: Sequence[str], flipped: Sequence[str] = ()
) -> Cells:
    rows = session.execute(
        _CELLS,
        {
            "model_version": model_version,
            "order_ids": order_ids,
            "flipped": list(flipped),
            "start": BEGINNING,
            "end": END,
        },
    )
    return {tuple(row[:5]): tuple(row[5:]) for row in rows}


def _book(session: Session, model_version: str, before: Cells, after: Cells) -> int:
    """Add the difference of two counts to what is stored; return in how many cells they differ."""
    differences = {
        key: tuple(map(sub, after.get(key, _NOTHING), before.get(key, _NOTHING)))
        for key in before.keys() | after.keys()
    }
    changed = {key: sums for key, sums in differences.items() if any(sums)}
    if changed:
        keys = sorted(changed)
        columns = zip(*keys, strict=True)
        names = ("days", "currencies", "levels", "channel_codes", "campaign_ids")
        told = {name: list(column) for name, column in zip(names, columns, strict=True)}
        sums = zip(*(changed[key] for key in keys), strict=True)
        told |= {name: list(column) for name, column in zip(MEASURES, sums, strict=True)}
        session.execute(_ADD, {"model_version": model_version, **told})
    return len(changed)


def _some_at_a_time(session: Session, statement: TextClause) -> Iterator[Sequence[str]]:
    """Yield the ids that a statement finds: those of a whole tenant need not fit in memory."""
    options = {"stream_results": True, "yield_per": ORDERS_MAX}
    with session.execute(statement, execution_options=options) as found:
        yield from found.scalars().partitions(ORDERS_MAX)
