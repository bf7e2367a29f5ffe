"""The tables of the models: a tenant's choices, what was fitted, and how far a version has come."""

from sqlalchemy import ARRAY, BigInteger, Boolean, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from skeldir.db.columns import INSTANT, column, key, optional, tenant_table

tenant_table(
    "attribution_settings",
    key("settings_version", Integer, autoincrement=False),
    column("default_model", Text),
    column("lookback_days", Integer),
    column("half_life_days", Integer),
    column("position_weights", ARRAY(Integer)),
    column("markov_order", Integer),
    column("custom_weights", JSONB, default="'{}'"),
    column("set_at", INSTANT, default="now()"),
    optional("set_by", Uuid),
)
tenant_table(
    "model_fits",
    key("model", Text),
    key("fit_version", Integer, autoincrement=False),
    column("weights_digest", Text),
    column("weights", JSONB),
    column("grouped_channels", ARRAY(Text), default="'{}'"),
    column("markov_order", Integer),
    column("lookback_days", Integer),
    column("converted_path_count", BigInteger),
    column("lost_path_count", BigInteger),
    column("fitted_at", INSTANT, default="clock_timestamp()"),
)
tenant_table(
    "attribution_backfills",
    key("model_version", Text),
    column("model", Text),
    column("parameters", JSONB),
    column("is_cleared", Boolean),
    column("after_order_id", Text, default="''"),
    column("started_at", INSTANT, default="clock_timestamp()"),
    optional("completed_at", INSTANT),
)
