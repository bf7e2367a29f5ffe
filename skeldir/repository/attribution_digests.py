"""Digests of what allocations are computed from: kept per order, added up per UTC day.

A digest is a count and two sums of 64-bit hashes of rows, with different seeds: sums do not show in which
order rows came, and what was can be taken out of them again. So a run changes only the digests of its own
orders and of their days, and a window is judged from a row per day. The hashes are the ones by which Postgres
itself places rows in hash partitions: it keeps them the same across versions. They tell changes, and stand
against nobody who would forge them. Entries and touches are inputs whole: a touch that no look-back
reaches counts too, which at worst computes again what comes out the same.

All of it is written in the transaction of a job that has the tenant's turn.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


def _hashes(columns: str) -> str:
    """Return SQL that adds up two hashes of rows of these columns."""
    parts = (("high", 1), ("low", 2))
    return ", ".join(f"sum(hash_record_extended(ROW({columns}), {seed})) AS {name}" for name, seed in parts)


_OF_TOUCH: Final = "touchpoint_id, occurred_at, channel_code, campaign_id"
_OF_HINT: Final = (
    "hint_touchpoint_id, ordered_at, hint_channel_code, hint_campaign_id, hint_source, hint_medium"
)
_OF_ENTRY: Final = "entry_id, currency, effective_at, effect_cents"

# A journey's touches are hashed once, whatever number of orders it led to.
FRESH: Final = f"""
    sale AS MATERIALIZED (
        SELECT found.*
          FROM unnest(CAST(:order_ids AS text[])) AS asked (order_id),
               LATERAL (SELECT tenant_id, order_id, journey_id, ordered_at FROM orders
                         WHERE orders.order_id BETWEEN asked.order_id AND asked.order_id
                         ORDER BY orders.order_id) AS found
    ), touched AS MATERIALIZED (
        SELECT asked.journey_id, touch.row_count, touch.high, touch.low,
               hint.row_count AS hint_count, hint.high AS hint_high, hint.low AS hint_low
          FROM (SELECT DISTINCT journey_id FROM sale) AS asked,
               LATERAL (SELECT count(*) AS row_count,
                               {_hashes(_OF_TOUCH)}
                          FROM (SELECT * FROM touchpoints
                                 WHERE touchpoints.journey_id BETWEEN asked.journey_id AND asked.journey_id
                                 ORDER BY touchpoints.journey_id, occurred_at) AS touch) AS touch,
               LATERAL (SELECT count(*) AS row_count,
                               {_hashes(_OF_HINT)}
                          FROM (SELECT * FROM orders
                                 WHERE orders.journey_id = asked.journey_id
                                 ORDER BY ordered_at) AS hint
                         WHERE hint_touchpoint_id IS NOT NULL) AS hint
    ), booked AS MATERIALIZED (
        SELECT sale.order_id, entry.*
          FROM sale,
               LATERAL (SELECT count(*) AS row_count, array_agg(DISTINCT day ORDER BY day) AS days,
                               {_hashes(_OF_ENTRY)}
                          FROM (SELECT *, CAST(effective_at AT TIME ZONE 'UTC' AS date) AS day
                                  FROM ledger_entries
                                 WHERE ledger_entries.tenant_id = sale.tenant_id
                                   AND ledger_entries.order_id = sale.order_id
                                   AND effect_cents <> 0
                                 ORDER BY kind, reference) AS entry) AS entry
    ), fresh AS MATERIALIZED (
        SELECT sale.tenant_id, sale.order_id, booked.days, CAST(booked.row_count AS integer) AS entry_count,
               CAST(touched.row_count + touched.hint_count AS integer) AS touch_count,
               hash_record_extended(ROW(sale.order_id, sale.ordered_at, booked.row_count, booked.high,
                   touched.row_count, touched.high, touched.hint_count, touched.hint_high), 1) AS high,
               hash_record_extended(ROW(sale.order_id, sale.ordered_at, booked.row_count, booked.low,
                   touched.row_count, touched.low, touched.hint_count, touched.hint_low), 2) AS low
          FROM sale
          JOIN booked USING (order_id)
          JOIN touched USING (journey_id)
         WHERE booked.row_count > 0
    )
"""  # noqa: S608 - built from this module's constants only
"""The digests of some orders from scratch, as `fresh`."""

SETTLE: Final = text(f"""
    WITH {FRESH}, kept AS MATERIALIZED (
        SELECT found.*
          FROM unnest(CAST(:order_ids AS text[])) AS asked (order_id),
               LATERAL (SELECT tenant_id, order_id, days, entry_count, touch_count, high, low
                          FROM order_digests
                         WHERE order_digests.order_id BETWEEN asked.order_id AND asked.order_id
                         ORDER BY order_digests.order_id) AS found
    ), changed AS MATERIALIZED (
        SELECT fresh.*
          FROM fresh LEFT JOIN kept USING (tenant_id, order_id)
         WHERE (kept.days, kept.entry_count, kept.touch_count, kept.high, kept.low)
               IS DISTINCT FROM (fresh.days, fresh.entry_count, fresh.touch_count, fresh.high, fresh.low)
    ), moved AS (
        SELECT tenant_id, day, sum(sign) AS order_count, sum(sign * entry_count) AS entry_count,
               sum(sign * touch_count) AS touch_count, sum(sign * high) AS high, sum(sign * low) AS low
          FROM (SELECT 1 AS sign, tenant_id, unnest(days) AS day, entry_count, touch_count,
                       CAST(high AS numeric) AS high, CAST(low AS numeric) AS low
                  FROM changed
                UNION ALL
                SELECT -1, kept.tenant_id, unnest(kept.days), kept.entry_count, kept.touch_count,
                       kept.high, kept.low
                  FROM kept JOIN changed USING (tenant_id, order_id)) AS part
         GROUP BY tenant_id, day
    ), summed AS (
        INSERT INTO day_digests AS day
               (tenant_id, day, revision, order_count, entry_count, touch_count, high, low)
        SELECT tenant_id, day, :revision, order_count, entry_count, touch_count, high, low
          FROM moved
         ORDER BY day
        ON CONFLICT (tenant_id, day) DO UPDATE
           SET revision = excluded.revision,
               order_count = day.order_count + excluded.order_count,
               entry_count = day.entry_count + excluded.entry_count,
               touch_count = day.touch_count + excluded.touch_count,
               high = day.high + excluded.high,
               low = day.low + excluded.low
    )
    INSERT INTO order_digests AS row
           (tenant_id, order_id, revision, days, entry_count, touch_count, high, low)
    SELECT tenant_id, order_id, :revision, days, entry_count, touch_count, high, low
      FROM changed
     ORDER BY order_id
    ON CONFLICT (tenant_id, order_id) DO UPDATE
       SET revision = excluded.revision, days = excluded.days, entry_count = excluded.entry_count,
           touch_count = excluded.touch_count, high = excluded.high, low = excluded.low
""")  # noqa: S608 - built from this module's constants only

_REVISION: Final = text("SELECT coalesce(max(revision), 0) FROM day_digests")


def last_revision(session: Session) -> int:
    """Return the number of the last run that changed a digest, as this snapshot has it; 0 before any."""
    return int(session.execute(_REVISION).scalar_one())


def settle(session: Session, order_ids: Sequence[str], revision: int) -> None:
    """Bring the digests of orders, and of their days, up to what this snapshot holds."""
    session.execute(SETTLE, {"order_ids": order_ids, "revision": revision})
