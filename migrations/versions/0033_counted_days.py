"""Days of performance that were counted once, under models whose days no job keeps, until they change."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, grant, isolate

revision = "0033"
down_revision = "0032"

TABLES = {
    # `revision` is the day's digest's when it was counted: once a later run has moved that, the day is stale.
    "counted_days": f"""
        {TENANT_COLUMN},
        model_version text NOT NULL,
        day           date NOT NULL,
        revision      bigint NOT NULL,
        PRIMARY KEY (tenant_id, model_version, day),
        FOREIGN KEY (tenant_id, model_version) REFERENCES summarised_versions ON DELETE CASCADE
    """,
    "counted_performance": f"""
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
        PRIMARY KEY (tenant_id, model_version, day, currency, level, channel_code, campaign_id),
        FOREIGN KEY (tenant_id, model_version, day) REFERENCES counted_days ON DELETE CASCADE
    """,
}

# Who is new depends on a journey's other orders, whose coming changes no digest but their own. Looked up by
# key, whatever the planner knows; one past the newest run is what no count can have seen.
TURN_STALE = """
CREATE FUNCTION public.turn_days_stale() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM turned) THEN
    UPDATE public.day_digests
       SET revision = (SELECT max(revision) FROM public.day_digests) + 1
     WHERE day = ANY (ARRAY(
         SELECT DISTINCT unnest(found.days)
           FROM turned,
                LATERAL (SELECT days FROM public.order_digests
                          WHERE order_digests.order_id = turned.order_id OFFSET 0) AS found));
  END IF;
  RETURN NULL;
END $$
"""
TURNS = (("insert", "NEW"), ("delete", "OLD"))


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
        isolate(table)
        grant(table, u="S", w="SID", r="S")
    op.execute(TURN_STALE)
    for event, rows in TURNS:
        op.execute(
            f"CREATE TRIGGER days_of_{event} AFTER {event.upper()} ON repeat_orders "
            f"REFERENCING {rows} TABLE AS turned "
            "FOR EACH STATEMENT EXECUTE FUNCTION public.turn_days_stale()"
        )


def downgrade() -> None:
    for event, _ in TURNS:
        op.execute(f"DROP TRIGGER days_of_{event} ON repeat_orders")
    op.execute("DROP FUNCTION public.turn_days_stale()")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
