"""Whether somebody waits is seen from the first message of each lane, not from all that are there."""

from importlib import import_module

revision = "0046"
down_revision = "0045"

FORMER = import_module("migrations.versions.0026_queue_functions")

# Within a lane ids and times have one order, and a message that was given back keeps both. So it takes one
# probe of the index per tenant that waits, and none after the first that has waited for so long.
HAS_WAITING = """
  WITH RECURSIVE first AS (
      (SELECT priority, lane, sent_at FROM skeldir_broker.messages
        WHERE queue = p_queue AND lease IS NULL
        ORDER BY priority DESC, lane, message_id LIMIT 1)
      UNION ALL
      SELECT next.priority, next.lane, next.sent_at
        FROM first
       CROSS JOIN LATERAL (
          (SELECT priority, lane, sent_at FROM skeldir_broker.messages
            WHERE queue = p_queue AND lease IS NULL AND priority = first.priority AND lane > first.lane
            ORDER BY lane, message_id LIMIT 1)
          UNION ALL
          (SELECT priority, lane, sent_at FROM skeldir_broker.messages
            WHERE queue = p_queue AND lease IS NULL AND priority < first.priority
            ORDER BY priority DESC, lane, message_id LIMIT 1)
          LIMIT 1) AS next
  )
  SELECT EXISTS (SELECT FROM first WHERE sent_at < p_before);
"""


def upgrade() -> None:
    _replace(HAS_WAITING)


def downgrade() -> None:
    _replace(FORMER.HAS_WAITING)


def _replace(body: str) -> None:
    for signature, result, language, _ in FORMER.EVERYBODYS:
        if signature.startswith("has_waiting("):
            FORMER.create(signature, result, language, body, "app_rw, app_worker")
