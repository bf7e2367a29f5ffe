"""What the result of a window's job was computed from, day by day, as the run found it."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.repository.attribution_digests import Input

_REPLACE: Final = text("""
    WITH gone AS (
        DELETE FROM recompute_inputs
         WHERE job_id = :job_id
           AND starts_at <> ALL(ARRAY(SELECT CAST(input ->> 'starts_at' AS timestamptz)
                                        FROM jsonb_array_elements(CAST(:inputs AS jsonb)) AS input))
    )
    INSERT INTO recompute_inputs AS row
           (job_id, starts_at, ends_at, order_count, entry_count, touch_count, high, low)
    SELECT :job_id, input.*
      FROM jsonb_to_recordset(CAST(:inputs AS jsonb))
           AS input (starts_at timestamptz, ends_at timestamptz, order_count bigint, entry_count bigint,
                     touch_count bigint, high numeric, low numeric)
    ON CONFLICT (tenant_id, job_id, starts_at) DO UPDATE
       SET ends_at = excluded.ends_at, order_count = excluded.order_count,
           entry_count = excluded.entry_count, touch_count = excluded.touch_count,
           high = excluded.high, low = excluded.low
""")

_OF_JOB: Final = text("""
    SELECT starts_at, ends_at, order_count, entry_count, touch_count, high, low
      FROM recompute_inputs
     WHERE job_id = :job_id
     ORDER BY starts_at
""")


def replace(session: Session, job_id: UUID, inputs: Sequence[Input]) -> None:
    """Remember these inputs as those of a job's result, in place of the former ones."""
    rows = [_told(one) for one in inputs]
    session.execute(_REPLACE, {"job_id": job_id, "inputs": orjson.dumps(rows).decode()})


def of_job(session: Session, job_id: UUID) -> list[Input]:
    """Return what a job's result was computed from, the earliest first."""
    rows = session.execute(_OF_JOB, {"job_id": job_id})
    return [Input(*row[:2], *map(int, row[2:])) for row in rows]


def _told(one: Input) -> dict[str, object]:
    """Return an input as JSON can tell it; the sums are larger than its writer takes."""
    return {
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "order_count": one.order_count,
        "entry_count": one.entry_count,
        "touch_count": one.touch_count,
        "high": str(one.high),
        "low": str(one.low),
    }
