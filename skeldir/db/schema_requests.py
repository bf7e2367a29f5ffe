"""The tables that serve requests as such, beside those of `schema.py`, which imports these."""

from sqlalchemy import Integer, Text

from skeldir.db.columns import INSTANT, column, key, tenant_table

tenant_table(
    "rate_limits",
    key("bucket", Text),
    column("leased", Integer),
    column("leased_at", INSTANT),
    column("full_at", INSTANT),
)
