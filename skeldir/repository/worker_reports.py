"""What workers report of themselves, added up; it belongs to no tenant."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from skeldir.domain.task_figures import QueueWorkers, Report, TaskFigures

ALIVE_SECONDS: Final = 20
"""A worker that was not heard of for longer is taken for dead: three of its reports are missing."""

# Rows in the order of their keys, so that no two workers wait for each other.
_ADD: Final = text("""
    WITH beat AS (
        INSERT INTO worker_heartbeats (worker_id, worker_name, queues, process_count, seen_at)
        VALUES (:worker_id, :worker_name, :queues, :process_count, clock_timestamp())
        ON CONFLICT (worker_id) DO UPDATE
           SET queues = excluded.queues, process_count = excluded.process_count, seen_at = excluded.seen_at
    ), gone AS (
        DELETE FROM worker_heartbeats WHERE seen_at < clock_timestamp() - interval '1 hour'
    ), ran AS (
        INSERT INTO task_figures AS known (task_name, outcome, bucket_counts, duration_seconds)
        SELECT task_name, outcome, bucket_counts, duration_seconds
          FROM jsonb_to_recordset(CAST(:tasks AS jsonb)) AS told
               (task_name text, outcome text, bucket_counts bigint[], duration_seconds double precision)
         ORDER BY task_name, outcome
        ON CONFLICT (task_name, outcome) DO UPDATE
           SET duration_seconds = known.duration_seconds + excluded.duration_seconds,
               bucket_counts = ARRAY(
                   SELECT ours + theirs FROM unnest(known.bucket_counts, excluded.bucket_counts)
                       WITH ORDINALITY AS bucket (ours, theirs, place) ORDER BY place)
    )
    INSERT INTO queue_counts AS known (queue, redelivered_count, expired_count)
    SELECT queue, redelivered, expired
      FROM jsonb_to_recordset(CAST(:counts AS jsonb)) AS told (queue text, redelivered bigint, expired bigint)
     ORDER BY queue
    ON CONFLICT (queue) DO UPDATE
       SET redelivered_count = known.redelivered_count + excluded.redelivered_count,
           expired_count = known.expired_count + excluded.expired_count
""")
_LEAVE: Final = text("DELETE FROM worker_heartbeats WHERE worker_id = :worker_id")
_TASKS: Final = text("""
    SELECT task_name, outcome, bucket_counts, duration_seconds FROM task_figures ORDER BY task_name, outcome
""")
_QUEUES: Final = text("""
    SELECT queue, coalesce(beats.alive, 0) AS alive, beats.age,
           coalesce(redelivered_count, 0) AS redelivered, coalesce(expired_count, 0) AS expired
      FROM unnest(CAST(:queues AS text[])) AS queue
      LEFT JOIN (
          SELECT consumed.queue, count(*) FILTER (WHERE age < :alive_seconds) AS alive, min(age) AS age
            FROM worker_heartbeats
           CROSS JOIN unnest(queues) AS consumed (queue)
           CROSS JOIN LATERAL date_part('epoch', clock_timestamp() - seen_at) AS age
           GROUP BY consumed.queue) AS beats USING (queue)
      LEFT JOIN queue_counts USING (queue)
     ORDER BY queue
""")


@dataclass(frozen=True, slots=True)
class Reporter:
    """A worker, as it names itself."""

    worker_id: UUID
    worker_name: str
    queues: tuple[str, ...]
    process_count: int


def add(connection: Connection, reporter: Reporter, report: Report) -> None:
    """Keep a worker's report: in one statement, so all or nothing."""
    values = asdict(reporter) | {
        "queues": list(reporter.queues),
        "tasks": orjson.dumps([asdict(one) for one in report.tasks]).decode(),
        "counts": orjson.dumps(
            [{"queue": queue, **asdict(counts)} for queue, counts in report.queues.items()]
        ).decode(),
    }
    connection.execute(_ADD, values)


def leave(connection: Connection, worker_id: UUID) -> None:
    """Forget a worker that ends by itself."""
    connection.execute(_LEAVE, {"worker_id": worker_id})


def task_figures(session: Session) -> list[TaskFigures]:
    """Return what became of all tasks so far."""
    return [TaskFigures(*row) for row in session.execute(_TASKS)]


def queue_workers(session: Session, queues: Sequence[str]) -> list[QueueWorkers]:
    """Return who works on each of these queues."""
    found = session.execute(_QUEUES, {"queues": list(queues), "alive_seconds": ALIVE_SECONDS})
    return [QueueWorkers(*row) for row in found]
