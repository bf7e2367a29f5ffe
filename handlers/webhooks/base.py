"""Operations of api-contracts/openapi/v1/webhooks/base.yaml."""

from datetime import datetime
from uuid import UUID

from generated.models import common_deliveries as models
from handlers.webhooks.dead_letters import (
    abandon_dead_letter,
    get_dead_letter,
    list_dead_letters,
    replay_dead_letter,
    replay_dead_letters,
)
from skeldir.http.context import Context
from skeldir.http.cursors import make_cursor, read_cursor
from skeldir.repository import deliveries
from skeldir.repository.deliveries import Delivery, Outcome, Place
from skeldir.repository.endpoints import Vendor

OPERATION = "listDeliveries"
__all__ = [
    "abandon_dead_letter",
    "get_dead_letter",
    "list_dead_letters",
    "list_deliveries",
    "replay_dead_letter",
    "replay_dead_letters",
]


def list_deliveries(
    ctx: Context, *, vendor: Vendor | None, outcome: Outcome | None, limit: int, cursor: str | None
) -> models.DeliveryPage:
    """List the tenant's authentic deliveries, the newest first."""
    filters = {"vendor": vendor, "outcome": outcome}
    after = None
    if cursor is not None:
        received_at, delivery_id = read_cursor(ctx.tenant_id, OPERATION, filters, cursor)
        after = Place(datetime.fromisoformat(received_at), UUID(delivery_id))
    found = deliveries.page(ctx.session, vendor=vendor, outcome=outcome, after=after, limit=limit + 1)
    shown = found[:limit]
    next_cursor = None
    if len(found) > limit:
        position = [shown[-1].received_at.isoformat(), str(shown[-1].delivery_id)]
        next_cursor = make_cursor(ctx.tenant_id, OPERATION, filters, position)
    return models.DeliveryPage(deliveries=[_model(delivery) for delivery in shown], next_cursor=next_cursor)


def _model(delivery: Delivery) -> models.Delivery:
    told = {
        "event_id": delivery.event_id,
        "dead_letter_id": delivery.dead_letter_id,
        "reason_code": delivery.reason_code,
        "reason_field": delivery.reason_field,
        "personal_data": delivery.personal_data,
    }
    fixed = {
        "delivery_id": delivery.delivery_id,
        "vendor": delivery.vendor,
        "topic": delivery.topic,
        "outcome": delivery.outcome,
        "received_at": delivery.received_at,
        "redelivery_count": delivery.redeliveries,
        "last_received_at": delivery.last_received_at,
    }
    given = {name: value for name, value in told.items() if value is not None}
    return models.Delivery.model_validate(fixed | given)
