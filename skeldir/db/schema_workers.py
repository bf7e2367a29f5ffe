"""The tables that workers report to; they belong to no tenant. `schema.py` imports these."""

from sqlalchemy import BigInteger, Double, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from skeldir.db.columns import INSTANT, METADATA, column, key

Table(
    "worker_heartbeats",
    METADATA,
    key("worker_id"),
    column("worker_name", Text),
    column("queues", ARRAY(Text)),
    column("process_count", Integer),
    column("seen_at", INSTANT),
)
Table(
    "task_figures",
    METADATA,
    key("task_name", Text),
    key("outcome", Text),
    column("bucket_counts", ARRAY(BigInteger)),
    column("duration_seconds", Double),
)
Table(
    "queue_counts",
    METADATA,
    key("queue", Text),
    column("redelivered_count", BigInteger),
    column("expired_count", BigInteger, default="0"),
)
