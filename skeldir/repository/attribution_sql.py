"""The statements of attribution: one per model, which computes and replaces inside Postgres.

Shape. Every table is read once, by an array of ids, so that no join decides how it is read; the job
turns nested loops off for what remains to be joined. Both together keep the cost linear for a tenant
that the planner has no statistics of, which is where such statements become quadratic.

Arithmetic. All amounts are integers; products are numeric, because a product of two amounts does not
fit a bigint. Ties are decided in the C collation, so that no server's language changes a cent.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import TextClause, text

from skeldir.domain.models import DIRECT, Model
from skeldir.repository import summaries_sql
from skeldir.repository.credit_rules import CREDIT


# What the orders are attributed from, each table read once and the touches cut to the look-back. A touch
# that an order's payload hints at counts unless a recorded one of the same source and medium shows it.
# The look-back is counted in hours: a day is 23 or 25 of them where a session's time zone changes its clocks.
def scope(of_orders: str, of_journeys: str, visits: str = "visit") -> str:
    """Return the CTEs of what orders are attributed from; conditions say of which orders and journeys.

    `visits` may be a query over `visit` that shows its touches otherwise than they are stored.
    """
    return f"""
    entry AS MATERIALIZED (
        SELECT tenant_id, entry_id, order_id, kind, currency, effective_at, effect_cents
          FROM ledger_entries
         WHERE {of_orders}
           AND effect_cents <> 0
    ), sale AS MATERIALIZED (
        SELECT tenant_id, order_id, journey_id, ordered_at
          FROM orders
         WHERE {of_orders}
    ), recorded AS MATERIALIZED (
        SELECT tenant_id, journey_id, occurred_at, touchpoint_id, channel_code, campaign_id,
               lower(coalesce(source, '')) AS source, lower(coalesce(medium, '')) AS medium
          FROM touchpoints
         WHERE {of_journeys}
    ), hinted AS MATERIALIZED (
        SELECT tenant_id, journey_id, ordered_at AS occurred_at, hint_touchpoint_id AS touchpoint_id,
               hint_channel_code AS channel_code, coalesce(hint_campaign_id, '') AS campaign_id,
               lower(coalesce(hint_source, '')) AS source, lower(coalesce(hint_medium, '')) AS medium
          FROM orders
         WHERE {of_journeys} AND hint_touchpoint_id IS NOT NULL
    ), visit AS MATERIALIZED (
        SELECT tenant_id, journey_id, occurred_at, touchpoint_id, channel_code, campaign_id
          FROM recorded
        UNION ALL
        SELECT tenant_id, journey_id, occurred_at, touchpoint_id, channel_code, campaign_id
          FROM hinted
         WHERE NOT EXISTS (
            SELECT FROM recorded
             WHERE recorded.tenant_id = hinted.tenant_id
               AND recorded.journey_id = hinted.journey_id
               AND recorded.source = hinted.source
               AND recorded.medium = hinted.medium
               AND recorded.occurred_at <= hinted.occurred_at
               AND recorded.occurred_at > hinted.occurred_at
                                          - make_interval(hours => 24 * :lookback_days))
    ), touch AS MATERIALIZED (
        SELECT sale.tenant_id, sale.order_id,
               visit.occurred_at, visit.touchpoint_id, visit.channel_code, visit.campaign_id
          FROM sale
          JOIN {visits} AS visit USING (tenant_id, journey_id)
         WHERE visit.occurred_at <= sale.ordered_at
           AND visit.occurred_at > sale.ordered_at - make_interval(hours => 24 * :lookback_days)
    )
"""  # noqa: S608 - conditions are constants


_OF_ORDERS: Final = "order_id = ANY(CAST(:order_ids AS text[]))"
_OF_JOURNEYS: Final = "journey_id = ANY(CAST(:journey_ids AS text[]))"


def split(source: str, *, is_by_channel: bool = False) -> str:
    """Return SQL that splits `amount` by `weight`: largest remainder, channels first, then campaigns.

    The source offers `entry_id` (the parts of one amount share it), `amount`, `channel_code`,
    `campaign_id` and `weight`; its columns are kept and `cents` is added. No weight may be negative and
    not all of an entry's may be 0. `is_by_channel`: the `channel_count` channels share equally.
    """
    share, shares = ("1", "channel_count") if is_by_channel else ("channel_weight", "total_weight")
    return f"""
    SELECT whole.*, base + CASE WHEN row_number() OVER (
               PARTITION BY entry_id, channel_code ORDER BY rest DESC, campaign_id COLLATE "C"
           ) <= channel_cents - sum(base) OVER (PARTITION BY entry_id, channel_code)
           THEN 1 ELSE 0 END AS cents
      FROM (SELECT channel.*,
                   div(channel_cents * weight, greatest(channel_weight, 1)) AS base,
                   mod(channel_cents * weight, greatest(channel_weight, 1)) AS rest
              FROM (SELECT share.*, channel_base + CASE WHEN dense_rank() OVER (
                               PARTITION BY entry_id ORDER BY channel_rest DESC, channel_code COLLATE "C"
                           ) <= amount - sum(channel_base) FILTER (WHERE nth_campaign = 1)
                                         OVER (PARTITION BY entry_id) THEN 1 ELSE 0 END AS channel_cents
                      FROM (SELECT weighed.*,
                                   div(amount * {share}, {shares}) AS channel_base,
                                   mod(amount * {share}, {shares}) AS channel_rest
                              FROM (SELECT given.*,
                                           sum(weight) OVER (PARTITION BY entry_id) AS total_weight,
                                           sum(weight) OVER (PARTITION BY entry_id, channel_code)
                                               AS channel_weight,
                                           row_number() OVER (PARTITION BY entry_id, channel_code
                                                              ORDER BY campaign_id COLLATE "C")
                                               AS nth_campaign
                                      FROM ({source}) AS given
                                   ) AS weighed
                           ) AS share
                   ) AS channel
           ) AS whole
    """  # noqa: S608 - built from this module's constants only


_PARTS: Final = """
    SELECT entry.tenant_id, entry.entry_id, entry.order_id, entry.currency, entry.effective_at,
           CAST(entry.effect_cents AS numeric) AS {amount},
           credit.channel_code, credit.campaign_id, credit.weight{also}
      FROM entry
      JOIN credit USING (tenant_id, order_id)
     WHERE entry.effect_cents > 0
"""


def _positive(model: Model) -> str:
    """Return the parts of what came in; where one touch gets everything there is nothing to split."""
    rule = CREDIT[model]
    if rule.is_single:
        return _PARTS.format(amount="cents", also="")
    also = ", credit.channel_count" if rule.is_by_channel else ""
    return split(_PARTS.format(amount="amount", also=also), is_by_channel=rule.is_by_channel)


# The k-th reversal of every order at once. When nothing remains (more went back than came in),
# what had been credited decides.
_ROUND: Final = split("""
    SELECT reversal.round, reversal.entry_id, reversal.effective_at,
           cell.tenant_id, cell.order_id, cell.currency, cell.channel_code, cell.campaign_id,
           cell.credited, cell.remaining, CAST(-reversal.effect_cents AS numeric) AS amount,
           CASE WHEN sum(cell.remaining) OVER (PARTITION BY reversal.entry_id) > 0
                THEN cell.remaining ELSE cell.credited END AS weight
      FROM reversed AS cell
      JOIN reversal ON reversal.tenant_id = cell.tenant_id
                   AND reversal.order_id = cell.order_id
                   AND reversal.currency = cell.currency
                   AND reversal.round = cell.round + 1
""")


_FALLBACKS: Final = "SELECT tenant_id, order_id, min(fallback) AS fallback FROM credit GROUP BY 1, 2"


def fresh(model: Model, visits: str = "visit") -> str:
    """Return the computation: what the entries' allocations are to be, as `fresh`; `visits` as in `scope`."""
    rule = CREDIT[model]
    fallback, fallbacks = "CAST(NULL AS text) AS fallback", ""
    if rule.is_fallible:
        fallback, fallbacks = "fallback", f"LEFT JOIN ({_FALLBACKS}) AS fallen USING (tenant_id, order_id)"
    return f"""
    WITH RECURSIVE {scope(_OF_ORDERS, _OF_JOURNEYS, visits)}, touched AS MATERIALIZED (
        SELECT tenant_id, order_id, count(*) AS touch_count FROM touch GROUP BY tenant_id, order_id
    ), credit AS MATERIALIZED (
        ({rule.sql})
        UNION ALL
        SELECT sale.tenant_id, sale.order_id, '{DIRECT}', '', 1{rule.untouched}
          FROM sale
          LEFT JOIN touched USING (tenant_id, order_id)
         WHERE touched.order_id IS NULL
    ), positive AS MATERIALIZED (
        {_positive(model)}
    ), reversal AS MATERIALIZED (
        SELECT tenant_id, entry_id, order_id, currency, effective_at, effect_cents,
               row_number() OVER (PARTITION BY tenant_id, order_id, currency
                                  ORDER BY effective_at, entry_id) AS round
          FROM entry
         WHERE effect_cents < 0
    ), cell AS (
        SELECT tenant_id, order_id, currency, channel_code, campaign_id, sum(cents) AS credited
          FROM positive
         WHERE (tenant_id, order_id, currency) IN (SELECT tenant_id, order_id, currency FROM reversal)
         GROUP BY tenant_id, order_id, currency, channel_code, campaign_id
    ), reversed AS (
        SELECT CAST(0 AS bigint) AS round, CAST(NULL AS uuid) AS entry_id,
               CAST(NULL AS timestamptz) AS effective_at,
               tenant_id, order_id, currency, channel_code, campaign_id, credited, credited AS remaining,
               CAST(0 AS numeric) AS cents
          FROM cell
        UNION ALL
        SELECT round, entry_id, effective_at,
               tenant_id, order_id, currency, channel_code, campaign_id, credited, remaining - cents, cents
          FROM ({_ROUND}) AS round
    ), part AS (
        SELECT tenant_id, entry_id, order_id, channel_code, campaign_id, cents, currency, effective_at
          FROM positive
         WHERE cents <> 0
        UNION ALL
        SELECT tenant_id, entry_id, order_id, channel_code, campaign_id, -cents, currency, effective_at
          FROM reversed
         WHERE cents <> 0
    ), fresh AS MATERIALIZED (
        SELECT tenant_id, entry_id, order_id, channel_code, campaign_id,
               CAST(cents AS bigint) AS allocated_cents, currency, effective_at,
               CAST(coalesce(touch_count, 0) AS integer) AS touch_count, {fallback}
          FROM part
          LEFT JOIN touched USING (tenant_id, order_id)
          {fallbacks}
    )
    """  # noqa: S608 - built from this module's constants only


# Rows that vanish and rows that are new or differ, in one statement, so that the check of the sums
# sees an entry only as it was or as it will be. No key is in both sets. Equal rows are not written.
_WRITE: Final = """
    , kept AS MATERIALIZED (
        SELECT tenant_id, entry_id, order_id, channel_code, campaign_id,
               allocated_cents, currency, effective_at, touch_count, fallback
          FROM allocations
         WHERE model_version = :model_version
           AND entry_id = ANY(CAST(:entry_ids AS uuid[]))
    ), vanished AS (
        DELETE FROM allocations AS row
         USING kept LEFT JOIN fresh USING (tenant_id, entry_id, channel_code, campaign_id)
         WHERE fresh.order_id IS NULL
           AND row.model_version = :model_version
           AND row.entry_id = ANY(CAST(:entry_ids AS uuid[]))
           AND row.tenant_id = kept.tenant_id
           AND row.entry_id = kept.entry_id
           AND row.channel_code = kept.channel_code
           AND row.campaign_id = kept.campaign_id
        RETURNING 1
    ), written AS (
        INSERT INTO allocations AS row
               (model_version, entry_id, order_id, channel_code, campaign_id,
                allocated_cents, currency, effective_at, touch_count, fallback)
        SELECT :model_version, fresh.entry_id, fresh.order_id, fresh.channel_code, fresh.campaign_id,
               fresh.allocated_cents, fresh.currency, fresh.effective_at, fresh.touch_count,
               fresh.fallback
          FROM fresh
          LEFT JOIN kept USING (tenant_id, entry_id, channel_code, campaign_id)
         WHERE (kept.order_id, kept.allocated_cents, kept.currency, kept.effective_at, kept.touch_count,
                kept.fallback)
               IS DISTINCT FROM
               (fresh.order_id, fresh.allocated_cents, fresh.currency, fresh.effective_at, fresh.touch_count,
                fresh.fallback)
         ORDER BY fresh.entry_id, fresh.channel_code, fresh.campaign_id
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
_COUNT: Final = """
    SELECT (SELECT count(*) FROM written) AS written, (SELECT count(*) FROM vanished) AS vanished
"""

REPLACE: Final[Mapping[Model, TextClause]] = {
    model: text(fresh(model) + _WRITE + summaries_sql.FOLLOW + _COUNT) for model in CREDIT
}
"""Per model: compute some orders' allocations, replace what is kept of them and have the summary follow."""


def _half(first_byte: int) -> str:
    return f"CAST(CAST('x' || encode(substr(hash, {first_byte}, 7), 'hex') AS bit(56)) AS bigint)"


DIGEST: Final = text(f"""
    WITH {scope(_OF_ORDERS, _OF_JOURNEYS)}, fact AS (
        SELECT CAST(ROW('entry', entry_id, order_id, currency, extract(epoch FROM effective_at),
                      effect_cents) AS text) AS told
          FROM entry
        UNION ALL
        SELECT CAST(ROW('order', order_id, extract(epoch FROM ordered_at)) AS text) FROM sale
        UNION ALL
        SELECT CAST(ROW('touch', order_id, touchpoint_id, extract(epoch FROM occurred_at), channel_code,
                        campaign_id) AS text)
          FROM touch
    ), hashed AS (
        SELECT sha256(convert_to(told, 'UTF8')) AS hash FROM fact
    )
    SELECT count(*) AS rows, coalesce(sum({_half(1)}), 0) AS high, coalesce(sum({_half(8)}), 0) AS low
      FROM hashed
""")  # noqa: S608 - built from this module's constants only
"""Digest what some orders are attributed from; sums, so that neither row order nor chunking shows."""
