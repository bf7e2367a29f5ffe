"""Closing a window's job that has nothing to do: one statement, which compares what it would be made from.

No turn is needed for it. Marks and digests are read from one snapshot, which is younger than the request;
what other jobs do meanwhile comes after this run. Should somebody ask again, or start the job, while the
statement waits for its row, the row is another version, and is left alone.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.models import TAXONOMY_VERSION
from skeldir.repository.dirty_marks import of_window_sql
from skeldir.repository.recompute_inputs import BOUNDS, COLUMNS, INPUTS

_JOB: Final = """
    SELECT job_id, xmin AS version, window_start, window_end
      FROM recompute_jobs
     WHERE job_id = :job_id
       AND status = 'queued'
       AND computed_revision IS NOT NULL
       AND taxonomy_version = :taxonomy_version
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
         WHERE NOT is_marked
         GROUP BY {COLUMNS}
        HAVING count(*) <> 2
         LIMIT 1
    ), closed AS (
        UPDATE recompute_jobs AS job
           SET status = 'succeeded', last_outcome = 'unchanged', finished_at = clock_timestamp(), error = NULL
          FROM bounds
         WHERE job.job_id = bounds.job_id
           AND job.xmin = bounds.version
           AND NOT is_marked
           AND NOT EXISTS (SELECT FROM differing)
        RETURNING job.job_id
    )
    SELECT count(*) FROM closed
""")  # noqa: S608 - constants


def skip(session: Session, job_id: UUID) -> bool:
    """Close a queued job whose inputs are those of its last result; in a transaction of look-ups.

    It takes no effect that a second delivery of the task could have twice. Where it closes nothing it may
    have locked the row all the same: a transaction that was waited for has changed it.
    """
    asked = {"job_id": job_id, "taxonomy_version": TAXONOMY_VERSION}
    return bool(session.execute(SKIP, asked).scalar_one())
