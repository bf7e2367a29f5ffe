"""How allocations become cells of `channel_days`: SQL that jobs, refreshes and exact reports share.

*Cash* counts an entry on its own day. *Accrual* counts a capture on its own day and whatever corrects or
takes back an order's captures, in its currency, on the day of the first of them; where there is none, on
the entry's own. An order is counted on the day of its first capture. A capture that was taken back in its
own slot, because it had happened at another time, is none. Days are UTC's.
"""

from typing import Final

REVERSALS: Final = "('refunded', 'disputed', 'dispute_reversed')"
"""The kinds, as `counted_kind` has them, that say what was taken back, less what disputes gave back."""

MEASURES: Final = (
    "cash_cents",
    "cash_reversed_cents",
    "accrual_cents",
    "accrual_reversed_cents",
    "order_count",
)

_SAME_DAY: Final = "accrual_day = day"


def counted_kind(entry: str = "ledger_entries") -> str:
    """Return SQL for what a row of the ledger counts as: an adjustment of refunds is one, as for its order.

    An adjustment of captures stays one: it is no capture of its own, and takes nothing back.
    """
    return (
        f"CASE WHEN {entry}.kind = 'adjusted' AND {entry}.reference = 'refunded' THEN 'refunded'"
        f" ELSE {entry}.kind END"
    )


def utc_day(instant: str) -> str:
    """Return SQL for the UTC day of an instant."""
    return f"CAST({instant} AT TIME ZONE 'UTC' AS date)"


def _if(condition: str, value: str) -> str:
    return f"CASE WHEN {condition} THEN {value} ELSE 0 END"


# `summand` offers, per part of an entry, sign (1 counts in, -1 out), tenant_id, order_id, currency,
# effective_at, kind (as `counted_kind` has it), channel_code and cents. Where a day differs between the two
# modes there are two parts.
CELLS: Final = f"""
    first_capture AS MATERIALIZED (
        SELECT tenant_id, sign, order_id, currency, min(effective_at) AS captured_at
          FROM (SELECT tenant_id, sign, order_id, currency, effective_at
                  FROM summand
                 WHERE kind = 'captured'
                 GROUP BY tenant_id, sign, order_id, currency, effective_at
                HAVING sum(cents) <> 0) AS slot
         GROUP BY tenant_id, sign, order_id, currency
    ), dated AS MATERIALIZED (
        SELECT sign, order_id, currency, channel_code, kind, kind IN {REVERSALS} AS is_reversal, cents,
               {utc_day("effective_at")} AS day,
               {utc_day("coalesce(CASE WHEN kind <> 'captured' THEN captured_at END, effective_at)")}
                   AS accrual_day,
               {utc_day("captured_at")} AS captured_day
          FROM summand
          LEFT JOIN first_capture USING (tenant_id, sign, order_id, currency)
    ), day_cell AS MATERIALIZED (
        SELECT day, currency, channel_code,
               CAST(sum(cash_cents) AS bigint) AS cash_cents,
               CAST(sum(cash_reversed_cents) AS bigint) AS cash_reversed_cents,
               CAST(sum(accrual_cents) AS bigint) AS accrual_cents,
               CAST(sum(accrual_reversed_cents) AS bigint) AS accrual_reversed_cents,
               CAST(sum(order_count) AS bigint) AS order_count
          FROM (SELECT day, currency, channel_code,
                       sign * cents AS cash_cents,
                       {_if("is_reversal", "sign * cents")} AS cash_reversed_cents,
                       {_if(_SAME_DAY, "sign * cents")} AS accrual_cents,
                       {_if(f"{_SAME_DAY} AND is_reversal", "sign * cents")} AS accrual_reversed_cents,
                       0 AS order_count
                  FROM dated
                UNION ALL
                SELECT accrual_day, currency, channel_code, 0, 0, sign * cents,
                       {_if("is_reversal", "sign * cents")}, 0
                  FROM dated
                 WHERE accrual_day <> day
                UNION ALL
                SELECT captured_day, currency, channel_code, 0, 0, 0, 0, sign
                  FROM dated
                 WHERE kind IN ('captured', 'adjusted') AND captured_day IS NOT NULL
                 GROUP BY sign, order_id, currency, channel_code, captured_day
                HAVING sum(cents) <> 0) AS part
         GROUP BY day, currency, channel_code
        HAVING {" OR ".join(f"sum({measure}) <> 0" for measure in MEASURES)}
    )
"""  # noqa: S608 - constants of this module

ALLOCATED: Final = f"""
    summand AS MATERIALIZED (
        SELECT 1 AS sign, entry.tenant_id, entry.order_id, entry.currency, entry.effective_at,
               {counted_kind("entry")} AS kind, part.channel_code, part.allocated_cents AS cents
          FROM allocations AS part
          JOIN ledger_entries AS entry ON entry.tenant_id = part.tenant_id AND entry.entry_id = part.entry_id
         WHERE part.model_version = :model_version
    )
"""  # noqa: S608 - constants of this module
"""Everything that is allocated under a model version, as CELLS reads it."""

# Grouped rather than joined: the cost stays linear whatever the planner knows of the tenant.
UNALLOCATED: Final = """
    unallocated AS MATERIALIZED (
        SELECT entry_id, order_id, currency, effective_at, effect_cents,
               coalesce(CASE WHEN kind <> 'captured' THEN min(effective_at)
                             FILTER (WHERE kind = 'captured' AND captured_cents <> 0)
                             OVER (PARTITION BY order_key, currency) END, effective_at) AS accrued_at,
               is_allocated
          FROM (SELECT entry_id, order_id, currency, kind, effective_at, effect_cents, is_allocated,
                       order_id COLLATE "C" AS order_key,
                       sum(effect_cents) FILTER (WHERE kind = 'captured')
                           OVER (PARTITION BY order_id COLLATE "C", currency, effective_at) AS captured_cents
                  FROM (SELECT entry_id, max(order_id) AS order_id, max(currency) AS currency,
                               max(kind) AS kind, max(effective_at) AS effective_at,
                               sum(effect_cents) AS effect_cents, max(is_allocated) AS is_allocated
                          FROM booked
                         GROUP BY entry_id) AS entry) AS standing
    )
"""
"""Entries with the time they accrue at, from `booked`: entries, and a row with is_allocated 1 per part."""

_COLUMNS: Final = "entry_id, order_id, currency, effective_at, accrued_at, effect_cents"

_ADDED: Final = ", ".join(f"{measure} = row.{measure} + excluded.{measure}" for measure in MEASURES)

_INSERT: Final = f"""
    INSERT INTO channel_days AS row (model_version, day, currency, channel_code, {", ".join(MEASURES)})
    SELECT :model_version, day, currency, channel_code, {", ".join(MEASURES)}
      FROM day_cell
     ORDER BY day, currency, channel_code
"""  # noqa: S608 - constants of this module

# The part of a job's statement that keeps the summary in step: what its entries were credited with before
# (`kept`) counts out, what they are now (`fresh`) in. A version that is not summarised costs nothing.
FOLLOW: Final = f"""
    , summand AS MATERIALIZED (
        SELECT side.sign, entry.tenant_id, entry.order_id, entry.currency, entry.effective_at, entry.kind,
               side.channel_code, side.cents
          FROM (SELECT -1 AS sign, entry_nth, channel_code, allocated_cents AS cents FROM kept
                UNION ALL
                SELECT 1, entry_nth, channel_code, allocated_cents FROM fresh) AS side
          JOIN entry USING (entry_nth)
         WHERE EXISTS (SELECT FROM summarised_versions WHERE model_version = :model_version)
    ), {CELLS}, summed AS (
        {_INSERT}
        ON CONFLICT (tenant_id, model_version, day, currency, channel_code) DO UPDATE SET {_ADDED}
    ), idle AS MATERIALIZED (
        SELECT entry.tenant_id, entry.entry_id, entry.order_id, entry.currency, entry.effective_at,
               entry.effect_cents
          FROM entry
          LEFT JOIN (SELECT DISTINCT entry_nth FROM fresh) AS part USING (entry_nth)
         WHERE part.entry_nth IS NULL
           AND EXISTS (SELECT FROM summarised_versions WHERE model_version = :model_version)
    ), served AS (
        DELETE FROM waiting_entries
         WHERE model_version = :model_version
           AND entry_id IN (SELECT entry_id FROM entry)
           AND entry_id NOT IN (SELECT entry_id FROM idle)
    ), waits AS (
        INSERT INTO waiting_entries (model_version, {_COLUMNS})
        SELECT :model_version, entry_id, order_id, currency, effective_at, effective_at, effect_cents
          FROM idle
            ON CONFLICT (tenant_id, model_version, entry_id) DO NOTHING
    )
"""  # noqa: S608 - constants of this module

_WAITING: Final = f"""
    booked AS (
        SELECT entry_id, order_id, currency, kind, effective_at, effect_cents, 0 AS is_allocated
          FROM ledger_entries
         WHERE effect_cents <> 0
        UNION ALL
        SELECT entry_id, NULL, NULL, NULL, NULL, 0, 1 FROM allocations WHERE model_version = :model_version
    ), {UNALLOCATED}, marked AS MATERIALIZED (
        SELECT order_id FROM orders WHERE journey_id IN (SELECT journey_id FROM dirty_marks)
    ), waiting AS MATERIALIZED (
        SELECT {_COLUMNS}
          FROM unallocated
         WHERE is_allocated = 0 AND order_id NOT IN (SELECT order_id FROM marked)
    )
"""  # noqa: S608 - constants of this module

REBUILD: Final = (
    "DELETE FROM channel_days WHERE model_version = :model_version",
    f"WITH {ALLOCATED}, {CELLS} {_INSERT}",
    "DELETE FROM waiting_entries WHERE model_version = :model_version",
    f"""
    WITH {_WAITING}
    INSERT INTO waiting_entries (model_version, {_COLUMNS})
    SELECT :model_version, {_COLUMNS} FROM waiting ORDER BY entry_id
    """,  # noqa: S608 - constants of this module
    """
    INSERT INTO summarised_versions (model_version) VALUES (:model_version)
        ON CONFLICT (tenant_id, model_version) DO UPDATE SET checked_at = clock_timestamp()
    """,
)
"""The statements that make a version's summary anew, from one snapshot in which nobody else changes it."""

DRIFT: Final = f"""
    WITH {ALLOCATED}, {CELLS}, stored AS (
        SELECT day, currency, channel_code, {", ".join(MEASURES)}
          FROM channel_days
         WHERE model_version = :model_version
           AND ({", ".join(MEASURES)}) <> (0, 0, 0, 0, 0)
    )
    SELECT count(*)
      FROM (SELECT day, currency, channel_code
              FROM (SELECT * FROM day_cell UNION ALL SELECT * FROM stored) AS both_sides
             GROUP BY day, currency, channel_code, {", ".join(MEASURES)}
            HAVING count(*) <> 2) AS differing
"""  # noqa: S608 - constants of this module
"""Count the cells that are not what their allocations make them; a wrong value counts on both sides."""

WAITING_DRIFT: Final = f"""
    WITH {_WAITING}, stored AS (
        SELECT {_COLUMNS}
          FROM waiting_entries
         WHERE model_version = :model_version AND order_id NOT IN (SELECT order_id FROM marked)
    )
    SELECT count(*)
      FROM (SELECT entry_id
              FROM (SELECT * FROM waiting UNION ALL SELECT * FROM stored) AS both_sides
             GROUP BY {_COLUMNS}
            HAVING count(*) <> 2) AS differing
"""  # noqa: S608 - constants of this module
"""Count, likewise, the entries that should wait and do not, or do and should not."""
