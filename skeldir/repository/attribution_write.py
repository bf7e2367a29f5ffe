"""How the kept allocations of some entries become the fresh ones: one statement, equal rows untouched."""

from typing import Final

# Rows that vanish, change and are new, in one statement, so that the check of the sums sees an entry only
# as it was or as it will be. No key is in two of the sets: nobody else writes while the job has its turn,
# so rows are deleted where they lie, and new ones are put in without looking for others of their key. The
# order by the rest of the key has the kept rows read by it, whatever the planner knows.
WRITE: Final = """
    , kept AS MATERIALIZED (
        SELECT entry_nth, found.*
          FROM entry,
               LATERAL (SELECT row.ctid AS place, tenant_id, entry_id, order_id, channel_code, campaign_id,
                               allocated_cents, currency, effective_at, touch_count, fallback
                          FROM allocations AS row
                         WHERE row.tenant_id = entry.tenant_id
                           AND model_version = :model_version
                           AND row.entry_id = entry.entry_id
                         ORDER BY channel_code, campaign_id) AS found
    ), vanished AS (
        DELETE FROM allocations
         WHERE ctid = ANY(ARRAY(
                   SELECT kept.place
                     FROM kept LEFT JOIN fresh USING (entry_nth, channel_code, campaign_id)
                    WHERE fresh.order_id IS NULL))
        RETURNING 1
    ), differing AS MATERIALIZED (
        SELECT fresh.*, kept.order_id IS NULL AS is_new
          FROM fresh
          LEFT JOIN kept USING (entry_nth, channel_code, campaign_id)
         WHERE kept.order_id IS NULL
            OR (kept.order_id, kept.allocated_cents, kept.currency, kept.effective_at, kept.touch_count,
                kept.fallback)
               IS DISTINCT FROM
               (fresh.order_id, fresh.allocated_cents, fresh.currency, fresh.effective_at, fresh.touch_count,
                fresh.fallback)
    ), added AS (
        INSERT INTO allocations
               (tenant_id, model_version, entry_id, order_id, channel_code, campaign_id,
                allocated_cents, currency, effective_at, touch_count, fallback)
        SELECT tenant_id, :model_version, entry_id, order_id, channel_code, campaign_id,
               allocated_cents, currency, effective_at, touch_count, fallback
          FROM differing
         WHERE is_new
         ORDER BY entry_id, channel_code, campaign_id
        RETURNING 1
    ), changed AS (
        INSERT INTO allocations
               (tenant_id, model_version, entry_id, order_id, channel_code, campaign_id,
                allocated_cents, currency, effective_at, touch_count, fallback)
        SELECT tenant_id, :model_version, entry_id, order_id, channel_code, campaign_id,
               allocated_cents, currency, effective_at, touch_count, fallback
          FROM differing
         WHERE NOT is_new
        ON CONFLICT (tenant_id, model_version, entry_id, channel_code, campaign_id) DO UPDATE
           SET order_id = excluded.order_id,
               allocated_cents = excluded.allocated_cents,
               currency = excluded.currency,
               effective_at = excluded.effective_at,
               touch_count = excluded.touch_count,
               fallback = excluded.fallback
        RETURNING 1
    )
"""

COUNT: Final = """
    SELECT (SELECT count(*) FROM added) + (SELECT count(*) FROM changed) AS written,
           (SELECT count(*) FROM vanished) AS vanished
"""
