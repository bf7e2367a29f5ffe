"""The operations on parked messages of api-contracts/openapi/v1/health.yaml."""

from dataclasses import asdict

import structlog

from generated.models import common_jobs as models
from skeldir.http.context import Context
from skeldir.http.cursors import make_cursor, read_cursor
from skeldir.repository import parked_messages
from skeldir.repository.parked_messages import ParkedMessage

_log = structlog.get_logger("skeldir.health")


def list_parked_messages(ctx: Context, *, limit: int, cursor: str | None) -> models.ParkedMessagePage:
    """Return a page of the tenant's parked messages, the latest first."""
    before = None
    if cursor:
        (last,) = read_cursor(ctx.tenant_id, "listParkedMessages", {}, cursor)
        before = int(last)
    found = parked_messages.page(ctx.session, ctx.tenant_id, limit + 1, before=before)
    next_cursor = None
    if len(found) > limit:
        position = [str(found[limit - 1].message_id)]
        next_cursor = make_cursor(ctx.tenant_id, "listParkedMessages", {}, position)
    return models.ParkedMessagePage(
        parked_messages=[_told(message) for message in found[:limit]], next_cursor=next_cursor
    )


def requeue_parked_message(ctx: Context, *, message_id: int) -> models.ParkedMessage:
    """Put a message back into its queue."""
    return _settled(ctx, message_id, is_wanted=True)


def discard_parked_message(ctx: Context, *, message_id: int) -> models.ParkedMessage:
    """Throw a message away; only the log remembers who did."""
    return _settled(ctx, message_id, is_wanted=False)


def _settled(ctx: Context, message_id: int, *, is_wanted: bool) -> models.ParkedMessage:
    message = parked_messages.settle(ctx.session, ctx.tenant_id, message_id, is_wanted=is_wanted)
    _log.info(
        "parked_message_requeued" if is_wanted else "parked_message_discarded",
        task_name=message.task_name,
        message_id=message_id,
        tenant_id=str(ctx.tenant_id),
        user_id=str(ctx.principal.user_id) if ctx.principal else None,
    )
    return _told(message)


def _told(message: ParkedMessage) -> models.ParkedMessage:
    told = {name: value for name, value in asdict(message).items() if value is not None}
    del told["tenant_id"]
    return models.ParkedMessage.model_validate(told)
