"""The tables of what results are computed from, as `schema.py` declares the others."""

from sqlalchemy import BigInteger, Date, Index, Integer, Numeric, Text
from sqlalchemy.dialects.postgresql import ARRAY

from skeldir.db.columns import INSTANT, column, key, optional, tenant_table

tenant_table(
    "order_digests",
    key("order_id", Text),
    column("revision", BigInteger),
    column("days", ARRAY(Date)),
    column("entry_count", Integer),
    column("touch_count", Integer),
    column("high", BigInteger),
    column("low", BigInteger),
    Index("order_digests_revision_idx", "tenant_id", "revision"),
)
tenant_table(
    "day_digests",
    key("day", Date),
    column("revision", BigInteger),
    column("order_count", BigInteger),
    column("entry_count", BigInteger),
    column("touch_count", BigInteger),
    column("high", Numeric),
    column("low", Numeric),
)
tenant_table(
    "attribution_audits",
    key("audit_id"),
    column("started_at", INSTANT, default="clock_timestamp()"),
    optional("completed_at", INSTANT),
    column("after_order_id", Text, default="''"),
    *(
        column(f"{what}_count", BigInteger, default="0")
        for what in (
            "order",
            "entry",
            "wrong_sum",
            "left_out",
            "wrong_digest",
            "wrong_day",
            "wrong_summary",
            "wrong_closing",
        )
    ),
    Index("attribution_audits_started_idx", "tenant_id", "started_at"),
)
tenant_table(
    "recompute_requests",
    key("job_id"),
    column("requested_at", INSTANT, default="now()"),
)
tenant_table(
    "recompute_inputs",
    key("job_id"),
    key("starts_at", INSTANT),
    column("ends_at", INSTANT),
    column("order_count", BigInteger),
    column("entry_count", BigInteger),
    column("touch_count", BigInteger),
    column("high", Numeric),
    column("low", Numeric),
)
