"""Retention: the one way in which webhooks' traces and manifests go, and what is written down of it.

No login may delete from these tables. One function of the role skeldir_pruner does, for the tenant of
the transaction, by a policy that it knows, so many rows at once and nothing that is younger than a week;
in the same transaction it notes what went. The role has no right to events, facts or the ledger.
"""

from alembic import op

from migrations.ddl import TENANT_COLUMN, append_only, grant, isolate

revision = "0036"
down_revision = "0035"

RUNS = f"""
CREATE TABLE retention_runs (
  {TENANT_COLUMN},
  run_id     uuid NOT NULL,
  policy     text NOT NULL,
  table_name text NOT NULL,
  action     text NOT NULL CHECK (action IN ('emptied', 'deleted')),
  older_than timestamptz NOT NULL,
  row_count  bigint NOT NULL CHECK (row_count > 0),
  ran_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, run_id)
)
"""
INDEXES = (
    "CREATE INDEX retention_runs_ran_idx ON retention_runs (tenant_id, ran_at DESC, run_id)",
    # Most deliveries booked something and stay: the others must be found without them.
    """CREATE INDEX deliveries_unbooked_idx ON deliveries (tenant_id, received_at, delivery_id)
           WHERE event_id IS NULL""",
)

DELETES_FROM = ("dead_letters", "dead_letter_attempts", "deliveries", "export_manifests")
REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND TG_TABLE_NAME IN ('events', 'order_hints')
     AND current_user = 'skeldir_eraser' THEN
    RETURN NULL;
  END IF;
  {retention}RAISE EXCEPTION '% on % is refused: its rows are facts', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$
"""
RETENTION = """IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'dead_letter_attempts'
     AND current_user = 'skeldir_pruner' THEN
    RETURN NULL;
  END IF;
  """
KEEP_STATE = """
CREATE OR REPLACE FUNCTION public.keep_dead_letter_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_user {erasers} THEN
    RETURN NEW;  -- its grant is for the payload alone
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.status = 'pending' THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'a dead letter begins as pending' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status = 'resolved' OR (NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
       ('pending', 'in_progress'), ('pending', 'abandoned'),
       ('in_progress', 'resolved'), ('in_progress', 'abandoned'), ('in_progress', 'pending'),
       ('abandoned', 'in_progress'), ('abandoned', 'resolved'))) THEN
    RAISE EXCEPTION 'a dead letter does not go from % to %', OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
# Quarantined letters are good money, kept until their tenant is resumed. An abandoned letter was so when
# that was last tried; the trail of attempts outlives its letter. A delivery stays as long as its letter,
# and as its event: it is what a repeated delivery is known by. Rows are named by where they are (ctid): no
# statistics of a tenant can then be so wrong that a batch goes through all of its rows.
ENFORCE = """
CREATE FUNCTION skeldir_pruner.enforce(p_policy text, p_days integer, p_rows_max integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_before timestamptz := now() - make_interval(days => p_days);
  v_table text := p_policy;
  v_action text := 'deleted';
  v_count bigint;
BEGIN
  IF p_days < 7 OR p_rows_max NOT BETWEEN 1 AND 10000 THEN
    RAISE EXCEPTION 'retention keeps a week at least and takes 10000 rows at most'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  CASE p_policy
  WHEN 'dead_letter_payloads' THEN
    v_table := 'dead_letters';
    v_action := 'emptied';
    UPDATE public.dead_letters SET payload = NULL
     WHERE ctid = ANY(ARRAY(
       SELECT ctid FROM public.dead_letters
        WHERE received_at < v_before AND payload IS NOT NULL
          AND NOT (reason_code = 'tenant_suspended' AND status IN ('pending', 'in_progress'))
        ORDER BY received_at, dead_letter_id LIMIT p_rows_max));
  WHEN 'settled_dead_letters' THEN
    v_table := 'dead_letters';
    DELETE FROM public.dead_letters
     WHERE status IN ('resolved', 'abandoned')
       AND ctid = ANY(ARRAY(
         SELECT ctid FROM public.dead_letters AS letter
          WHERE status IN ('resolved', 'abandoned') AND received_at < v_before
            AND coalesce(resolved_at, (
                  SELECT max(attempted_at) FROM public.dead_letter_attempts AS attempt
                   WHERE attempt.tenant_id = letter.tenant_id
                     AND attempt.dead_letter_id = letter.dead_letter_id), received_at) < v_before
          ORDER BY received_at, dead_letter_id LIMIT p_rows_max));
  WHEN 'dead_letter_attempts' THEN
    DELETE FROM public.dead_letter_attempts
     WHERE ctid = ANY(ARRAY(
       SELECT ctid FROM public.dead_letter_attempts AS attempt
        WHERE attempted_at < v_before
          AND NOT EXISTS (SELECT FROM public.dead_letters AS letter
                           WHERE letter.tenant_id = attempt.tenant_id
                             AND letter.dead_letter_id = attempt.dead_letter_id)
        ORDER BY attempted_at, attempt_id LIMIT p_rows_max));
  WHEN 'deliveries' THEN
    DELETE FROM public.deliveries
     WHERE last_received_at < v_before
       AND ctid = ANY(ARRAY(
         SELECT ctid FROM public.deliveries AS delivery
          WHERE received_at < v_before AND last_received_at < v_before AND event_id IS NULL
            AND NOT EXISTS (SELECT FROM public.dead_letters AS letter
                             WHERE letter.tenant_id = delivery.tenant_id
                               AND letter.dead_letter_id = delivery.dead_letter_id)
          ORDER BY received_at, delivery_id LIMIT p_rows_max));
  WHEN 'export_manifests' THEN
    DELETE FROM public.export_manifests
     WHERE ctid = ANY(ARRAY(
       SELECT ctid FROM public.export_manifests
        WHERE ends_at < v_before ORDER BY snapshot_at, export_id LIMIT p_rows_max));
  ELSE
    RAISE EXCEPTION 'there is no policy %', p_policy USING ERRCODE = 'invalid_parameter_value';
  END CASE;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count > 0 THEN
    INSERT INTO public.retention_runs (run_id, policy, table_name, action, older_than, row_count)
    VALUES (gen_random_uuid(), p_policy, v_table, v_action, v_before, v_count);
  END IF;
  RETURN v_count;
END $$
"""


def upgrade() -> None:
    op.execute(RUNS)
    isolate("retention_runs")
    append_only("retention_runs")
    for index in INDEXES:
        op.execute(index)
    grant("retention_runs", u="S", w="S", r="S")
    op.execute(f"GRANT SELECT, DELETE ON {', '.join(DELETES_FROM)} TO skeldir_pruner")
    op.execute("GRANT UPDATE (payload) ON dead_letters TO skeldir_pruner")
    op.execute("GRANT INSERT ON retention_runs TO skeldir_pruner")
    op.execute(REFUSE_CHANGE.format(retention=RETENTION))
    op.execute(KEEP_STATE.format(erasers="IN ('skeldir_eraser', 'skeldir_pruner')"))
    op.execute("CREATE SCHEMA skeldir_pruner AUTHORIZATION skeldir_pruner")
    op.execute("SET LOCAL ROLE skeldir_pruner")
    op.execute("GRANT USAGE ON SCHEMA skeldir_pruner TO app_worker")
    op.execute(ENFORCE)
    op.execute("REVOKE ALL ON FUNCTION skeldir_pruner.enforce(text, integer, integer) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION skeldir_pruner.enforce(text, integer, integer) TO app_worker")
    op.execute("SET LOCAL ROLE skeldir_owner")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE skeldir_pruner")
    op.execute("DROP FUNCTION skeldir_pruner.enforce(text, integer, integer)")
    op.execute("DROP SCHEMA skeldir_pruner")
    op.execute("SET LOCAL ROLE skeldir_owner")
    op.execute(KEEP_STATE.format(erasers="= 'skeldir_eraser'"))
    op.execute(REFUSE_CHANGE.format(retention=""))
    op.execute("REVOKE UPDATE (payload) ON dead_letters FROM skeldir_pruner")
    op.execute(f"REVOKE SELECT, DELETE ON {', '.join(DELETES_FROM)} FROM skeldir_pruner")
    op.execute("DROP INDEX deliveries_unbooked_idx")
    op.execute("DROP TABLE retention_runs")
