"""The tables of ad spend and performance: figures, imports and their changes, and the days of outcomes."""

from typing import Any

from sqlalchemy import (
    CHAR,
    BigInteger,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Text,
    Uuid,
)

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


def _cells() -> tuple[Column[Any], ...]:
    return (
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


tenant_table("performance_days", *_cells())
tenant_table(
    "counted_days",
    key("model_version", Text),
    key("day", Date),
    column("revision", BigInteger),
    ForeignKeyConstraint(
        ["tenant_id", "model_version"],
        ["summarised_versions.tenant_id", "summarised_versions.model_version"],
        ondelete="CASCADE",
    ),
)
tenant_table(
    "counted_performance",
    *_cells(),
    ForeignKeyConstraint(
        ["tenant_id", "model_version", "day"],
        ["counted_days.tenant_id", "counted_days.model_version", "counted_days.day"],
        ondelete="CASCADE",
    ),
)
tenant_table("performance_versions", key("model_version", Text))
tenant_table("repeat_orders", key("order_id", Text))
