"""Since when the schedule has sent nothing, by the database's clock: a beat's own may be wrong."""

from alembic import op

revision = "0054"
down_revision = "0053"

RECORD_RUN = """
CREATE OR REPLACE FUNCTION skeldir_broker.record_run(p_entry text, p_before timestamptz, p_at timestamptz)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH recorded AS (
      UPDATE skeldir_broker.schedule_entries SET last_run_at = p_at{also}
       WHERE entry = p_entry AND last_run_at = p_before
      RETURNING 1
  )
  SELECT EXISTS (SELECT FROM recorded);
$$
"""
ALSO = ", recorded_at = clock_timestamp()"

# Infinite where no beat was ever started.
AGE = """
CREATE FUNCTION skeldir_broker.schedule_age_seconds() RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(extract(epoch FROM clock_timestamp() - max(recorded_at))::double precision, 'Infinity')
    FROM skeldir_broker.schedule_entries;
$$
"""


def upgrade() -> None:
    op.execute("""ALTER TABLE skeldir_broker.schedule_entries
                  ADD recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()""")
    op.execute(RECORD_RUN.format(also=ALSO))
    op.execute(AGE)
    op.execute("REVOKE ALL ON FUNCTION skeldir_broker.schedule_age_seconds() FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION skeldir_broker.schedule_age_seconds() TO app_rw")


def downgrade() -> None:
    op.execute("DROP FUNCTION skeldir_broker.schedule_age_seconds()")
    op.execute(RECORD_RUN.format(also=""))
    op.execute("ALTER TABLE skeldir_broker.schedule_entries DROP recorded_at")
