"""Looking at parked messages and settling them: a tenant's administrators their own, operators all.

A message tells twice whose it is: in the header that its lane was made of, and in the task's arguments.
Both must say the transaction's tenant. A system task's message says neither.
"""

from alembic import op

revision = "0038"
down_revision = "0037"

# What nobody can read is still there to be thrown away.
AS_JSON = """
BEGIN
  RETURN CAST(p_text AS jsonb);
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END
"""
VIEW = """
    CREATE VIEW skeldir_broker.parked_tasks AS
    SELECT message_id, lane, queue, coalesce(told -> 'headers' ->> 'task', '') AS task_name,
           told -> 'headers' ->> 'skeldir_lane' AS tenant_id,
           CASE jsonb_typeof(arguments -> 1) WHEN 'object' THEN arguments -> 1 ELSE '{}' END AS arguments,
           told -> 'headers' ->> 'skeldir_correlation_id' AS correlation_id, attempts, sent_at, parked_at
      FROM skeldir_broker.parked_messages
     CROSS JOIN LATERAL skeldir_broker.as_json(body) AS told
     CROSS JOIN LATERAL skeldir_broker.as_json(told ->> 'body') AS arguments
"""
COLUMNS = (
    """message_id, queue, task_name, tenant_id, arguments, correlation_id, attempts, sent_at, parked_at"""
)
ROWS = """TABLE (message_id bigint, queue text, task_name text, tenant_id text, arguments jsonb,
                 correlation_id text, attempts smallint, sent_at timestamptz, parked_at timestamptz)"""
OWN = f"""
  SELECT {COLUMNS} FROM skeldir_broker.parked_tasks
   WHERE lane = p_lane
     AND tenant_id = current_setting('app.current_tenant_id', true)
     AND arguments ->> 'tenant_id' = tenant_id
     AND (p_message_id IS NULL OR message_id = p_message_id)
     AND (p_before IS NULL OR message_id < p_before)
   ORDER BY message_id DESC LIMIT p_limit;
"""
ALL = f"""
  SELECT {COLUMNS} FROM skeldir_broker.parked_tasks
   WHERE p_message_id IS NULL OR message_id = p_message_id
   ORDER BY message_id DESC LIMIT p_limit;
"""

# Returns NULL for a message that is not there, false where its queue is no more. Its former expiry would
# have the worker throw it away unread.
SETTLE = """
DECLARE
  v_queue text;
BEGIN
  SELECT queue INTO v_queue FROM skeldir_broker.parked_messages WHERE message_id = p_message_id FOR UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  ELSIF p_is_wanted AND NOT EXISTS (SELECT FROM skeldir_broker.queues WHERE queue = v_queue) THEN
    RETURN false;
  END IF;
  IF p_is_wanted THEN
    INSERT INTO skeldir_broker.messages (queue, priority, lane, body)
    SELECT queue, priority, lane,
           coalesce(CAST(jsonb_set(skeldir_broker.as_json(body), '{headers,expires}', 'null') AS text), body)
      FROM skeldir_broker.parked_messages WHERE message_id = p_message_id;
  END IF;
  DELETE FROM skeldir_broker.parked_messages WHERE message_id = p_message_id;
  IF p_is_wanted THEN
    PERFORM skeldir_broker.wake(ARRAY[v_queue]);
  END IF;
  RETURN true;
END
"""
SETTLE_OWN = """
  SELECT skeldir_broker.settle_any_parked(message_id, p_is_wanted)
    FROM skeldir_broker.parked_tasks(p_lane, 1, NULL, p_message_id);
"""
# signature, result, language, body, to whom
FUNCTIONS = (
    ("as_json(p_text text)", "jsonb", "plpgsql", AS_JSON, None),
    ("parked_tasks(p_lane integer, p_limit integer, p_before bigint, p_message_id bigint)", ROWS, "sql", OWN,
     "app_rw"),
    ("all_parked_tasks(p_limit integer, p_message_id bigint)", ROWS, "sql", ALL, "app_admin"),
    ("settle_any_parked(p_message_id bigint, p_is_wanted boolean)", "boolean", "plpgsql", SETTLE,
     "app_admin"),
    ("settle_parked(p_lane integer, p_message_id bigint, p_is_wanted boolean)", "boolean", "sql", SETTLE_OWN,
     "app_rw"),
)  # fmt: skip


def upgrade() -> None:
    op.execute("CREATE INDEX parked_messages_lane_idx ON skeldir_broker.parked_messages (lane, message_id)")
    op.execute("GRANT USAGE ON SCHEMA skeldir_broker TO app_admin")
    for signature, result, language, body, role in FUNCTIONS:
        name = f"skeldir_broker.{signature}"
        op.execute(
            f"CREATE FUNCTION {name} RETURNS {result} LANGUAGE {language} SECURITY DEFINER"
            f" SET search_path = pg_catalog, pg_temp AS $$ {body} $$"
        )
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        if role is None:
            op.execute(VIEW)
        else:
            op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {role}")


def downgrade() -> None:
    for signature, *_ in reversed(FUNCTIONS[1:]):
        op.execute(f"DROP FUNCTION skeldir_broker.{signature.partition('(')[0]}")
    op.execute("DROP VIEW skeldir_broker.parked_tasks")
    op.execute("DROP FUNCTION skeldir_broker.as_json")
    op.execute("REVOKE USAGE ON SCHEMA skeldir_broker FROM app_admin")
    op.execute("DROP INDEX skeldir_broker.parked_messages_lane_idx")
