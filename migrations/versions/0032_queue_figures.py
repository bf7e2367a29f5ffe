"""How long the queues are, for whoever watches them: counted along indexes, no message is read."""

from alembic import op

revision = "0032"
down_revision = "0031"

# Transient queues (replies, broadcasts) are nobody's to watch. A message that was moved or given back
# keeps its place in the order of ids: the lowest that waits was sent first.
FIGURES = """
  SELECT known.queue, coalesce(ready.count, 0), coalesce(scheduled.count, 0), coalesce(held.count, 0),
         coalesce(parked.count, 0), greatest(extract(epoch FROM clock_timestamp() - first.sent_at), 0)
    FROM skeldir_broker.queues AS known
    LEFT JOIN (SELECT queue, count(*), min(message_id) AS first_id FROM skeldir_broker.messages
                WHERE lease IS NULL GROUP BY queue) AS ready USING (queue)
    LEFT JOIN skeldir_broker.messages AS first ON first.message_id = ready.first_id
    LEFT JOIN (SELECT queue, count(*) FROM skeldir_broker.scheduled_messages GROUP BY queue) AS scheduled
        ON scheduled.queue = known.queue
    LEFT JOIN (SELECT queue, count(*) FROM skeldir_broker.messages
                WHERE lease IS NOT NULL GROUP BY queue) AS held ON held.queue = known.queue
    LEFT JOIN (SELECT queue, count(*) FROM skeldir_broker.parked_messages GROUP BY queue) AS parked
        ON parked.queue = known.queue
   WHERE known.lease IS NULL
   ORDER BY known.queue;
"""

OLDEST_WAITING = """
  SELECT sent_at FROM skeldir_broker.messages WHERE lease IS NULL ORDER BY message_id LIMIT 1;
"""


def upgrade() -> None:
    op.execute("DROP INDEX skeldir_broker.scheduled_messages_due_idx")
    op.execute("""CREATE INDEX scheduled_messages_due_idx
                      ON skeldir_broker.scheduled_messages (due_at) INCLUDE (queue)""")
    op.execute("CREATE INDEX parked_messages_queue_idx ON skeldir_broker.parked_messages (queue, message_id)")
    _create(
        "queue_figures()",
        """TABLE (queue text, ready bigint, scheduled bigint, in_flight bigint, parked bigint,
                  oldest_seconds numeric)""",
        FIGURES,
    )
    op.execute("DROP FUNCTION skeldir_broker.oldest_waiting()")


def downgrade() -> None:
    _create("oldest_waiting()", "timestamptz", OLDEST_WAITING)
    op.execute("DROP FUNCTION skeldir_broker.queue_figures()")
    op.execute("DROP INDEX skeldir_broker.parked_messages_queue_idx")
    op.execute("DROP INDEX skeldir_broker.scheduled_messages_due_idx")
    op.execute("CREATE INDEX scheduled_messages_due_idx ON skeldir_broker.scheduled_messages (due_at)")


def _create(signature: str, result: str, body: str) -> None:
    name = f"skeldir_broker.{signature}"
    op.execute(
        f"CREATE FUNCTION {name} RETURNS {result} LANGUAGE sql SECURITY DEFINER"
        " SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off"
        f" AS $$ {body} $$"
    )
    op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO app_rw, app_worker")
