"""Order hints: what payloads said of orders' journeys and origins. Rows are only added."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.ids import fact_id
from skeldir.domain.orders import OrderHint, Origin
from skeldir.repository.order_links import BEST

_ADD: Final = text("""
    INSERT INTO order_hints (hint_id, event_id, order_key, told_at, journey_id, source, medium, campaign)
    VALUES (:hint_id, :event_id, :order_key, :told_at, :journey_id, :source, :medium, :campaign)
    ON CONFLICT (tenant_id, hint_id) DO NOTHING
""")

# A linked payment's hints belong to the order it paid, as its facts do.
_OF_ORDERS: Final = text(f"""
    WITH asked AS MATERIALIZED (
        SELECT CAST(:order_ids AS text[]) || ARRAY(
            SELECT payment_key FROM order_links WHERE order_id = ANY(CAST(:order_ids AS text[]))
        ) AS keys
    )
    SELECT coalesce(link.order_id, hint.order_key) AS order_id, hint.order_key, hint.told_at,
           hint.journey_id, hint.source, hint.medium, hint.campaign
      FROM order_hints AS hint
      LEFT JOIN ({BEST.format(payment_keys="ARRAY(SELECT unnest(keys) FROM asked)")}) AS link
        ON link.tenant_id = hint.tenant_id AND link.payment_key = hint.order_key
     WHERE hint.order_key = ANY(ARRAY(SELECT unnest(keys) FROM asked))
""")  # noqa: S608 - built from constants


def add(session: Session, tenant_id: UUID, event_id: UUID, hint: OrderHint) -> None:
    """Keep a hint; the same one again changes nothing."""
    origin = hint.origin or Origin(None, None)
    parameters = {
        "hint_id": fact_id(tenant_id, *hint.key()),
        "event_id": event_id,
        "order_key": hint.order_key,
        "told_at": hint.told_at,
        "journey_id": hint.journey_id,
        "source": origin.source,
        "medium": origin.medium,
        "campaign": origin.campaign,
    }
    session.execute(_ADD, parameters)


def of_orders(session: Session, order_ids: Sequence[str]) -> dict[str, list[OrderHint]]:
    """Return every hint told of each order, by its shop or by a processor whose payment is linked to it."""
    found: dict[str, list[OrderHint]] = defaultdict(list)
    for row in session.execute(_OF_ORDERS, {"order_ids": list(order_ids)}):
        origin = Origin(row.source, row.medium, row.campaign) if row.source or row.medium else None
        hint = OrderHint(row.order_key, row.told_at.astimezone(UTC), row.journey_id, origin)
        found[row.order_id].append(hint)
    return {order_id: found[order_id] for order_id in order_ids}
