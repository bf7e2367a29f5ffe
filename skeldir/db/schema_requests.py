"""The tables that serve requests as such, beside those of `schema.py`, which imports these."""

from sqlalchemy import Index, Integer, LargeBinary, SmallInteger, Text, Uuid, desc
from sqlalchemy.dialects.postgresql import JSONB

from skeldir.db.columns import INSTANT, column, key, optional, tenant_table

tenant_table(
    "rate_limits",
    key("bucket", Text),
    column("leased", Integer),
    column("leased_at", INSTANT),
    column("full_at", INSTANT),
)
tenant_table(
    "idempotency_keys",
    key("key_hash", LargeBinary),
    column("operation", Text),
    column("fingerprint", LargeBinary),
    column("created_at", INSTANT, default="clock_timestamp()"),
    optional("claimed_until", INSTANT),
    optional("status", SmallInteger),
    optional("headers", JSONB),
    optional("body", LargeBinary),
    Index("idempotency_keys_created_idx", "tenant_id", "created_at"),
)
tenant_table(
    "worker_failed_jobs",
    key("failed_job_id"),
    column("task_name", Text),
    column("queue", Text),
    column("arguments", JSONB),
    column("error_type", Text),
    column("error_kind", Text),
    column("error_place", Text),
    column("attempts", Integer),
    optional("correlation_id", Uuid),
    column("status", Text, default="'pending'"),
    column("failed_at", INSTANT, default="now()"),
    optional("settled_at", INSTANT),
    optional("settled_by", Uuid),
    Index("worker_failed_jobs_failed_idx", "tenant_id", desc("failed_at"), "failed_job_id"),
)
