"""Deleting and purging know of messages that are held or scheduled, and queues that are gone leave none."""

from importlib import import_module

from alembic import op

revision = "0055"
down_revision = "0054"

FORMER = import_module("migrations.versions.0026_queue_functions")

# As in AMQP, what somebody holds stays his.
PURGE = """
  WITH ready AS (DELETE FROM skeldir_broker.messages WHERE queue = p_queue AND lease IS NULL RETURNING 1),
       scheduled AS (DELETE FROM skeldir_broker.scheduled_messages WHERE queue = p_queue RETURNING 1)
  SELECT (SELECT count(*) FROM ready) + (SELECT count(*) FROM scheduled);
"""

# Of consumers it is known what they hold, and what they sleep over.
DELETE_UNLESS = """
BEGIN
  IF p_unless_used AND (
         EXISTS (SELECT FROM skeldir_broker.messages WHERE queue = p_queue AND lease IS NOT NULL)
         OR EXISTS (SELECT FROM skeldir_broker.sleepers WHERE p_queue = ANY(queues)))
     OR p_unless_filled AND (
         EXISTS (SELECT FROM skeldir_broker.messages WHERE queue = p_queue AND lease IS NULL)
         OR EXISTS (SELECT FROM skeldir_broker.messages WHERE queue = p_queue AND lease IS NOT NULL)
         OR EXISTS (SELECT FROM skeldir_broker.scheduled_messages WHERE queue = p_queue)) THEN
    RETURN false;
  END IF;
  PERFORM skeldir_broker.delete_queue(p_queue);
  RETURN true;
END
"""
DELETE_UNLESS_SIGNATURE = "delete_queue_unless(p_queue text, p_unless_used boolean, p_unless_filled boolean)"

# A message may be committed to a queue that was deleted since it was sent. Looked for between the names of
# the queues that there are, where the index is empty but for these: however much waits, it is not read. One
# that is scheduled is found once it is due.
DELETE_STRAYS = """
  WITH gaps AS (
      SELECT queue AS above, lead(queue) OVER (ORDER BY queue) AS below FROM skeldir_broker.queues
      UNION ALL SELECT '', min(queue) FROM skeldir_broker.queues
  ), strays AS (
      SELECT found.message_id FROM gaps CROSS JOIN LATERAL (
          SELECT message_id FROM skeldir_broker.messages
           WHERE lease IS NULL AND queue > gaps.above AND queue < gaps.below
           ORDER BY queue, priority DESC, lane, message_id LIMIT 1000) AS found
       WHERE gaps.below IS NOT NULL
      UNION ALL
      (SELECT message_id FROM skeldir_broker.messages
        WHERE lease IS NULL AND queue > (SELECT max(queue) FROM skeldir_broker.queues)
        ORDER BY queue, priority DESC, lane, message_id LIMIT 1000)
  )
  DELETE FROM skeldir_broker.messages
   WHERE message_id = ANY(ARRAY(SELECT message_id FROM strays)) AND lease IS NULL;
"""
SWEEP = FORMER.SWEEP.replace("  IF v_freed > 0 THEN", DELETE_STRAYS + "  IF v_freed > 0 THEN", 1)


def upgrade() -> None:
    _replace("purge(", PURGE)
    FORMER.create(DELETE_UNLESS_SIGNATURE, "boolean", "plpgsql", DELETE_UNLESS, "app_worker")
    _replace("sweep(", SWEEP)


def downgrade() -> None:
    _replace("sweep(", FORMER.SWEEP)
    op.execute("DROP FUNCTION skeldir_broker.delete_queue_unless")
    _replace("purge(", FORMER.PURGE)


def _replace(beginning: str, body: str) -> None:
    for signature, result, language, _ in FORMER.WORKERS:
        if signature.startswith(beginning):
            FORMER.create(signature, result, language, body, "app_worker")
