"""Claims walk once along what was taken before them, not once for every look at a lane.

Until a table is vacuumed its indexes keep entries of rows that are gone, at the front of each lane. Whoever
has found a lane's first message knows where the next look may begin.
"""

from importlib import import_module

from alembic import op

revision = "0043"
down_revision = "0042"

FORMER = import_module("migrations.versions.0026_queue_functions")

LANES_SIGNATURE = """lanes(p_queue text, p_priority smallint, p_first integer, p_count integer,
                           p_lowest_lane integer, p_lowest_id bigint,
                           OUT o_lanes integer[], OUT o_floors bigint[])"""

# Settle what was acknowledged, then take up to so many messages. Of each queue the highest priority goes
# first; within it each lane in turn gives its share, from a lane on that differs from call to call.
CLAIM = """
DECLARE
  v_queue text;
  v_priority smallint;
  v_below smallint;
  v_lowest_lane integer;
  v_lowest_id bigint;
  v_lanes integer[];
  v_floors bigint[];
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
      SELECT ready.priority, ready.lane, ready.message_id INTO v_priority, v_lowest_lane, v_lowest_id
        FROM skeldir_broker.messages AS ready
       WHERE ready.queue = v_queue AND ready.lease IS NULL AND ready.priority < v_below
       ORDER BY ready.priority DESC, ready.lane, ready.message_id LIMIT 1;
      EXIT WHEN NOT FOUND;
      SELECT o_lanes, o_floors INTO v_lanes, v_floors
        FROM skeldir_broker.lanes(v_queue, v_priority, p_first_lane, v_left, v_lowest_lane, v_lowest_id);
      v_share := (v_left + cardinality(v_lanes) - 1) / cardinality(v_lanes);
      v_taken := 0;
      FOR v_place IN 1 .. cardinality(v_lanes) LOOP
        EXIT WHEN v_left = 0;
        RETURN QUERY
          UPDATE skeldir_broker.messages AS message
             SET lease = p_lease, attempts = message.attempts + 1
           WHERE message.message_id = ANY(ARRAY(
                     SELECT ready.message_id FROM skeldir_broker.messages AS ready
                      WHERE ready.queue = v_queue AND ready.priority = v_priority
                        AND ready.lane = v_lanes[v_place] AND ready.message_id >= v_floors[v_place]
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

# The lanes that have something ready, in order from the first on and around, each with the id of its first
# message: one probe of the index each, but for the lowest lane, which the caller knows.
LANES = """
DECLARE
  v_lane integer;
  v_id bigint;
  v_bound bigint := p_first;
  v_is_around boolean := false;
BEGIN
  o_lanes := '{}';
  o_floors := '{}';
  WHILE cardinality(o_lanes) < p_count LOOP
    IF v_bound <= p_lowest_lane THEN
      v_lane := p_lowest_lane;
      v_id := p_lowest_id;
    ELSE
      SELECT ready.lane, ready.message_id INTO v_lane, v_id FROM skeldir_broker.messages AS ready
       WHERE ready.queue = p_queue AND ready.priority = p_priority AND ready.lease IS NULL
         AND ready.lane >= v_bound
       ORDER BY ready.lane, ready.message_id LIMIT 1;
    END IF;
    IF v_lane IS NOT NULL AND (NOT v_is_around OR v_lane < p_first) THEN
      o_lanes := o_lanes || v_lane;
      o_floors := o_floors || v_id;
      v_bound := v_lane::bigint + 1;
    ELSIF v_is_around THEN
      EXIT;
    ELSE
      v_is_around := true;
      v_bound := -2147483648;
    END IF;
  END LOOP;
END
"""


def upgrade() -> None:
    op.execute("DROP FUNCTION skeldir_broker.lanes(text, smallint, integer, integer)")
    # Only `claim` calls it, as the owner and with the settings of its own.
    op.execute(f"CREATE FUNCTION skeldir_broker.{LANES_SIGNATURE} LANGUAGE plpgsql AS $$ {LANES} $$")
    op.execute("REVOKE ALL ON FUNCTION skeldir_broker.lanes FROM PUBLIC")
    _replace_claim(CLAIM)


def downgrade() -> None:
    _replace_claim(FORMER.CLAIM)
    op.execute("DROP FUNCTION skeldir_broker.lanes")
    for signature, result, language, body in FORMER.WORKERS:
        if signature.startswith("lanes("):
            FORMER.create(signature, result, language, body, "app_worker")


def _replace_claim(body: str) -> None:
    for signature, result, language, _ in FORMER.WORKERS:
        if signature.startswith("claim("):
            FORMER.create(signature, result, language, body, "app_worker")
