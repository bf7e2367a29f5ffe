"""Closing a window's job that has nothing to do: one statement, which compares what it would be made from.

No turn is needed for it. Marks and digests are read from one snapshot, which is younger than the request;
what other jobs do meanwhile comes after this run. Should somebody ask again, or start the job, while the
statement waits for its row, the row is another version, and is left alone.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.models import TAXONOMY_VERSION
from skeldir.repository.dirty_marks import of_window_sql
from skeldir.repository.recompute_inputs import BOUNDS, COLUMNS, INPUTS

_JOB: Final = """
    SELECT job_id, xmin AS version, window_start, window_end,
           computed_revision IS NOT NULL AND taxonomy_version = :taxonomy_version AS has_result
      FROM recompute_jobs
     WHERE job_id = :job_id AND status = 'queued'
"""

SKIP: Final = text(f"""
    WITH seen AS MATERIALIZED ({BOUNDS.format(window=_JOB)}), bounds AS MATERIALIZED (
        SELECT seen.*, EXISTS ({of_window_sql("seen.window_start", "seen.window_end")}) AS is_marked FROM seen
    ), differing AS (
        SELECT 1
          FROM bounds,
               LATERAL (SELECT {COLUMNS} FROM ({INPUTS}) AS present
                         UNION ALL
                        SELECT {COLUMNS}
                          FROM recompute_inputs AS kept
                         WHERE kept.job_id = bounds.job_id) AS input
         WHERE has_result AND NOT is_marked
         GROUP BY {COLUMNS}
        HAVING count(*) <> 2
         LIMIT 1
    ), closed AS (
        UPDATE recompute_jobs AS job
           SET status = 'succeeded', last_outcome = 'unchanged', finished_at = clock_timestamp(), error = NULL
          FROM bounds
         WHERE job.job_id = bounds.job_id
           AND job.xmin = bounds.version
           AND has_result
           AND NOT is_marked
           AND NOT EXISTS (SELECT FROM differing)
        RETURNING job.job_id
    )
    SELECT is_marked, EXISTS (SELECT FROM closed) AS is_closed FROM bounds
""")  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Glance:
    """What was seen of a job: whether it is closed, and whether it is known to rest on no marked journey."""

    is_closed: bool
    is_settled: bool


def skip(session: Session, job_id: UUID) -> Glance:
    """Close a queued job whose inputs are those of its last result; in a transaction of look-ups.

    It takes no effect that a second delivery of the task could have twice.
    """
    asked = {"job_id": job_id, "taxonomy_version": TAXONOMY_VERSION}
    seen = session.execute(SKIP, asked).one_or_none()
    return Glance(
        is_closed=seen is not None and seen.is_closed, is_settled=seen is not None and not seen.is_marked
    )
