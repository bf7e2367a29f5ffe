"""Orders: when each was placed and which journey led to it."""

from collections.abc import Sequence
from datetime import UTC
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.orders import JourneyClaim, Order

_GET: Final = text("""
    SELECT order_id, journey_id, hinted_at, ordered_at
      FROM orders
     WHERE order_id = ANY(CAST(:order_ids AS text[]))
""")

_PUT: Final = text("""
    INSERT INTO orders (order_id, journey_id, hinted_at, ordered_at)
    SELECT order_id, journey_id, hinted_at, ordered_at
      FROM unnest(CAST(:order_ids AS text[]), CAST(:journey_ids AS text[]),
                  CAST(:hinted_ats AS timestamptz[]), CAST(:ordered_ats AS timestamptz[]))
           AS given (order_id, journey_id, hinted_at, ordered_at)
    ON CONFLICT (tenant_id, order_id) DO UPDATE
       SET journey_id = excluded.journey_id, hinted_at = excluded.hinted_at,
           ordered_at = excluded.ordered_at, updated_at = now()
""")


def get(session: Session, order_ids: Sequence[str]) -> dict[str, Order]:
    """Return the orders that are known."""
    rows = session.execute(_GET, {"order_ids": list(order_ids)})
    return {
        row.order_id: Order(
            row.order_id,
            JourneyClaim(row.journey_id, row.hinted_at and row.hinted_at.astimezone(UTC)),
            row.ordered_at.astimezone(UTC),
        )
        for row in rows
    }


def put(session: Session, orders: Sequence[Order]) -> None:
    """Keep orders as they now are; the caller holds their locks."""
    if orders:
        parameters = {
            "order_ids": [order.order_id for order in orders],
            "journey_ids": [order.claim.journey_id for order in orders],
            "hinted_ats": [order.claim.told_at for order in orders],
            "ordered_ats": [order.ordered_at for order in orders],
        }
        session.execute(_PUT, parameters)
