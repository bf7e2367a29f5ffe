"""Order hints: what payloads said of orders' journeys and origins. Rows are only added."""

from collections import defaultdict
from datetime import UTC
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.ids import fact_id
from skeldir.domain.orders import OrderHint, Origin
from skeldir.repository.payments import Tellers

_ADD: Final = text("""
    INSERT INTO order_hints (hint_id, event_id, order_key, told_at, journey_id, source, medium, campaign)
    VALUES (:hint_id, :event_id, :order_key, :told_at, :journey_id, :source, :medium, :campaign)
    ON CONFLICT (tenant_id, hint_id) DO NOTHING
""")

_OF_KEYS: Final = text("""
    SELECT order_key, told_at, journey_id, source, medium, campaign
      FROM order_hints
     WHERE order_key = ANY(CAST(:keys AS text[]))
""")


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


def of_orders(session: Session, tellers: Tellers) -> dict[str, list[OrderHint]]:
    """Return every hint told of some orders, by their shop or by the processors of their payments."""
    found: dict[str, list[OrderHint]] = defaultdict(list)
    for row in session.execute(_OF_KEYS, {"keys": tellers.keys}):
        origin = Origin(row.source, row.medium, row.campaign) if row.source or row.medium else None
        hint = OrderHint(row.order_key, row.told_at.astimezone(UTC), row.journey_id, origin)
        found[tellers.payments.order_of(row.order_key)].append(hint)
    return found
