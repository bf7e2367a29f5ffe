"""Orders: when each was placed, which journey led to it, and the touch that its payloads hint at.

The hinted touch is kept with its order, not among the recorded ones: it stands at the order's time, in
the order's journey, and only while no recorded touch shows it, all of which may change with what is
told later. Attribution decides that from its snapshot.
"""

from collections.abc import Sequence
from datetime import UTC
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.channels import classify
from skeldir.domain.ids import fact_id
from skeldir.domain.orders import Order, Origin

_GET: Final = text("""
    SELECT order_id, journey_id, ordered_at, hint_source, hint_medium, hint_campaign_id
      FROM orders
     WHERE order_id = ANY(CAST(:order_ids AS text[]))
""")

_PUT: Final = text("""
    INSERT INTO orders (order_id, journey_id, ordered_at, hint_touchpoint_id, hint_source, hint_medium,
                        hint_channel_code, hint_campaign_id)
    VALUES (:order_id, :journey_id, :ordered_at, :hint_touchpoint_id, :hint_source, :hint_medium,
            :hint_channel_code, :hint_campaign_id)
    ON CONFLICT (tenant_id, order_id) DO UPDATE
       SET journey_id = excluded.journey_id, ordered_at = excluded.ordered_at,
           hint_touchpoint_id = excluded.hint_touchpoint_id, hint_source = excluded.hint_source,
           hint_medium = excluded.hint_medium, hint_channel_code = excluded.hint_channel_code,
           hint_campaign_id = excluded.hint_campaign_id, updated_at = now()
""")


def get(session: Session, order_ids: Sequence[str]) -> dict[str, Order]:
    """Return the orders that are known."""
    return {
        row.order_id: Order(
            row.order_id,
            row.journey_id,
            row.ordered_at.astimezone(UTC),
            Origin(row.hint_source, row.hint_medium, row.hint_campaign_id)
            if row.hint_source or row.hint_medium
            else None,
        )
        for row in session.execute(_GET, {"order_ids": list(order_ids)})
    }


def put(session: Session, tenant_id: UUID, orders: Sequence[Order]) -> None:
    """Keep orders as they now are; the caller holds their locks."""
    for order in orders:
        session.execute(_PUT, _row(tenant_id, order))


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
