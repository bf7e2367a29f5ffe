"""The tables of privacy: what was asked for, what is erased, what went by age, what the scan found."""

from sqlalchemy import ARRAY, BigInteger, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from skeldir.db.columns import INSTANT, column, key, optional, tenant_table

tenant_table(
    "privacy_requests",
    key("request_id"),
    column("event_id", Uuid),
    column("kind", Text),
    column("vendor", Text),
    optional("vendor_request_id", Text),
    column("order_ids", ARRAY(Text)),
    column("state", Text, default="'pending'"),
    column("requested_at", INSTANT),
    optional("completed_at", INSTANT),
    optional("row_counts", JSONB),
    Index("privacy_requests_requested_idx", "tenant_id", "requested_at", "request_id"),
)
tenant_table(
    "retention_runs",
    key("run_id"),
    column("policy", Text),
    column("table_name", Text),
    column("action", Text),
    column("older_than", INSTANT),
    column("row_count", BigInteger),
    column("ran_at", INSTANT, default="now()"),
    Index("retention_runs_ran_idx", "tenant_id", text("ran_at DESC"), "run_id"),
)
tenant_table("erased_orders", key("order_key", Text), column("erased_at", INSTANT, default="now()"))
tenant_table(
    "pii_findings",
    key("table_name", Text),
    key("row_key", Text),
    key("path", Text),
    column("column_name", Text),
    column("kind", Text),
    column("found_at", INSTANT, default="now()"),
    Index("pii_findings_found_idx", "tenant_id", "found_at", "table_name", "row_key", "path"),
)
tenant_table(
    "pii_scans",
    column("table_name", Text),
    optional("after_key", ARRAY(Text)),
    column("started_at", INSTANT, default="now()"),
    optional("completed_at", INSTANT),
    column("row_count", BigInteger, default="0"),
)
