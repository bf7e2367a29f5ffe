"""The tables of the models: what a tenant decided of attribution."""

from sqlalchemy import ARRAY, Integer, Text, Uuid
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
