"""The tables that reports are read from, beside those of `schema.py`, which imports these."""

from sqlalchemy import CHAR, BigInteger, Date, Text

from skeldir.db.columns import INSTANT, column, key, tenant_table

tenant_table(
    "channel_days",
    key("model_version", Text),
    key("day", Date),
    key("currency", CHAR(3)),
    key("channel_code", Text),
    column("cash_cents", BigInteger),
    column("cash_reversed_cents", BigInteger),
    column("accrual_cents", BigInteger),
    column("accrual_reversed_cents", BigInteger),
    column("order_count", BigInteger),
)
tenant_table(
    "waiting_entries",
    key("model_version", Text),
    key("entry_id"),
    column("order_id", Text),
    column("currency", CHAR(3)),
    column("effective_at", INSTANT),
    column("accrued_at", INSTANT),
    column("effect_cents", BigInteger),
)
tenant_table(
    "summarised_versions", key("model_version", Text), column("checked_at", INSTANT, default="now()")
)
