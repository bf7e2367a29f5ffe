"""How allocations become conversions and campaigns' revenue per day, some orders at a time.

Every row is looked up by its key, as in `attribution_scope` and for its reasons; chunks add up, because an
order's cells are its own. An order counts on the day of its first capture. What a capture is, and on which
day an entry accrues, is as `summaries_sql` has it. Days are UTC's.
"""

from typing import Final

from sqlalchemy import text

from skeldir.repository.summaries_sql import counted_kind, utc_day

# A share in millionths is the difference of two running totals, both rounded down: they add up exactly.
_RUNNING: Final = """
    sum(cents) OVER (PARTITION BY order_id, currency
                     ORDER BY channel_code COLLATE "C", campaign_id COLLATE "C")
"""

MEASURES: Final = (
    "cash_cents",
    "accrual_cents",
    "conversion_count",
    "new_conversion_count",
    "conversions_ppm",
    "new_conversions_ppm",
)
ORDERS: Final = text("""
    SELECT DISTINCT order_id COLLATE "C" AS order_id
      FROM (SELECT order_id
              FROM ledger_entries
             WHERE effective_at >= :start AND effective_at < :end AND effect_cents <> 0
             ORDER BY effective_at) AS found
""")
"""The orders with an entry in a window; no other has a cell in its days."""

JOURNEYS: Final = text("""
    SELECT DISTINCT found.journey_id
      FROM unnest(CAST(:order_ids AS text[])) AS asked (order_id),
           LATERAL (SELECT journey_id
                      FROM orders
                     WHERE orders.order_id BETWEEN asked.order_id AND asked.order_id
                     ORDER BY orders.order_id) AS found
""")

SIBLINGS: Final = text("""
    SELECT found.order_id
      FROM unnest(CAST(:journey_ids AS text[])) AS asked (journey_id),
           LATERAL (SELECT order_id
                      FROM orders
                     WHERE orders.journey_id = asked.journey_id
                     ORDER BY ordered_at) AS found
""")
"""All orders of some journeys."""

_ENTRY: Final = f"""
    entry AS MATERIALIZED (
        SELECT found.*, order_id COLLATE "C" AS order_key
          FROM unnest(CAST(:{{ids}} AS text[])) AS asked (order_id),
               LATERAL (SELECT tenant_id, entry_id, {counted_kind()} AS kind, currency,
                               effective_at, effect_cents
                          FROM ledger_entries
                         WHERE ledger_entries.order_id = asked.order_id AND effect_cents <> 0
                         ORDER BY ledger_entries.kind, reference) AS found
    )
"""  # noqa: S608 - constants

# Of the journeys' orders that were captured, all but the first one placed.
_RANKED: Final = """
    paid AS MATERIALIZED (
        SELECT DISTINCT order_id
          FROM (SELECT order_id, currency, sum(cents) AS cents, sum(abs(captured_cents)) AS captured_cents
                  FROM (SELECT order_key AS order_id, currency, sum(effect_cents) AS cents,
                               sum(effect_cents) FILTER (WHERE kind = 'captured') AS captured_cents
                          FROM entry
                         WHERE kind IN ('captured', 'adjusted')
                         GROUP BY order_key, currency, effective_at) AS slot
                 GROUP BY order_id, currency) AS booked
         WHERE cents > 0 AND captured_cents > 0
    ), repeated AS MATERIALIZED (
        SELECT order_id
          FROM (SELECT order_id, row_number() OVER (PARTITION BY journey_id
                                                    ORDER BY ordered_at, order_id) AS place
                  FROM (SELECT asked.order_id COLLATE "C" AS order_id,
                               found.journey_id COLLATE "C" AS journey_id, ordered_at
                          FROM unnest(CAST(:sibling_ids AS text[])) AS asked (order_id),
                               LATERAL (SELECT journey_id, ordered_at
                                          FROM orders
                                         WHERE orders.order_id BETWEEN asked.order_id AND asked.order_id
                                         ORDER BY orders.order_id) AS found) AS sibling
                  JOIN paid USING (order_id)) AS ranked
         WHERE place > 1
    )
"""

# What was kept, but for the orders of which that has just changed.
_KEPT: Final = """
    repeated AS MATERIALIZED (
        SELECT asked.order_id COLLATE "C" AS order_id
          FROM unnest(CAST(:order_ids AS text[])) AS asked (order_id)
          LEFT JOIN unnest(CAST(:flipped AS text[])) AS flipped (order_id) USING (order_id),
               LATERAL (SELECT EXISTS (SELECT FROM repeat_orders AS kept
                                        WHERE kept.order_id = asked.order_id) AS is_kept) AS now
         WHERE now.is_kept = (flipped.order_id IS NULL)
    )
"""

_CREDIT: Final = """
    told AS MATERIALIZED (
        SELECT entry.order_key AS order_id, entry.currency, entry.kind, entry.effective_at, found.*
          FROM entry,
               LATERAL (SELECT channel_code, campaign_id, allocated_cents AS cents
                          FROM allocations AS row
                         WHERE row.tenant_id = entry.tenant_id
                           AND model_version = :model_version
                           AND row.entry_id = entry.entry_id
                         ORDER BY channel_code, campaign_id) AS found
         WHERE entry.order_key IN (SELECT unnest(CAST(:order_ids AS text[])))
    ), live AS MATERIALIZED (
        SELECT order_id, currency, min(effective_at) AS captured_at
          FROM (SELECT order_id, currency, effective_at
                  FROM told
                 WHERE kind = 'captured'
                 GROUP BY order_id, currency, effective_at
                HAVING sum(cents) <> 0) AS slot
         GROUP BY order_id, currency
    ), credit AS MATERIALIZED (
        SELECT *, sum(cents) OVER (PARTITION BY order_id, currency) AS captured_cents
          FROM (SELECT order_id, currency, channel_code, campaign_id, captured_at, sum(cents) AS cents
                  FROM told
                  JOIN live USING (order_id, currency)
                 WHERE kind IN ('captured', 'adjusted') AND captured_at >= :start AND captured_at < :end
                 GROUP BY order_id, currency, channel_code, campaign_id, captured_at
                HAVING sum(cents) <> 0) AS part
    )
"""

_CELL: Final = f"""
    shared AS MATERIALIZED (
        SELECT order_id, currency, channel_code, campaign_id, captured_at, cents,
               CASE WHEN repeated.order_id IS NULL THEN 1 ELSE 0 END AS is_new,
               div({_RUNNING} * 1000000, captured_cents)
               - div(({_RUNNING} - cents) * 1000000, captured_cents) AS ppm
          FROM credit
          LEFT JOIN repeated USING (order_id)
         WHERE captured_cents > 0
    ), cell AS MATERIALIZED (
        SELECT {utc_day("at")} AS day, currency, level, channel_code, campaign_id,
               {", ".join(f"CAST(sum({measure}) AS bigint) AS {measure}" for measure in MEASURES)}
          FROM (SELECT effective_at AS at, currency, 2 AS level, channel_code, campaign_id,
                       cents AS cash_cents, 0 AS accrual_cents, 0 AS conversion_count,
                       0 AS new_conversion_count, 0 AS conversions_ppm, 0 AS new_conversions_ppm
                  FROM told
                UNION ALL
                SELECT coalesce(CASE WHEN kind <> 'captured' THEN captured_at END, effective_at), currency, 2,
                       channel_code, campaign_id, 0, cents, 0, 0, 0, 0
                  FROM told
                  LEFT JOIN live USING (order_id, currency)
                UNION ALL
                SELECT captured_at, currency, 2, channel_code, campaign_id, 0, 0, 1, is_new, ppm, is_new * ppm
                  FROM shared
                UNION ALL
                SELECT captured_at, currency, 1, channel_code, '', 0, 0, 1, is_new, 0, 0
                  FROM shared
                 GROUP BY order_id, currency, channel_code, captured_at, is_new
                HAVING sum(cents) <> 0
                UNION ALL
                SELECT captured_at, currency, 0, '', '', 0, 0, 1, is_new, 0, 0
                  FROM shared
                 GROUP BY order_id, currency, captured_at, is_new) AS part
         WHERE at >= :start AND at < :end
         GROUP BY 1, 2, 3, 4, 5
    )
"""  # noqa: S608 - constants of this module

CELLS: Final = f"{_ENTRY.format(ids='sibling_ids')}, {_RANKED}, {_CREDIT}, {_CELL}"
"""Cells of one UTC day, currency, and level: 0 the currency as a whole, 1 a channel, 2 a campaign of it.

Money and shares stand at the last level only, for they add up; orders are counted at each, because an
order that two campaigns led to is one order of their channel.
"""

KEPT_CELLS: Final = f"{_ENTRY.format(ids='order_ids')}, {_KEPT}, {_CREDIT}, {_CELL}"
"""The same cells, of orders of which `repeat_orders` says whether they are repeat ones."""

RANK: Final = f"""
    WITH {_ENTRY.format(ids="sibling_ids")}, {_RANKED}, gone AS (
        DELETE FROM repeat_orders
         WHERE order_id = ANY(CAST(:sibling_ids AS text[]))
           AND order_id NOT IN (SELECT order_id FROM repeated)
        RETURNING order_id
    ), came AS (
        INSERT INTO repeat_orders (order_id)
        SELECT order_id FROM repeated ORDER BY order_id
            ON CONFLICT (tenant_id, order_id) DO NOTHING
        RETURNING order_id
    )
    SELECT order_id FROM gone UNION ALL SELECT order_id FROM came
"""  # noqa: S608 - constants of this module
"""Keep which of some journeys' orders are repeat ones; returns those of which that was kept otherwise."""
