"""When each entry of the schedule was last sent, for whichever beat leads."""

from alembic import op

revision = "0034"
down_revision = "0033"

TABLE = """
    CREATE TABLE skeldir_broker.schedule_entries (
        entry       text NOT NULL PRIMARY KEY,
        last_run_at timestamptz NOT NULL
    )
"""
# An entry that nobody knew is not due at once: its first period begins.
LAST_RUNS = """
CREATE FUNCTION skeldir_broker.last_runs(p_entries text[])
RETURNS TABLE (entry text, last_run_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO skeldir_broker.schedule_entries AS known (entry, last_run_at)
  SELECT DISTINCT unnest(p_entries), clock_timestamp()
  ON CONFLICT (entry) DO UPDATE SET last_run_at = known.last_run_at
  RETURNING known.entry, known.last_run_at;
$$
"""
RECORD_RUN = """
CREATE FUNCTION skeldir_broker.record_run(p_entry text, p_before timestamptz, p_at timestamptz)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH recorded AS (
      UPDATE skeldir_broker.schedule_entries SET last_run_at = p_at
       WHERE entry = p_entry AND last_run_at = p_before
      RETURNING 1
  )
  SELECT EXISTS (SELECT FROM recorded);
$$
"""
FUNCTIONS = {
    "skeldir_broker.last_runs(text[])": LAST_RUNS,
    "skeldir_broker.record_run(text, timestamptz, timestamptz)": RECORD_RUN,
}


def upgrade() -> None:
    op.execute(TABLE)
    for name, definition in FUNCTIONS.items():
        op.execute(definition)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO app_worker")


def downgrade() -> None:
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
    op.execute("DROP TABLE skeldir_broker.schedule_entries")
