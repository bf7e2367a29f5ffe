"""Summaries of allocations per day and channel, and what they leave out, kept in the transactions of jobs."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, grant, isolate

revision = "0020"
down_revision = "0019"

# Room on each page for a cell's next version: no column that changes is indexed, so none needs an index's.
CELLS = "(fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05)"

TABLES = {
    "channel_days": f"""
        {TENANT_COLUMN},
        model_version          text NOT NULL,
        day                    date NOT NULL,
        currency               char(3) NOT NULL,
        channel_code           text NOT NULL,
        cash_cents             bigint NOT NULL,
        cash_reversed_cents    bigint NOT NULL,
        accrual_cents          bigint NOT NULL,
        accrual_reversed_cents bigint NOT NULL,
        order_count            bigint NOT NULL,
        PRIMARY KEY (tenant_id, model_version, day, currency, channel_code)
    """,
    "waiting_entries": f"""
        {TENANT_COLUMN},
        model_version text NOT NULL,
        entry_id      uuid NOT NULL,
        order_id      text NOT NULL,
        currency      char(3) NOT NULL,
        effective_at  timestamptz NOT NULL,
        accrued_at    timestamptz NOT NULL,
        effect_cents  bigint NOT NULL,
        PRIMARY KEY (tenant_id, model_version, entry_id)
    """,
    "summarised_versions": f"""
        {TENANT_COLUMN},
        model_version text NOT NULL,
        checked_at    timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id, model_version)
    """,
}


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
        isolate(table)
        grant(table, u="S", w="SIUD", r="S")
    op.execute(f"ALTER TABLE channel_days SET {CELLS}")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
