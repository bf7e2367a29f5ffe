"""Days of performance that are counted once and hold until they change: of versions whose days no job keeps.

A count remembers the day's revision: the last run that had seen one of its orders change. A later run moves
that on, and so does an order that becomes a repeat one or ceases to be (a trigger of `repeat_orders`). Then
the day is stale: a report counts it from its rows, and a task keeps the count. So a report is exact in its
snapshot, whoever counted and when, and the jobs that attribute do nothing for it. What is kept goes with the
version's summary, by its foreign key.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from operator import add
from typing import Final

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.windows import Window
from skeldir.repository import turns
from skeldir.repository.attribution_planning import looked_up
from skeldir.repository.performance_sql import KEPT_CELLS, MEASURES

ORDERS_MAX: Final = 5_000
"""Orders per statement: bounds the memory of both ends, and the arrays sent."""

# Where no version's days are kept, nobody remembers which orders are repeat ones.
_ARE_KEPT: Final = text("""
    SELECT EXISTS (SELECT FROM summarised_versions WHERE model_version = :model_version)
       AND EXISTS (SELECT FROM performance_versions)
""")

_STALE: Final = text("""
    SELECT digest.day, digest.revision
      FROM day_digests AS digest
      LEFT JOIN counted_days AS counted
        ON counted.tenant_id = digest.tenant_id AND counted.day = digest.day
       AND counted.model_version = :model_version
     WHERE digest.day >= :first_day AND digest.day < :end_day
       AND counted.revision IS DISTINCT FROM digest.revision
     ORDER BY digest.day DESC
""")

_ORDERS: Final = text("""
    SELECT DISTINCT found.order_id COLLATE "C" AS order_id
      FROM unnest(CAST(:days AS date[])) AS asked (day),
           LATERAL (SELECT order_id
                      FROM ledger_entries
                     WHERE effective_at >= CAST(asked.day AS timestamp) AT TIME ZONE 'UTC'
                       AND effective_at < CAST(asked.day + 1 AS timestamp) AT TIME ZONE 'UTC'
                       AND effect_cents <> 0
                     ORDER BY effective_at) AS found
""")

_CELLS: Final = text(f"""
    WITH {KEPT_CELLS} SELECT * FROM cell WHERE day = ANY(CAST(:days AS date[]))
""")  # noqa: S608 - a constant

_FORGET: Final = text("""
    DELETE FROM counted_days WHERE model_version = :model_version AND day = ANY(CAST(:days AS date[]))
""")

_KEEP: Final = text("""
    INSERT INTO counted_days (model_version, day, revision)
    SELECT :model_version, * FROM unnest(CAST(:days AS date[]), CAST(:revisions AS bigint[]))
""")

_KEY: Final = ("day", "currency", "level", "channel_code", "campaign_id")
_KEEP_CELLS: Final = text(f"""
    INSERT INTO counted_performance (model_version, {", ".join((*_KEY, *MEASURES))})
    SELECT :model_version, cell.*
      FROM jsonb_to_recordset(CAST(:cells AS jsonb))
           AS cell (day date, currency text, level smallint, channel_code text, campaign_id text,
                    {", ".join(f"{measure} bigint" for measure in MEASURES)})
""")  # noqa: S608 - constants


def take_turn(session: Session) -> bool:
    """Take the tenant's turn to count until this transaction ends; False when another has it."""
    return turns.take(session, "counts")


def are_kept(session: Session, model_version: str) -> bool:
    """Tell whether a version's counts hold: it follows what is marked, and so do the repeat orders."""
    return bool(session.execute(_ARE_KEPT, {"model_version": model_version}).scalar_one())


def stale(session: Session, model_version: str, first_day: date, end_day: date) -> dict[date, int]:
    """Return the days from the first to before the end that no count holds for, the latest first.

    Each with its revision in this snapshot.
    """
    asked = {"model_version": model_version, "first_day": first_day, "end_day": end_day}
    return {row.day: row.revision for row in session.execute(_STALE, asked)}


def scopes(session: Session, days: Sequence[date]) -> Iterator[dict[str, object]]:
    """Yield what KEPT_CELLS is given to count these days, some orders at a time; other days it cuts short."""
    span = _span(days)
    given = {"days": days, "flipped": [], "start": span.start, "end": span.end}
    options = {"stream_results": True, "yield_per": ORDERS_MAX}
    found = session.execute(_ORDERS, {"days": days}, execution_options=options)
    for rows in found.partitions(ORDERS_MAX):
        yield given | {"order_ids": [row.order_id for row in rows]}


def keep(session: Session, model_version: str, days: Mapping[date, int]) -> None:
    """Count days that are stale in this snapshot, and keep the counts."""
    sums: dict[tuple[object, ...], tuple[int, ...]] = {}
    with looked_up(session):
        for scope in scopes(session, list(days)):
            for row in session.execute(_CELLS, {"model_version": model_version, **scope}):
                key = tuple(row[: len(_KEY)])
                known = sums.get(key, (0,) * len(MEASURES))
                sums[key] = tuple(map(add, known, row[len(_KEY) :]))
    cells = [dict(zip((*_KEY, *MEASURES), key + sums[key], strict=True)) for key in sums if any(sums[key])]
    given = {"model_version": model_version, "days": list(days), "revisions": list(days.values())}
    session.execute(_FORGET, given)
    session.execute(_KEEP, given)
    session.execute(_KEEP_CELLS, {"model_version": model_version, "cells": orjson.dumps(cells).decode()})


def _span(days: Sequence[date]) -> Window:
    first, last = min(days), max(days)
    return Window(
        datetime.combine(first, time(), UTC), datetime.combine(last, time(), UTC) + timedelta(days=1)
    )
