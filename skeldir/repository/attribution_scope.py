"""What some orders are attributed from: their entries, and the touches within their look-back.

Every row is looked up by its key or by a range of an index, one LATERAL look-up per id that was asked for,
and what is left to join is hashed: the job turns everything else off. So the plan is the same whatever the
planner knows of the tenant, it is made once, and the cost is linear in what was asked for. An ORDER BY that
one index alone offers, with equal ids said as a range of them, makes the planner take that index, since the
job turns sorting off too: where it believes a tenant to have a row or two, all of the tenant's look as good
to it.
"""

from typing import Final

from skeldir.repository.summaries_sql import counted_kind

TOUCHES_MAX: Final = 200
"""An order counts its latest so many recorded touches, and its latest so many hinted ones.

Without a bound a journey of thousands of touches and orders costs their product, for every model.
"""

# As JSON, which the standard library writes ten times as fast as the driver writes an array.
_GIVEN_ORDERS: Final = "json_array_elements_text(CAST(:order_ids AS json)) AS asked (order_id)"
_GIVEN_JOURNEYS: Final = "json_array_elements_text(CAST(:journey_ids AS json)) AS asked (journey_id)"

# A touch that an order's payload hints at counts unless a recorded one of the same source and medium, at
# most a look-back older, shows it: the running maximum finds the latest of these in one pass.
# The look-back is counted in hours: a day is 23 or 25 of them where a session's time zone changes its clocks.
_HINTED: Final = """told AS MATERIALIZED (
        SELECT tenant_id, journey_id, source, medium, ordered_at AS occurred_at,
               hint_touchpoint_id, CAST(NULL AS timestamptz) AS recorded_at
          FROM journey_order
         WHERE hint_touchpoint_id IS NOT NULL
        UNION ALL
        SELECT found.tenant_id, found.journey_id, found.source, found.medium, found.occurred_at,
               NULL, found.occurred_at
          FROM (SELECT DISTINCT journey_id FROM journey_order WHERE hint_touchpoint_id IS NOT NULL) AS asked,
               LATERAL (SELECT tenant_id, journey_id, occurred_at,
                               lower(coalesce(source, '')) AS source,
                               lower(coalesce(medium, '')) AS medium
                          FROM touchpoints
                         WHERE touchpoints.journey_id BETWEEN asked.journey_id AND asked.journey_id
                         ORDER BY touchpoints.journey_id, occurred_at) AS found
         WHERE (found.tenant_id, found.journey_id, found.source, found.medium) IN (
                   SELECT tenant_id, journey_id, source, medium
                     FROM journey_order
                    WHERE hint_touchpoint_id IS NOT NULL)
    ), hinted AS MATERIALIZED (
        SELECT tenant_id, journey_id, hint_touchpoint_id
          FROM (SELECT told.*, max(recorded_at) OVER (
                           PARTITION BY tenant_id, journey_id, source, medium ORDER BY occurred_at
                       ) AS shown_at
                  FROM told) AS ordered
         WHERE hint_touchpoint_id IS NOT NULL
           AND (shown_at IS NULL OR shown_at <= occurred_at - make_interval(hours => 24 * :lookback_days))
"""


def scope(orders: str = _GIVEN_ORDERS, journeys: str = _GIVEN_JOURNEYS, touches: str | None = None) -> str:
    """Return the CTEs of what orders are attributed from, among them `entry`, `sale` and `touch`.

    An order is a number in them, `nth`, and its entry another, `entry_nth`: hashed and sorted in a fraction
    of the time that ids take. `orders` and `journeys` are SQL for the ids of the orders, and of all their
    journeys, as `asked`. `touches` may be a query over `seen` that shows its touches otherwise than they
    are stored. An entry's `kind` is what it counts as.
    """
    seen = "touch" if touches is None else "seen"
    shown = "" if touches is None else f", touch AS MATERIALIZED ({touches})"
    return f"""
    journey_order AS MATERIALIZED (
        SELECT found.*
          FROM {journeys},
               LATERAL (SELECT tenant_id, order_id, journey_id, ordered_at, hint_touchpoint_id,
                               lower(coalesce(hint_source, '')) AS source,
                               lower(coalesce(hint_medium, '')) AS medium
                          FROM orders
                         WHERE orders.journey_id = asked.journey_id
                         ORDER BY ordered_at) AS found
    ), sale AS MATERIALIZED (
        SELECT row_number() OVER () AS nth, tenant_id, order_id, journey_id, ordered_at,
               ordered_at - make_interval(hours => 24 * :lookback_days) AS oldest_at
          FROM journey_order
          JOIN {orders} USING (order_id)
    ), entry AS MATERIALIZED (
        SELECT nth, row_number() OVER () AS entry_nth, found.*
          FROM sale,
               LATERAL (SELECT tenant_id, entry_id, order_id, {counted_kind()} AS kind, currency,
                               effective_at, effect_cents
                          FROM ledger_entries
                         WHERE ledger_entries.tenant_id = sale.tenant_id
                           AND ledger_entries.order_id = sale.order_id
                           AND effect_cents <> 0
                         ORDER BY ledger_entries.kind, reference) AS found
    ), {_HINTED}
    ), {seen} AS MATERIALIZED (
        SELECT sale.tenant_id, sale.nth,
               found.occurred_at, found.touchpoint_id, found.channel_code, found.campaign_id
          FROM sale,
               LATERAL (SELECT occurred_at, touchpoint_id, channel_code, campaign_id
                          FROM touchpoints
                         WHERE touchpoints.tenant_id = sale.tenant_id
                           AND (journey_id, occurred_at) <= (sale.journey_id, sale.ordered_at)
                           AND (journey_id, occurred_at) > (sale.journey_id, sale.oldest_at)
                         ORDER BY touchpoints.journey_id DESC, occurred_at DESC, touchpoint_id DESC
                         LIMIT {TOUCHES_MAX}) AS found
        UNION ALL
        SELECT sale.tenant_id, sale.nth,
               found.ordered_at, found.hint_touchpoint_id, found.hint_channel_code, found.campaign_id
          FROM (SELECT * FROM sale WHERE journey_id IN (SELECT journey_id FROM hinted)) AS sale,
               LATERAL (SELECT tenant_id, ordered_at, hint_touchpoint_id, hint_channel_code,
                               coalesce(hint_campaign_id, '') AS campaign_id
                          FROM orders
                         WHERE orders.tenant_id = sale.tenant_id
                           AND hint_touchpoint_id IS NOT NULL
                           AND (orders.journey_id, orders.ordered_at) <= (sale.journey_id, sale.ordered_at)
                           AND (orders.journey_id, orders.ordered_at) > (sale.journey_id, sale.oldest_at)
                         ORDER BY orders.journey_id DESC, orders.ordered_at DESC, hint_touchpoint_id DESC
                         LIMIT {TOUCHES_MAX}) AS found
         WHERE (found.tenant_id, found.hint_touchpoint_id) IN (
                   SELECT tenant_id, hint_touchpoint_id FROM hinted)
    ){shown}
"""  # noqa: S608 - sources are constants
