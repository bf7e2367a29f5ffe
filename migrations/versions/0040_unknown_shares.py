"""How large a part of each tenant's touches no rule can tell apart, as an hourly task measured it.

Operators are told how many tenants are on which level, and never which.
"""

from alembic import op

from migrations.ddl import TENANT_COLUMN, drop_lookup, grant, isolate, lookup, visible_to_lookups

revision = "0040"
down_revision = "0039"

TABLE = f"""
    CREATE TABLE unknown_shares (
        {TENANT_COLUMN},
        touch_count   bigint NOT NULL,
        unknown_count bigint NOT NULL,
        level         text NOT NULL CHECK (level IN ('ok', 'warning', 'error')),
        measured_at   timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id)
    )
"""
# A tenant that is measured no more, as it was suspended say, is no longer on any level.
LEVELS = """
    SELECT level, count(*) FROM public.unknown_shares
     WHERE measured_at > now() - interval '1 day'
     GROUP BY level
"""


def upgrade() -> None:
    op.execute(TABLE)
    isolate("unknown_shares")
    grant("unknown_shares", u="S", w="SIU", r="S")
    visible_to_lookups("unknown_shares")
    lookup("unknown_share_levels()", "TABLE (level text, tenant_count bigint)", LEVELS, to="app_rw")


def downgrade() -> None:
    drop_lookup("unknown_share_levels()")
    op.execute("DROP TABLE unknown_shares")
