"""The tables of uncertainty: estimates of windows, and the intervals of their channels."""

from sqlalchemy import CHAR, BigInteger, ForeignKeyConstraint, Integer, Text, UniqueConstraint, Uuid

from skeldir.db.columns import INSTANT, column, key, optional, tenant_table

tenant_table(
    "interval_estimates",
    key("estimate_id", Uuid),
    column("model", Text),
    column("model_version", Text),
    column("window_start", INSTANT),
    column("window_end", INSTANT),
    column("requested_at", INSTANT, default="now()"),
    optional("computed_at", INSTANT),
    optional("checked_at", INSTANT),
    optional("fingerprint", Text),
    optional("draws", Integer),
    optional("level_ppm", Integer),
    UniqueConstraint(
        "tenant_id", "model_version", "window_start", "window_end", name="interval_estimates_window_key"
    ),
)
tenant_table(
    "channel_intervals",
    key("estimate_id", Uuid),
    key("currency", CHAR(3)),
    key("channel_code", Text),
    column("revenue_cents", BigInteger),
    column("journey_count", Integer),
    *(optional(name, BigInteger) for name in ("low_cents", "median_cents", "high_cents")),
    *(optional(name, BigInteger) for name in ("low_share_ppm", "high_share_ppm")),
    optional("confidence_ppm", Integer),
    ForeignKeyConstraint(
        ["tenant_id", "estimate_id"],
        ["interval_estimates.tenant_id", "interval_estimates.estimate_id"],
        name="channel_intervals_estimate_fkey",
        ondelete="CASCADE",
    ),
)
