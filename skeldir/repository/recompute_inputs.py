"""What the result of a window is computed from, day by day, and what its job's last run found there.

Whole days are read from what is kept of them; of a day that the window cuts, the orders with an entry in its
part are added up anew.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.windows import Window

BOUNDS: Final = """
    SELECT given.*,
           least(window_end, first_midnight) AS head_end,
           greatest(last_midnight, least(window_end, first_midnight)) AS tail_start,
           CAST(first_midnight AT TIME ZONE 'UTC' AS date) AS first_day,
           CAST(last_midnight AT TIME ZONE 'UTC' AS date) AS end_day
      FROM (SELECT given.*, date_trunc('day', window_end, 'UTC') AS last_midnight,
                   date_trunc('day', window_start - interval '1 microsecond', 'UTC') + interval '24 hours'
                       AS first_midnight
              FROM ({window}) AS given) AS given
"""
"""Where the whole UTC days of a window begin and end, and its parts of others; to be formatted with it."""

_PART: Final = """
    SELECT {start} AS starts_at, {end} AS ends_at,
           count(*) AS order_count, coalesce(sum(entry_count), 0) AS entry_count,
           coalesce(sum(touch_count), 0) AS touch_count,
           coalesce(sum(high), 0) AS high, coalesce(sum(low), 0) AS low
      FROM (SELECT DISTINCT order_id
              FROM (SELECT order_id
                      FROM ledger_entries
                     WHERE effective_at >= {start} AND effective_at < {end} AND effect_cents <> 0
                     ORDER BY effective_at) AS entry) AS asked,
           LATERAL (SELECT entry_count, touch_count, high, low FROM order_digests
                     WHERE order_digests.order_id BETWEEN asked.order_id AND asked.order_id
                     ORDER BY order_digests.order_id) AS found
    HAVING count(*) > 0
"""

INPUTS: Final = f"""
    SELECT CAST(day AS timestamp) AT TIME ZONE 'UTC' AS starts_at,
           CAST(day + 1 AS timestamp) AT TIME ZONE 'UTC' AS ends_at,
           order_count, entry_count, touch_count, high, low
      FROM day_digests
     WHERE day >= bounds.first_day AND day < bounds.end_day AND order_count <> 0
    UNION ALL {_PART.format(start="bounds.window_start", end="bounds.head_end")}
    UNION ALL {_PART.format(start="bounds.tail_start", end="bounds.window_end")}
"""  # noqa: S608 - constants
"""The inputs of `bounds`, as they are; days without an order are left out."""

COLUMNS: Final = "starts_at, ends_at, order_count, entry_count, touch_count, high, low"

_GIVEN: Final = """
    SELECT CAST(:window_start AS timestamptz) AS window_start, CAST(:window_end AS timestamptz) AS window_end
"""

_INPUT: Final = f"""
    SELECT input.* FROM ({BOUNDS.format(window=_GIVEN)}) AS bounds, LATERAL ({INPUTS}) AS input
"""  # noqa: S608 - constants

OF_WINDOW: Final = text(f"{_INPUT} ORDER BY starts_at")

REMEMBER: Final = text(f"""
    WITH input AS MATERIALIZED ({_INPUT}), gone AS (
        DELETE FROM recompute_inputs
         WHERE job_id = :job_id AND starts_at <> ALL(ARRAY(SELECT starts_at FROM input))
    )
    INSERT INTO recompute_inputs AS row (job_id, {COLUMNS})
    SELECT :job_id, {COLUMNS} FROM input
    ON CONFLICT (tenant_id, job_id, starts_at) DO UPDATE
       SET ends_at = excluded.ends_at, order_count = excluded.order_count,
           entry_count = excluded.entry_count, touch_count = excluded.touch_count,
           high = excluded.high, low = excluded.low
     WHERE (row.ends_at, row.order_count, row.entry_count, row.touch_count, row.high, row.low)
           IS DISTINCT FROM
           (excluded.ends_at, excluded.order_count, excluded.entry_count, excluded.touch_count,
            excluded.high, excluded.low)
""")  # noqa: S608 - constants

_OF_JOB: Final = text(f"""
    SELECT {COLUMNS} FROM recompute_inputs WHERE job_id = :job_id ORDER BY starts_at
""")  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class Input:
    """What a result takes from one UTC day, or from the part of it that a window holds.

    An order with entries on two days is an input of both. `high` and `low` are sums of hashes.
    """

    starts_at: datetime
    ends_at: datetime
    order_count: int
    entry_count: int
    touch_count: int
    high: int
    low: int

    @property
    def digest(self) -> str:
        """Return the two sums as one name, in hexadecimal digits."""
        return "".join(f"{half % 2**64:016x}" for half in (self.high, self.low))

    @property
    def told(self) -> tuple[str, str, int, int, int, str, str]:
        """Return all that a fingerprint needs to know of it."""
        span = (self.starts_at.astimezone(UTC).isoformat(), self.ends_at.astimezone(UTC).isoformat())
        counts = (self.order_count, self.entry_count, self.touch_count)
        return (*span, *counts, str(self.high), str(self.low))


def of_window(session: Session, window: Window) -> list[Input]:
    """Return what a window's result is computed from, the earliest first.

    One statement, so one snapshot; of journeys that are marked dirty it knows what was before.
    """
    return [_input(*row) for row in session.execute(OF_WINDOW, _span(window))]


def remember(session: Session, job_id: UUID, window: Window) -> None:
    """Keep them, as this snapshot has them, as those of a job's result, in place of the former ones."""
    session.execute(REMEMBER, {"job_id": job_id} | _span(window))


def of_job(session: Session, job_id: UUID) -> list[Input]:
    """Return what a job's result was computed from, the earliest first."""
    return [_input(*row) for row in session.execute(_OF_JOB, {"job_id": job_id})]


def fingerprint(inputs: Sequence[Input], *others: object) -> str:
    """Digest inputs, and whatever else decides a result, into one name for it."""
    told = json.dumps((*others, [one.told for one in inputs]))
    return hashlib.sha256(told.encode()).hexdigest()


def _input(starts_at: datetime, ends_at: datetime, *figures: int | Decimal) -> Input:
    return Input(starts_at, ends_at, *map(int, figures))


def _span(window: Window) -> dict[str, object]:
    return {"window_start": window.start, "window_end": window.end}
