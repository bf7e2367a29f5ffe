"""The functions that are the only way to the queue: the API's login may publish, a worker's do the rest."""

from alembic import op

revision = "0026"
down_revision = "0025"

# Plans are made once, for a table that grows from nothing to millions of rows and back within minutes.
_HEAD = """LANGUAGE {language} SECURITY DEFINER SET search_path = pg_catalog, pg_temp
           SET enable_seqscan = off SET enable_bitmapscan = off AS $$"""

# Without an exchange the routing key is the queue's name. Returns to how many queues the message went.
PUBLISH = """
DECLARE
  targets text[];
BEGIN
  SELECT array_agg(DISTINCT queue) INTO targets FROM (
      SELECT queue FROM skeldir_broker.queues WHERE p_exchange = '' AND queue = p_routing_key
      UNION ALL
      SELECT queue FROM skeldir_broker.bindings
       WHERE exchange = p_exchange
         AND CASE p_kind WHEN 'fanout' THEN true
                         WHEN 'topic' THEN p_routing_key ~ pattern
                         ELSE routing_key = p_routing_key END) AS found;
  IF targets IS NULL THEN
    RETURN targets;
  ELSIF p_due_at > clock_timestamp() THEN
    INSERT INTO skeldir_broker.scheduled_messages (due_at, queue, priority, lane, expires_at, body)
    SELECT p_due_at, queue, p_priority, p_lane, p_expires_at, p_body FROM unnest(targets) AS queue;
  ELSE
    INSERT INTO skeldir_broker.messages (queue, priority, lane, expires_at, body)
    SELECT queue, p_priority, p_lane, p_expires_at, p_body FROM unnest(targets) AS queue;
  END IF;
  RETURN targets;
END
"""

# The last statement before a commit: who lies down to sleep looks once more after he is seen here.
WAKE = """
  SELECT pg_notify('skeldir_broker', queue)
    FROM unnest(p_queues) AS queue
   WHERE EXISTS (SELECT FROM skeldir_broker.sleepers WHERE queue = ANY(queues));
"""

# A queue that is there already is declared by everybody; a new one only by workers.
DECLARE_QUEUE = """
BEGIN
  INSERT INTO skeldir_broker.queues AS known (queue, lease) VALUES (p_queue, p_lease)
  ON CONFLICT (queue) DO UPDATE SET lease = excluded.lease WHERE known.lease IS DISTINCT FROM excluded.lease;
END
"""
HAS_QUEUE = "SELECT EXISTS (SELECT FROM skeldir_broker.queues WHERE queue = p_queue);"
HAS_BINDING = """
  SELECT EXISTS (SELECT FROM skeldir_broker.bindings
                  WHERE exchange = p_exchange AND routing_key = p_routing_key AND queue = p_queue);
"""
BIND = """
  INSERT INTO skeldir_broker.bindings (exchange, routing_key, queue, pattern)
  VALUES (p_exchange, p_routing_key, p_queue, p_pattern)
  ON CONFLICT DO NOTHING;
"""
UNBIND = """
  DELETE FROM skeldir_broker.bindings
   WHERE exchange = p_exchange AND routing_key = p_routing_key AND queue = p_queue;
"""
BINDINGS = """
  SELECT routing_key, pattern, queue FROM skeldir_broker.bindings WHERE exchange = p_exchange;
"""
DELETE_QUEUE = """
  DELETE FROM skeldir_broker.scheduled_messages WHERE queue = p_queue;
  DELETE FROM skeldir_broker.messages WHERE queue = p_queue;
  DELETE FROM skeldir_broker.queues WHERE queue = p_queue;
"""
SIZE = "SELECT count(*) FROM skeldir_broker.messages WHERE queue = p_queue AND lease IS NULL;"
PURGE = """
  WITH gone AS (DELETE FROM skeldir_broker.messages WHERE queue = p_queue AND lease IS NULL RETURNING 1)
  SELECT count(*) FROM gone;
"""

# Settle what was acknowledged, then take up to so many messages. Of each queue the highest priority goes
# first; within it each lane in turn gives its share, from a lane on that differs from call to call.
CLAIM = """
DECLARE
  v_queue text;
  v_priority smallint;
  v_below smallint;
  v_lane integer;
  v_lanes integer[];
  v_left integer := p_wanted;
  v_share integer;
  v_taken integer;
  v_count integer;
BEGIN
  IF p_settled <> '{}' THEN
    DELETE FROM skeldir_broker.messages AS message
     WHERE message.message_id = ANY(p_settled) AND message.lease = p_lease;
  END IF;
  FOREACH v_queue IN ARRAY p_queues LOOP
    v_below := 32767;
    WHILE v_left > 0 LOOP
      SELECT ready.priority INTO v_priority FROM skeldir_broker.messages AS ready
       WHERE ready.queue = v_queue AND ready.lease IS NULL AND ready.priority < v_below
       ORDER BY ready.priority DESC LIMIT 1;
      EXIT WHEN NOT FOUND;
      v_lanes := skeldir_broker.lanes(v_queue, v_priority, p_first_lane, v_left);
      EXIT WHEN v_lanes IS NULL;
      v_share := (v_left + cardinality(v_lanes) - 1) / cardinality(v_lanes);
      v_taken := 0;
      FOREACH v_lane IN ARRAY v_lanes LOOP
        EXIT WHEN v_left = 0;
        RETURN QUERY
          UPDATE skeldir_broker.messages AS message
             SET lease = p_lease, attempts = message.attempts + 1
           WHERE message.message_id = ANY(ARRAY(
                     SELECT ready.message_id FROM skeldir_broker.messages AS ready
                      WHERE ready.queue = v_queue AND ready.priority = v_priority AND ready.lane = v_lane
                        AND ready.lease IS NULL
                      ORDER BY ready.message_id
                      LIMIT least(v_share, v_left)
                        FOR UPDATE SKIP LOCKED))
          RETURNING message.message_id, message.queue, message.priority, message.attempts,
                    message.expires_at < clock_timestamp(), message.body;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_taken := v_taken + v_count;
        v_left := v_left - v_count;
      END LOOP;
      IF v_taken = 0 THEN
        v_below := v_priority;  -- others are taking what is left of this one
      END IF;
    END LOOP;
  END LOOP;
END
"""

# The lanes that have something ready, in order from the first on and around: one probe of the index each.
LANES = """
DECLARE
  found_lanes integer[];
  v_lane integer;
  v_bound integer := p_first;
  v_round integer := 0;
BEGIN
  WHILE cardinality(coalesce(found_lanes, '{}')) < p_count LOOP
    SELECT ready.lane INTO v_lane FROM skeldir_broker.messages AS ready
     WHERE ready.queue = p_queue AND ready.priority = p_priority AND ready.lease IS NULL
       AND ready.lane >= v_bound AND (v_round = 0 OR ready.lane < p_first)
     ORDER BY ready.lane LIMIT 1;
    IF FOUND THEN
      found_lanes := found_lanes || v_lane;
      EXIT WHEN v_lane = 2147483647;
      v_bound := v_lane + 1;
    ELSIF v_round = 0 THEN
      v_round := 1;
      v_bound := -2147483648;
    ELSE
      EXIT;
    END IF;
  END LOOP;
  RETURN found_lanes;
END
"""

# Give messages back. Those that were begun count their attempt, and are parked when it was the last.
RELEASE = """
  WITH mine AS (
      SELECT message_id FROM skeldir_broker.messages
       WHERE message_id = ANY(p_message_ids) AND lease = p_lease
  ), parked AS (
      DELETE FROM skeldir_broker.messages
       WHERE message_id IN (SELECT message_id FROM mine) AND p_was_begun AND attempts >= p_attempts_max
      RETURNING message_id, queue, priority, lane, attempts, sent_at, body
  ), kept AS (
      INSERT INTO skeldir_broker.parked_messages (message_id, queue, priority, lane, attempts, sent_at, body)
      SELECT message_id, queue, priority, lane, attempts, sent_at, body FROM parked
  )
  UPDATE skeldir_broker.messages
     SET lease = NULL, attempts = CASE WHEN p_was_begun THEN attempts ELSE attempts - 1 END
   WHERE message_id IN (SELECT message_id FROM mine)
     AND NOT (p_was_begun AND attempts >= p_attempts_max);
"""

# Give back what dead consumers held: a lease lives as long as the session that holds its lock.
SWEEP = """
DECLARE
  dead integer[];
  v_lease integer;
  v_freed integer := 0;
  v_ids bigint[];
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('skeldir_broker.sweep', 0)) THEN
    RETURN 0;
  END IF;
  SELECT array_agg(lease) INTO dead FROM (
      SELECT lease FROM skeldir_broker.messages WHERE lease IS NOT NULL
      UNION SELECT lease FROM skeldir_broker.queues WHERE lease IS NOT NULL
      UNION SELECT lease FROM skeldir_broker.sleepers
      EXCEPT
      SELECT CAST(objid AS bigint)::integer FROM pg_locks
       WHERE locktype = 'advisory' AND classid = CAST(1936419181 AS oid) AND objsubid = 2
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS gone;
  FOREACH v_lease IN ARRAY coalesce(dead, '{}') LOOP
    SELECT array_agg(message_id) INTO v_ids FROM skeldir_broker.messages WHERE lease = v_lease;
    PERFORM skeldir_broker.release(v_lease, v_ids, true, p_attempts_max);
    v_freed := v_freed + coalesce(cardinality(v_ids), 0);
    PERFORM skeldir_broker.delete_queue(queue) FROM skeldir_broker.queues WHERE lease = v_lease;
    DELETE FROM skeldir_broker.sleepers WHERE lease = v_lease;
  END LOOP;
  IF v_freed > 0 THEN
    PERFORM skeldir_broker.wake(ARRAY(SELECT DISTINCT queue FROM skeldir_broker.messages
                                       WHERE lease IS NULL AND attempts > 0));
  END IF;
  RETURN v_freed;
END
"""

# Move what is due to the queues; returns the seconds until the next is, at most a minute.
PROMOTE = """
DECLARE
  v_queues text[];
BEGIN
  WITH due AS (
      DELETE FROM skeldir_broker.scheduled_messages WHERE message_id IN (
          SELECT message_id FROM skeldir_broker.scheduled_messages
           WHERE due_at <= clock_timestamp()
           ORDER BY due_at, message_id LIMIT 1000 FOR UPDATE SKIP LOCKED)
      RETURNING due_at, message_id, queue, priority, lane, expires_at, body
  ), moved AS (
      INSERT INTO skeldir_broker.messages (queue, priority, lane, expires_at, body)
      SELECT queue, priority, lane, expires_at, body FROM due ORDER BY due_at, message_id
      RETURNING queue
  )
  SELECT array_agg(DISTINCT queue) INTO v_queues FROM moved;
  PERFORM skeldir_broker.wake(v_queues);
  RETURN (SELECT extract(epoch FROM least(min(due_at) - clock_timestamp(), interval '1 minute'))
            FROM skeldir_broker.scheduled_messages);
END
"""
OLDEST_WAITING = """
  SELECT sent_at FROM skeldir_broker.messages WHERE lease IS NULL ORDER BY message_id LIMIT 1;
"""
HAS_WAITING = """
  SELECT EXISTS (SELECT FROM skeldir_broker.messages
                  WHERE queue = p_queue AND lease IS NULL AND sent_at < p_before);
"""
SLEEP = """
  INSERT INTO skeldir_broker.sleepers (lease, queues) VALUES (p_lease, p_queues)
  ON CONFLICT (lease) DO UPDATE SET queues = excluded.queues;
"""
GET_UP = "DELETE FROM skeldir_broker.sleepers WHERE lease = p_lease;"
# 1936419181: what the locks of leases are filed under.
TAKE_LEASE = """
DECLARE
  v_lease integer := nextval('skeldir_broker.leases');
BEGIN
  PERFORM pg_advisory_lock(1936419181, v_lease);
  RETURN v_lease;
END
"""

CLAIMED = """TABLE (message_id bigint, queue text, priority smallint, attempts smallint,
                    has_expired boolean, body text)"""
MESSAGE = """p_exchange text, p_kind text, p_routing_key text, p_priority smallint, p_lane integer,
             p_due_at timestamptz, p_expires_at timestamptz, p_body text"""
# name and parameters, result, language, body
EVERYBODYS = (
    (f"publish({MESSAGE})", "text[]", "plpgsql", PUBLISH),
    ("wake(p_queues text[])", "SETOF void", "sql", WAKE),
    ("has_queue(p_queue text)", "boolean", "sql", HAS_QUEUE),
    ("has_binding(p_exchange text, p_routing_key text, p_queue text)", "boolean", "sql", HAS_BINDING),
    ("oldest_waiting()", "timestamptz", "sql", OLDEST_WAITING),
    ("has_waiting(p_queue text, p_before timestamptz)", "boolean", "sql", HAS_WAITING),
    ("bindings(p_exchange text)", "TABLE (routing_key text, pattern text, queue text)", "sql", BINDINGS),
)  # fmt: skip
WORKERS = (
    ("take_lease()", "integer", "plpgsql", TAKE_LEASE),
    ("declare_queue(p_queue text, p_lease integer)", "void", "plpgsql", DECLARE_QUEUE),
    ("bind(p_exchange text, p_routing_key text, p_queue text, p_pattern text)", "void", "sql", BIND),
    ("unbind(p_exchange text, p_routing_key text, p_queue text)", "void", "sql", UNBIND),
    ("delete_queue(p_queue text)", "void", "sql", DELETE_QUEUE),
    ("size(p_queue text)", "bigint", "sql", SIZE),
    ("purge(p_queue text)", "bigint", "sql", PURGE),
    ("lanes(p_queue text, p_priority smallint, p_first integer, p_count integer)", "integer[]", "plpgsql",
     LANES),
    ("claim(p_lease integer, p_queues text[], p_wanted integer, p_settled bigint[], p_first_lane integer)",
     CLAIMED, "plpgsql", CLAIM),
    ("release(p_lease integer, p_message_ids bigint[], p_was_begun boolean, p_attempts_max integer)",
     "void", "sql", RELEASE),
    ("sweep(p_attempts_max integer)", "integer", "plpgsql", SWEEP),
    ("promote()", "double precision", "plpgsql", PROMOTE),
    ("sleep(p_lease integer, p_queues text[])", "void", "sql", SLEEP),
    ("get_up(p_lease integer)", "void", "sql", GET_UP),
)  # fmt: skip


def upgrade() -> None:
    for functions, roles in ((EVERYBODYS, "app_rw, app_worker"), (WORKERS, "app_worker")):
        for signature, result, language, body in functions:
            create(signature, result, language, body, roles)


def create(signature: str, result: str, language: str, body: str, roles: str) -> None:
    """Create a function, or replace its body, that these roles may call as its owner."""
    name = f"skeldir_broker.{signature}"
    head = _HEAD.format(language=language)
    op.execute(f"CREATE OR REPLACE FUNCTION {name} RETURNS {result} {head} {body} $$")
    op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {roles}")


def downgrade() -> None:
    for functions in (WORKERS, EVERYBODYS):
        for signature, *_ in functions:
            op.execute(f"DROP FUNCTION skeldir_broker.{signature.split('(')[0]}")
