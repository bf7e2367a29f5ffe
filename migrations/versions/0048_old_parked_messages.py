"""Parked messages that nobody dealt with go by age: a tenant's by its retention, the others by themselves."""

from importlib import import_module

from alembic import op

revision = "0048"
down_revision = "0047"

RETENTION = import_module("migrations.versions.0036_retention")

# Whose a message is, it says twice, as for those who look at it. What is too young is not even read.
PRUNE = """
  DELETE FROM skeldir_broker.parked_messages
   WHERE message_id = ANY(ARRAY(
     SELECT message_id FROM skeldir_broker.parked_tasks
      WHERE parked_at < p_before
        AND tenant_id = current_setting('app.current_tenant_id', true)
        AND arguments ->> 'tenant_id' = tenant_id
      ORDER BY message_id LIMIT p_rows_max))
  RETURNING message_id;
"""
PRUNE_OWNERLESS = """
DECLARE
  v_count bigint;
BEGIN
  IF p_days < 7 OR p_rows_max NOT BETWEEN 1 AND 10000 THEN
    RAISE EXCEPTION 'retention keeps a week at least and takes 10000 rows at most'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  DELETE FROM skeldir_broker.parked_messages
   WHERE message_id = ANY(ARRAY(
     SELECT message_id FROM skeldir_broker.parked_tasks
      WHERE parked_at < now() - make_interval(days => p_days)
        AND (arguments ->> 'tenant_id' = tenant_id) IS NOT TRUE
      ORDER BY message_id LIMIT p_rows_max));
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END
"""
# signature, result, language, body, to whom
FUNCTIONS = (
    ("prune_parked(p_before timestamptz, p_rows_max integer)", "SETOF bigint", "sql", PRUNE,
     "skeldir_pruner"),
    ("prune_ownerless_parked(p_days integer, p_rows_max integer)", "bigint", "plpgsql", PRUNE_OWNERLESS,
     "app_worker"),
)  # fmt: skip
POLICY = """
  WHEN 'parked_messages' THEN
    PERFORM FROM skeldir_broker.prune_parked(v_before, p_rows_max);
  ELSE"""


def upgrade() -> None:
    op.execute("GRANT USAGE ON SCHEMA skeldir_broker TO skeldir_pruner")
    for signature, result, language, body, role in FUNCTIONS:
        name = f"skeldir_broker.{signature}"
        op.execute(
            f"CREATE FUNCTION {name} RETURNS {result} LANGUAGE {language} SECURITY DEFINER"
            f" SET search_path = pg_catalog, pg_temp AS $$ {body} $$"
        )
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {role}")
    _replace_enforce(POLICY)


def downgrade() -> None:
    _replace_enforce("\n  ELSE")
    for signature, *_ in FUNCTIONS:
        op.execute(f"DROP FUNCTION skeldir_broker.{signature.partition('(')[0]}")
    op.execute("REVOKE USAGE ON SCHEMA skeldir_broker FROM skeldir_pruner")


def _replace_enforce(last: str) -> None:
    """Have the function know one policy more, or not."""
    former = RETENTION.ENFORCE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    op.execute("SET LOCAL ROLE skeldir_pruner")
    op.execute(former.replace("\n  ELSE", last))
    op.execute("SET LOCAL ROLE skeldir_owner")
