"""Operations of api-contracts/openapi/v1/webhooks/shopify.yaml."""

import hashlib

from generated.models.common_deliveries import DeliveryReceipt
from handlers.webhooks import intake
from handlers.webhooks.authentication import Lookup, authenticate
from handlers.webhooks.intake import Parcel
from handlers.webhooks.topics import topic_of
from skeldir.domain.facts import CanonicalEvent
from skeldir.domain.pii_trail import Trail, Withholding, stripped
from skeldir.domain.refusals import Refusal
from skeldir.http.context import Context
from skeldir.repository import endpoints
from skeldir.vendors import shopify
from skeldir.vendors.fields import word
from skeldir.vendors.signatures import verify_base64_hmac

TOPIC_HEADER = "X-Shopify-Topic"


def receive_shopify_delivery(ctx: Context, *, endpoint_key: str, body: bytes) -> DeliveryReceipt:
    """Receive any topic, as X-Shopify-Topic names it."""
    return _receive(ctx, endpoints.by_key, endpoint_key, body, None)


def shopify_order_create(ctx: Context, *, body: bytes) -> DeliveryReceipt:
    """Receive orders/create."""
    return _receive(ctx, endpoints.by_tenant_key, _tenant_key(ctx), body, "orders/create")


def shopify_order_paid(ctx: Context, *, body: bytes) -> DeliveryReceipt:
    """Receive orders/paid."""
    return _receive(ctx, endpoints.by_tenant_key, _tenant_key(ctx), body, "orders/paid")


def shopify_refund_create(ctx: Context, *, body: bytes) -> DeliveryReceipt:
    """Receive refunds/create."""
    return _receive(ctx, endpoints.by_tenant_key, _tenant_key(ctx), body, "refunds/create")


def shopify_checkout_updated(ctx: Context, *, body: bytes) -> DeliveryReceipt:
    """Receive checkouts/update."""
    return _receive(ctx, endpoints.by_tenant_key, _tenant_key(ctx), body, "checkouts/update")


def _receive(ctx: Context, lookup: Lookup, key: str, body: bytes, topic: str | None) -> DeliveryReceipt:
    signature = _header(ctx, "hmac-sha256")
    sender = authenticate(
        lookup, key, shopify.VENDOR, lambda secrets: verify_base64_hmac(body, signature, secrets)
    )
    return intake.accept(sender, _read(ctx, body, _header(ctx, "topic") or topic))


def _read(ctx: Context, body: bytes, header: str | None) -> Parcel:
    """Read a delivery. The event id's header is not signed, so the body itself is its identity."""
    payload: object = None
    told: CanonicalEvent | Refusal | None
    topic, told = topic_of(TOPIC_HEADER, header)
    digest = hashlib.sha256(body).hexdigest()
    try:
        payload = intake.parse(body)
        if told is None:
            event_id = _event_id(ctx) or digest
            told = shopify.canonical_event(topic, payload, event_id, intake.now())
    except Refusal as refusal:
        told = refusal
    withheld = Withholding()
    stored = shopify.stored_payload(topic, payload, withheld)
    trail = Trail(stripped(payload), withheld.places())
    return Parcel(shopify.VENDOR, f"{topic}:{digest}", topic, stored, told, trail, _event_id(ctx) or digest)


def _event_id(ctx: Context) -> str | None:
    try:
        return word(_header(ctx, "event-id"))
    except Refusal:
        return None


def _header(ctx: Context, name: str) -> str | None:
    """Return one of Shopify's headers in either of its spellings."""
    headers = ctx.request.headers
    return headers.get(f"x-shopify-{name}") or headers.get(f"shopify-{name}")


def _tenant_key(ctx: Context) -> str:
    return ctx.request.headers.get("x-skeldir-tenant-key", "")
