"""Days of performance: what campaigns, channels and currencies were credited with, kept by jobs."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, grant, isolate

revision = "0028"
down_revision = "0027"

# Room on each page for a cell's next version, as channel_days has.
CELLS = "(fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05)"

TABLES = {
    "performance_days": f"""
        {TENANT_COLUMN},
        model_version        text NOT NULL,
        day                  date NOT NULL,
        currency             char(3) NOT NULL,
        level                smallint NOT NULL CHECK (level BETWEEN 0 AND 2),
        channel_code         text NOT NULL,
        campaign_id          text NOT NULL,
        cash_cents           bigint NOT NULL,
        accrual_cents        bigint NOT NULL,
        conversion_count     bigint NOT NULL,
        new_conversion_count bigint NOT NULL,
        conversions_ppm      bigint NOT NULL,
        new_conversions_ppm  bigint NOT NULL,
        PRIMARY KEY (tenant_id, model_version, day, currency, level, channel_code, campaign_id)
    """,
    "performance_versions": f"""
        {TENANT_COLUMN},
        model_version text NOT NULL,
        PRIMARY KEY (tenant_id, model_version)
    """,
    "repeat_orders": f"""
        {TENANT_COLUMN},
        order_id text NOT NULL,
        PRIMARY KEY (tenant_id, order_id)
    """,
}


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
        isolate(table)
        grant(table, u="S", w="SIUD", r="S")
    op.execute(f"ALTER TABLE performance_days SET {CELLS}")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
