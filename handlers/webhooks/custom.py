"""Operations of api-contracts/openapi/v1/webhooks/custom.yaml."""

import hashlib

from generated.models.common_deliveries import DeliveryReceipt
from handlers.webhooks import intake
from handlers.webhooks.authentication import authenticate
from handlers.webhooks.intake import UNKNOWN_TOPIC, Parcel
from skeldir.domain.facts import CanonicalEvent
from skeldir.domain.pii_trail import Trail, Withholding, stripped
from skeldir.domain.refusals import Refusal
from skeldir.http.context import Context
from skeldir.repository import endpoints
from skeldir.vendors import custom
from skeldir.vendors.fields import identifier
from skeldir.vendors.standard_webhooks import Message


def receive_custom_delivery(ctx: Context, *, endpoint_key: str, body: bytes) -> DeliveryReceipt:
    """Receive any event, as its own type names it. Its id is signed, so it is the delivery's identity."""
    message, now = Message.of(ctx.request.headers), intake.now().timestamp()
    sender = authenticate(
        endpoints.by_key, endpoint_key, custom.VENDOR, lambda secrets: message.is_of(body, secrets, now)
    )
    return intake.accept(sender, _read(body, message.message_id))


def _read(body: bytes, message_id: str) -> Parcel:
    payload: object = None
    told: CanonicalEvent | Refusal
    event_id = _event_id(message_id)
    try:
        payload = intake.parse(body)
        told = custom.canonical_event(payload, event_id)
    except Refusal as refusal:
        told = refusal
    topic, withheld = custom.topic_of(payload), Withholding()
    stored = custom.stored_payload(topic, payload, withheld)
    trail = Trail(stripped(payload), withheld.places())
    return Parcel(custom.VENDOR, message_id, topic or UNKNOWN_TOPIC, stored, told, trail, event_id)


def _event_id(message_id: str) -> str:
    """Return the message's id as it may be kept: its digest where it looks like somebody's number."""
    try:
        return identifier(message_id)
    except Refusal:
        return hashlib.sha256(message_id.encode()).hexdigest()
