"""Digests of what results are computed from, per order and per day, and what a window's job took in."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, analyse_often, grant, isolate

revision = "0024"
down_revision = "0023"

TABLES = {
    # Of an order: its entries and all its journey's touches. `revision` is the run that last saw it change.
    "order_digests": f"""
        {TENANT_COLUMN},
        order_id    text NOT NULL,
        revision    bigint NOT NULL,
        days        date[] NOT NULL,
        entry_count integer NOT NULL,
        touch_count integer NOT NULL,
        high        bigint NOT NULL,
        low         bigint NOT NULL,
        PRIMARY KEY (tenant_id, order_id)
    """,
    # Of a UTC day: the sums over the orders with an entry on it.
    "day_digests": f"""
        {TENANT_COLUMN},
        day         date NOT NULL,
        revision    bigint NOT NULL,
        order_count bigint NOT NULL,
        entry_count bigint NOT NULL,
        touch_count bigint NOT NULL,
        high        numeric NOT NULL,
        low         numeric NOT NULL,
        PRIMARY KEY (tenant_id, day)
    """,
    "recompute_inputs": f"""
        {TENANT_COLUMN},
        job_id      uuid NOT NULL,
        starts_at   timestamptz NOT NULL,
        ends_at     timestamptz NOT NULL,
        order_count bigint NOT NULL,
        entry_count bigint NOT NULL,
        touch_count bigint NOT NULL,
        high        numeric NOT NULL,
        low         numeric NOT NULL,
        PRIMARY KEY (tenant_id, job_id, starts_at),
        CONSTRAINT recompute_inputs_interval_check CHECK (ends_at > starts_at)
    """,
}
# Which revision a job's result is of, which taxonomy, and which run it was that computed it, when.
COMPUTED = (
    "computed_revision bigint",
    "computed_at timestamptz",
    "computed_run_count integer",
    "computed_task_id uuid",
    "taxonomy_version integer",
)


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
        isolate(table)
        grant(table, u="S", w="SIUD", r="S")
    op.execute("CREATE INDEX order_digests_revision_idx ON order_digests (tenant_id, revision)")
    analyse_often("order_digests")
    for column in COMPUTED:
        op.execute(f"ALTER TABLE recompute_jobs ADD COLUMN {column}")
    # What an order's touches are looked up by goes by time too: the latest come first, and the rest unread.
    op.execute("DROP INDEX orders_journey_idx")
    op.execute("CREATE INDEX orders_journey_idx ON orders (tenant_id, journey_id, ordered_at)")


def downgrade() -> None:
    op.execute("DROP INDEX orders_journey_idx")
    op.execute("CREATE INDEX orders_journey_idx ON orders (tenant_id, journey_id)")
    for column in reversed(COMPUTED):
        op.execute(f"ALTER TABLE recompute_jobs DROP COLUMN {column.split()[0]}")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
