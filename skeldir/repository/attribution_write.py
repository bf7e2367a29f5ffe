"""How the kept allocations of some entries become the fresh ones: one statement, equal rows untouched.

What was computed goes through the worker as text that it does not read, one array per column: so one session
may compute while another writes, and one statement writes for every model.
"""

from typing import Final

from sqlalchemy import text

from skeldir.repository import summaries_sql

_PART: Final = {
    "part_entry_nth": ("entry_nth", "bigint"),
    "channel_code": ("channel_code", "text"),
    "campaign_id": ("campaign_id", "text"),
    "allocated_cents": ("allocated_cents", "bigint"),
    "touch_count": ("touch_count", "integer"),
    "fallback": ("fallback", "text"),
}
_ENTRY: Final = {
    "entry_nth": ("entry_nth", "bigint"),
    "entry_id": ("entry_id", "uuid"),
    "order_id": ("order_id", "text"),
    "kind": ("kind", "text"),
    "currency": ("currency", "text"),
    "effective_at": ("effective_at", "timestamptz"),
    "effect_cents": ("effect_cents", "bigint"),
}


def _told(columns: dict[str, tuple[str, str]], source: str) -> str:
    arrays = (
        f"coalesce(CAST(array_agg({column}) AS text), '{{}}') AS {name}"
        for name, (column, _) in columns.items()
    )
    return f"(SELECT {', '.join(arrays)} FROM {source}) AS told_{source}"  # noqa: S608 - this module's constants


def _heard(columns: dict[str, tuple[str, str]], name: str) -> str:
    arrays = ", ".join(f"CAST(:{parameter} AS {kind}[])" for parameter, (_, kind) in columns.items())
    return f"unnest({arrays}) AS {name} ({', '.join(column for column, _ in columns.values())})"


TELL: Final = f"""
    SELECT told_entry.*, told_fresh.* FROM {_told(_ENTRY, "entry")}, {_told(_PART, "fresh")}
"""  # noqa: S608 - the same
"""What follows the computation of `entry` and `fresh`: one row, each column of theirs an array as text."""

_HEAR: Final = f"""
    WITH entry AS MATERIALIZED (
        SELECT public.current_tenant_id() AS tenant_id, told.* FROM {_heard(_ENTRY, "told")}
    ), fresh AS MATERIALIZED (
        SELECT entry_nth, tenant_id, entry_id, order_id, channel_code, campaign_id, allocated_cents,
               currency, effective_at, touch_count, fallback
          FROM {_heard(_PART, "part")}
          JOIN entry USING (entry_nth)
    )
"""  # noqa: S608 - the same

_INSERT: Final = """INSERT INTO allocations
               (tenant_id, model_version, entry_id, order_id, channel_code, campaign_id,
                allocated_cents, currency, effective_at, touch_count, fallback)
        SELECT tenant_id, :model_version, entry_id, order_id, channel_code, campaign_id,
               allocated_cents, currency, effective_at, touch_count, fallback
          FROM"""

# Rows that vanish, change and are new, in one statement, so that the check of the sums sees an entry only
# as it was or as it will be. No key is in two of the sets: nobody else writes while the job has its turn,
# so rows are deleted and changed where they lie, and new ones are put in without looking for others of their
# key. The order by the rest of the key has the kept rows read by it, whatever the planner knows.
_WRITE: Final = f"""
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
        SELECT fresh.*, kept.place, kept.order_id IS NULL AS is_new
          FROM fresh
          LEFT JOIN kept USING (entry_nth, channel_code, campaign_id)
         WHERE kept.order_id IS NULL
            OR (kept.order_id, kept.allocated_cents, kept.currency, kept.effective_at, kept.touch_count,
                kept.fallback)
               IS DISTINCT FROM
               (fresh.order_id, fresh.allocated_cents, fresh.currency, fresh.effective_at, fresh.touch_count,
                fresh.fallback)
    ), added AS (
        {_INSERT} differing
         WHERE is_new
         ORDER BY entry_id
        RETURNING 1
    ), changed AS (
        UPDATE allocations AS row
           SET order_id = differing.order_id,
               allocated_cents = differing.allocated_cents,
               currency = differing.currency,
               effective_at = differing.effective_at,
               touch_count = differing.touch_count,
               fallback = differing.fallback
          FROM differing
         WHERE row.ctid = ANY(ARRAY(SELECT place FROM differing WHERE NOT is_new))
           AND differing.place = row.ctid
        RETURNING 1
    )
"""  # noqa: S608 - the same

_COUNT: Final = """
    SELECT (SELECT count(*) FROM added) + (SELECT count(*) FROM changed) AS written,
           (SELECT count(*) FROM vanished) AS vanished
"""

REPLACE: Final = text(_HEAR + _WRITE + summaries_sql.FOLLOW + _COUNT)
"""Replace what is kept of some entries by what was computed of them, and have the summary follow."""

STORE: Final = text(f"""{_HEAR}, kept AS (
        SELECT * FROM fresh WHERE false
    ), added AS (
        {_INSERT} fresh
         ORDER BY entry_id
        RETURNING 1
    ) {summaries_sql.FOLLOW}
    SELECT count(*) AS written, 0 AS vanished FROM added
""")  # noqa: S608 - the same
"""Do it where nothing is kept: a fifth faster than looking for it and comparing."""

ARE_KEPT: Final = text("SELECT EXISTS (SELECT FROM allocations WHERE model_version = :model_version)")
