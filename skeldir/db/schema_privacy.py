"""The tables of privacy: what was asked for, and which orders are erased."""

from sqlalchemy import ARRAY, Index, Text, Uuid
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
tenant_table("erased_orders", key("order_key", Text), column("erased_at", INSTANT, default="now()"))
