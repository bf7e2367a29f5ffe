"""The computation of attribution: one statement per model, inside Postgres.

Arithmetic. All amounts are integers. Products of ordinary amounts and weights fit a bigint, which Postgres
refuses to overflow; for those that do not, the same statement exists with numeric. Ties are decided in the
C collation, so that no server's language changes a cent.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import TextClause, text

from skeldir.domain.models import DIRECT, Model
from skeldir.repository.attribution_scope import scope
from skeldir.repository.attribution_split import (
    NUMBERS,
    Number,
    among_campaigns,
    among_channels,
    split,
    total,
)
from skeldir.repository.attribution_write import TELL
from skeldir.repository.credit_rules import CREDIT

_PARTS: Final = """
    SELECT entry.entry_nth, CAST(entry.effect_cents AS {number}) AS {amount},
           credit.channel_code COLLATE "C" AS channel_code, credit.campaign_id COLLATE "C" AS campaign_id,
           CAST(credit.weight AS {number}) AS weight{also}
      FROM entry
      JOIN credit USING (nth)
     WHERE entry.effect_cents > 0
"""


def _positive(model: Model, number: Number) -> str:
    """Return the parts of what came in, as `positive`.

    Where one touch gets everything there is nothing to split, and few channels have several campaigns.
    """
    rule = CREDIT[model]
    if rule.is_single:
        return f"positive AS MATERIALIZED ({_PARTS.format(amount='cents', number=number, also='')})"
    also = f", CAST(credit.channel_count AS {number}) AS channel_count" if rule.is_by_channel else ""
    source = _PARTS.format(amount="amount", number=number, also=also)
    several = among_campaigns("SELECT * FROM channel_share WHERE campaigns > 1", number)
    return f"""channel_share AS MATERIALIZED (
        {among_channels(source, number, is_by_channel=rule.is_by_channel)}
    ), positive AS MATERIALIZED (
        SELECT entry_nth, channel_code, campaign_id, channel_cents AS cents
          FROM channel_share
         WHERE campaigns = 1
        UNION ALL
        SELECT entry_nth, channel_code, campaign_id, cents FROM ({several}) AS several
    )"""  # noqa: S608 - built from this module's constants only


def _round(number: Number) -> str:
    """Return the k-th reversal of every order at once, each split over what remains.

    When nothing remains (more went back than came in), what had been credited decides.
    """
    return split(
        f"""
    SELECT reversal.round, reversal.entry_nth, cell.nth, cell.currency, cell.channel_code, cell.campaign_id,
           cell.credited, cell.remaining, CAST(-reversal.effect_cents AS {number}) AS amount,
           CASE WHEN sum(cell.remaining) OVER (PARTITION BY reversal.entry_nth) > 0
                THEN cell.remaining ELSE cell.credited END AS weight
      FROM reversed AS cell
      JOIN reversal ON reversal.nth = cell.nth
                   AND reversal.currency = cell.currency
                   AND reversal.round = cell.round + 1
    """,  # noqa: S608 - built from this module's constants only
        number,
    )


_FALLBACKS: Final = "SELECT nth, min(fallback) AS fallback FROM credit GROUP BY nth"


def fresh(model: Model, number: Number, touches: str | None = None) -> str:
    """Return the computation of what entries are to be allocated, as `fresh`; `touches` as in `scope`."""
    rule = CREDIT[model]
    fallback, fallbacks = "CAST(NULL AS text) AS fallback", ""
    if rule.is_fallible:
        fallback, fallbacks = "fallback", f"LEFT JOIN ({_FALLBACKS}) AS fallen USING (nth)"
    return f"""
    WITH RECURSIVE {scope(touches=touches)}, touched AS MATERIALIZED (
        SELECT nth, count(*) AS touch_count FROM touch GROUP BY nth
    ), credit AS MATERIALIZED (
        ({rule.sql})
        UNION ALL
        SELECT sale.nth, '{DIRECT}', '', 1{rule.untouched}
          FROM sale
          LEFT JOIN touched USING (nth)
         WHERE touched.nth IS NULL
    ), {_positive(model, number)}, reversal AS MATERIALIZED (
        SELECT nth, currency, entry_nth, effect_cents,
               row_number() OVER (PARTITION BY nth, currency ORDER BY effective_at, entry_id) AS round
          FROM entry
         WHERE effect_cents < 0
    ), cell AS (
        SELECT entry.nth, entry.currency, channel_code, campaign_id, {total("sum(cents)", number)} AS credited
          FROM (SELECT nth, currency, entry_nth
                  FROM entry
                 WHERE (nth, currency) IN (SELECT nth, currency FROM reversal)) AS entry
          JOIN positive USING (entry_nth)
         GROUP BY entry.nth, entry.currency, channel_code, campaign_id
    ), reversed AS (
        SELECT CAST(0 AS bigint) AS round, CAST(NULL AS bigint) AS entry_nth, nth, currency,
               channel_code, campaign_id, credited, credited AS remaining, CAST(0 AS {number}) AS cents
          FROM cell
        UNION ALL
        SELECT round, entry_nth, nth, currency,
               channel_code, campaign_id, credited, remaining - cents, cents
          FROM ({_round(number)}) AS round
    ), part AS (
        SELECT entry_nth, channel_code, campaign_id, cents FROM positive WHERE cents <> 0
        UNION ALL
        SELECT entry_nth, channel_code, campaign_id, -cents FROM reversed WHERE cents <> 0
    ), fresh AS MATERIALIZED (
        SELECT entry_nth, entry.tenant_id, entry.entry_id, entry.order_id, channel_code, campaign_id,
               CAST(cents AS bigint) AS allocated_cents, entry.currency, entry.effective_at,
               CAST(coalesce(touch_count, 0) AS integer) AS touch_count, {fallback}
          FROM part
          JOIN entry USING (entry_nth)
          LEFT JOIN touched USING (nth)
          {fallbacks}
    )
    """  # noqa: S608 - built from this module's constants only


COMPUTE: Final[Mapping[Number, Mapping[Model, TextClause]]] = {
    number: {model: text(fresh(model, number) + TELL) for model in CREDIT} for number in NUMBERS
}
"""Per model: what some orders' entries are to be allocated; it reads inputs only, and writes nothing."""
