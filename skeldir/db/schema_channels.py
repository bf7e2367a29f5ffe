"""The tables of channel governance: a tenant's own channels, mapping rules, corrections and walks."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)

from skeldir.db.columns import INSTANT, METADATA, column, key, optional, tenant_table

Table(
    "channel_taxonomy",
    METADATA,
    key("code", Text),
    column("family", Text),
    column("is_paid", Boolean),
    column("display_name", Text),
    column("state", Text, default="'active'"),
)
Table(
    "taxonomy_transitions",
    METADATA,
    key("transition_id"),
    Column("code", Text, ForeignKey("channel_taxonomy.code"), nullable=False),
    *(column(name, Text) for name in ("from_state", "to_state", "actor", "reason")),
    column("transitioned_at", INSTANT, default="now()"),
)
tenant_table(
    "tenant_channels",
    key("code", Text),
    column("family", Text),
    column("is_paid", Boolean),
    column("display_name", Text),
    column("state", Text, default="'draft'"),
    column("created_at", INSTANT, default="now()"),
)
tenant_table(
    "channel_transitions",
    key("transition_id"),
    column("code", Text),
    optional("from_state", Text),
    column("to_state", Text),
    optional("user_id", Uuid),
    column("reason", Text),
    column("transitioned_at", INSTANT, default="clock_timestamp()"),
    ForeignKeyConstraint(
        ["tenant_id", "code"],
        ["tenant_channels.tenant_id", "tenant_channels.code"],
        name="channel_transitions_channel_fkey",
    ),
    Index("channel_transitions_channel_idx", "tenant_id", "code", "transitioned_at"),
)
tenant_table(
    "channel_rule_sets",
    key("version", Integer),
    column("reason", Text),
    optional("user_id", Uuid),
    column("created_at", INSTANT, default="now()"),
)
tenant_table(
    "channel_rules",
    key("version", Integer),
    key("position", Integer),
    column("channel_code", Text),
    *(optional(name, Text) for name in ("source", "medium", "campaign", "referrer_host", "click_id")),
    ForeignKeyConstraint(
        ["tenant_id", "version"],
        ["channel_rule_sets.tenant_id", "channel_rule_sets.version"],
        name="channel_rules_rule_set_fkey",
    ),
)
tenant_table(
    "channel_corrections",
    key("correction_id"),
    column("touchpoint_id", Uuid),
    optional("order_id", Text),
    column("from_channel", Text),
    column("to_channel", Text),
    column("reason", Text),
    optional("user_id", Uuid),
    column("corrected_at", INSTANT, default="clock_timestamp()"),
    Index("channel_corrections_touch_idx", "tenant_id", "touchpoint_id", "corrected_at", "correction_id"),
    Index("channel_corrections_corrected_idx", "tenant_id", "corrected_at", "correction_id"),
)
tenant_table(
    "reclassifications",
    key("taxonomy_version", Integer),
    key("rule_set_version", Integer),
    column("table_name", Text, default="'touchpoints'"),
    optional("after_key", Text),
    column("touch_count", BigInteger, default="0"),
    column("changed_count", BigInteger, default="0"),
    column("started_at", INSTANT, default="now()"),
    optional("completed_at", INSTANT),
)
tenant_table(
    "unknown_shares",
    column("touch_count", BigInteger),
    column("unknown_count", BigInteger),
    column("level", Text),
    column("measured_at", INSTANT, default="now()"),
)
