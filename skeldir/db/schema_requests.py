"""The tables that serve requests as such, beside those of `schema.py`, which imports these."""

from sqlalchemy import Index, Integer, LargeBinary, SmallInteger, Text
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
