"""Dirty marks: which journeys must be attributed anew. Rows are only added, and deleted by the job."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.db.statements import SENT, send_document
from skeldir.domain.ids import uuid7
from skeldir.domain.windows import Window

INSERT: Final = """
    INSERT INTO dirty_marks (mark_id, journey_id, earliest)
    SELECT mark.*
      FROM sent, jsonb_to_recordset(sent.document -> 'marks')
           AS mark (mark_id uuid, journey_id text, earliest timestamptz)
"""

# One scan and one hash join: the job has turned nested loops off (see attribution_planning).
_TAKE: Final = text("""
    WITH ready AS MATERIALIZED (
        SELECT tenant_id, journey_id
          FROM dirty_marks
         GROUP BY tenant_id, journey_id
        HAVING max(marked_at) <= clock_timestamp() - make_interval(secs => :debounce_seconds)
            OR min(marked_at) <= clock_timestamp() - make_interval(secs => :delay_seconds_max)
         ORDER BY min(marked_at), journey_id
         LIMIT :journeys_max
    ), taken AS (
        DELETE FROM dirty_marks AS mark
         USING ready
         WHERE mark.tenant_id = ready.tenant_id
           AND mark.journey_id = ready.journey_id
    )
    SELECT journey_id FROM ready ORDER BY journey_id
""")


def of_window_sql(start: str, end: str) -> str:
    """Return SQL for the marked journeys that a window's result rests on: of the orders with an entry in it.

    Each is judged by itself, so that whoever wants only some need not have all judged.
    """
    return f"""
    SELECT asked.journey_id
      FROM (SELECT DISTINCT journey_id FROM dirty_marks) AS asked,
           LATERAL (SELECT
                      FROM (SELECT tenant_id, order_id FROM orders
                             WHERE orders.journey_id = asked.journey_id ORDER BY ordered_at) AS sale,
                           LATERAL (SELECT effective_at, effect_cents FROM ledger_entries
                                     WHERE ledger_entries.tenant_id = sale.tenant_id
                                       AND ledger_entries.order_id = sale.order_id
                                     ORDER BY kind, reference) AS entry
                     WHERE effect_cents <> 0 AND effective_at >= {start} AND effective_at < {end}
                     LIMIT 1) AS found
    """  # noqa: S608 - names of parameters and columns


_OF_WINDOW: Final = of_window_sql(":window_start", ":window_end")

_TOUCH_WINDOW: Final = text(f"SELECT EXISTS ({_OF_WINDOW} OFFSET :journeys)")

_OF_WINDOW_ALL: Final = text(_OF_WINDOW)

_TAKE_OF_WINDOW: Final = text(f"""
    WITH ready AS MATERIALIZED ({_OF_WINDOW} LIMIT :journeys_max), taken AS (
        DELETE FROM dirty_marks WHERE journey_id IN (SELECT journey_id FROM ready)
    )
    SELECT journey_id FROM ready ORDER BY journey_id
""")  # noqa: S608 - a constant of this file


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a journey rests before it is attributed, and how long it waits at most."""

    debounce_seconds: float
    delay_seconds_max: float


def rows(journeys: Mapping[str, datetime]) -> list[dict[str, object]]:
    """Return marks of journeys, each with the earliest instant at which something changed."""
    return [
        {"mark_id": uuid7(), "journey_id": journey_id, "earliest": journeys[journey_id]}
        for journey_id in sorted(journeys)
    ]


def mark(session: Session, journeys: Mapping[str, datetime]) -> None:
    """Mark journeys dirty, each with the earliest instant at which something changed."""
    if journeys:
        send_document(session, f"WITH {SENT} {INSERT}", {"marks": rows(journeys)})


def take(session: Session, patience: Patience, journeys_max: int) -> list[str]:
    """Delete the marks of the journeys that have rested, longest waiting first, and return those journeys.

    Deleted are only marks that this transaction's snapshot sees: whoever is still writing one keeps it.
    """
    rows = session.execute(
        _TAKE,
        {
            "debounce_seconds": patience.debounce_seconds,
            "delay_seconds_max": patience.delay_seconds_max,
            "journeys_max": journeys_max,
        },
    )
    return [row.journey_id for row in rows]


def touch_window(session: Session, window: Window, *, more_than: int = 0) -> bool:
    """Tell whether a window's result rests on journeys that are marked dirty, however fresh the marks."""
    return bool(session.execute(_TOUCH_WINDOW, _span(window) | {"journeys": more_than}).scalar_one())


def of_window(session: Session, window: Window) -> list[str]:
    """Return the journeys that a window's result rests on and that are marked dirty."""
    return list(session.execute(_OF_WINDOW_ALL, _span(window)).scalars())


def take_of_window(session: Session, window: Window, journeys_max: int) -> list[str]:
    """Delete the marks, however fresh, of some journeys that a window's result rests on; return these."""
    return list(session.execute(_TAKE_OF_WINDOW, _span(window) | {"journeys_max": journeys_max}).scalars())


def _span(window: Window) -> dict[str, object]:
    return {"window_start": window.start, "window_end": window.end}
