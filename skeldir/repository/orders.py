"""Orders: when each was placed, which journey led to it, and the touch that its payloads hint at.

The hinted touch is kept with its order, not among the recorded ones: it stands at the order's time, in
the order's journey, and only while no recorded touch shows it, all of which may change with what is
told later. Attribution decides that from its snapshot.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from skeldir.domain.channels import classify
from skeldir.domain.ids import fact_id
from skeldir.domain.orders import Order, Origin
from skeldir.repository.facts import in_utc

OF_ORDERS: Final = """
    SELECT known.told
      FROM asked, LATERAL (
               SELECT json_build_array(order_id, journey_id, ordered_at, hint_source, hint_medium,
                                       hint_campaign_id) AS told
                 FROM orders WHERE order_id = asked.order_id OFFSET 0) AS known
"""

INSERT: Final = """
    INSERT INTO orders (order_id, journey_id, ordered_at, hint_touchpoint_id, hint_source, hint_medium,
                        hint_channel_code, hint_campaign_id)
    SELECT told.*
      FROM sent, jsonb_to_recordset(sent.document -> 'orders')
           AS told (order_id text, journey_id text, ordered_at timestamptz, hint_touchpoint_id uuid,
                    hint_source text, hint_medium text, hint_channel_code text, hint_campaign_id text)
        ON CONFLICT (tenant_id, order_id) DO UPDATE
       SET journey_id = excluded.journey_id, ordered_at = excluded.ordered_at,
           hint_touchpoint_id = excluded.hint_touchpoint_id, hint_source = excluded.hint_source,
           hint_medium = excluded.hint_medium, hint_channel_code = excluded.hint_channel_code,
           hint_campaign_id = excluded.hint_campaign_id, updated_at = now()
"""


def known(found: Iterable[Sequence[Any]]) -> dict[str, Order]:
    """Return what OF_ORDERS found: the orders that are known."""
    return {
        order_id: Order(
            order_id,
            journey_id,
            in_utc(ordered_at),
            Origin(source, medium, campaign) if source or medium else None,
        )
        for order_id, journey_id, ordered_at, source, medium, campaign in found
    }


def rows(tenant_id: UUID, orders: Iterable[Order]) -> list[dict[str, object]]:
    """Return orders, as they now are, as INSERT reads them; the caller holds their locks."""
    return [_row(tenant_id, order) for order in orders]


def _row(tenant_id: UUID, order: Order) -> dict[str, object]:
    origin = order.origin
    return {
        "order_id": order.order_id,
        "journey_id": order.journey_id,
        "ordered_at": order.ordered_at,
        "hint_touchpoint_id": origin and fact_id(tenant_id, "hinted touch", order.order_id),
        "hint_source": origin and origin.source,
        "hint_medium": origin and origin.medium,
        "hint_channel_code": origin and classify(utm_source=origin.source, utm_medium=origin.medium),
        "hint_campaign_id": origin and origin.campaign,
    }
