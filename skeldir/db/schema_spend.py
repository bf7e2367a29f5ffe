"""The tables of ad spend and performance: figures, imports and their changes, and the days of outcomes."""

from sqlalchemy import CHAR, BigInteger, Date, Index, Integer, SmallInteger, Text, Uuid

from skeldir.db.columns import INSTANT, column, key, optional, tenant_table

tenant_table(
    "ad_spend",
    key("day", Date),
    key("channel_code", Text),
    key("campaign_id", Text, default="''"),
    key("currency", CHAR(3)),
    column("cost_cents", BigInteger),
    optional("impressions", BigInteger),
    optional("clicks", BigInteger),
    column("import_id", Uuid),
)
tenant_table(
    "ad_spend_changes",
    key("import_id"),
    key("day", Date),
    key("channel_code", Text),
    key("campaign_id", Text, default="''"),
    key("currency", CHAR(3)),
    column("cost_cents", BigInteger),
    *(optional(name, BigInteger) for name in ("impressions", "clicks")),
    *(optional(f"previous_{name}", BigInteger) for name in ("cost_cents", "impressions", "clicks")),
    optional("previous_import_id", Uuid),
)
tenant_table(
    "ad_spend_imports",
    key("import_id"),
    column("imported_at", INSTANT),
    optional("imported_by", Uuid),
    column("media_type", Text),
    column("row_count", Integer),
    column("added_count", Integer),
    column("replaced_count", Integer),
    column("content_digest", Text),
    Index("ad_spend_imports_at_idx", "tenant_id", "imported_at", "import_id"),
)
tenant_table(
    "performance_days",
    key("model_version", Text),
    key("day", Date),
    key("currency", CHAR(3)),
    key("level", SmallInteger, autoincrement=False),
    key("channel_code", Text),
    key("campaign_id", Text),
    *(column(name, BigInteger) for name in ("cash_cents", "accrual_cents")),
    *(column(name, BigInteger) for name in ("conversion_count", "new_conversion_count")),
    *(column(name, BigInteger) for name in ("conversions_ppm", "new_conversions_ppm")),
)
tenant_table("performance_versions", key("model_version", Text))
tenant_table("repeat_orders", key("order_id", Text))
