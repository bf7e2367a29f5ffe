"""Operations of api-contracts/openapi/v1/webhooks/woocommerce.yaml."""

import hashlib
import re
from typing import Final

from generated.models.common_deliveries import DeliveryReceipt
from generated.models.webhooks.woocommerce import WoocommerceReceipt
from handlers.webhooks import intake
from handlers.webhooks.authentication import Lookup, authenticate
from handlers.webhooks.intake import Parcel
from handlers.webhooks.topics import topic_of
from skeldir.domain.facts import CanonicalEvent
from skeldir.domain.pii_trail import Trail, Withholding, stripped
from skeldir.domain.refusals import Refusal
from skeldir.http.context import Context
from skeldir.repository import endpoints
from skeldir.vendors import woocommerce
from skeldir.vendors.signatures import verify_base64_hmac, wordpress_key

PING: Final = re.compile(rb"webhook_id=[0-9]{1,20}")


def receive_woocommerce_delivery(ctx: Context, *, endpoint_key: str, body: bytes) -> WoocommerceReceipt:
    """Receive any topic, as X-WC-Webhook-Topic names it; or the ping that announces a webhook."""
    if _is_ping(ctx, body):
        return WoocommerceReceipt(received=True)  # whoever sent it: nothing was looked up or kept
    receipt = _receive(ctx, endpoints.by_key, endpoint_key, body, None)
    return WoocommerceReceipt.model_validate(receipt.model_dump())


def woocommerce_order_created(ctx: Context, *, body: bytes) -> DeliveryReceipt:
    """Receive order.created."""
    return _receive(ctx, endpoints.by_tenant_key, _tenant_key(ctx), body, "order.created")


def woocommerce_order_updated(ctx: Context, *, body: bytes) -> DeliveryReceipt:
    """Receive order.updated."""
    return _receive(ctx, endpoints.by_tenant_key, _tenant_key(ctx), body, "order.updated")


def woocommerce_order_completed(ctx: Context, *, body: bytes) -> DeliveryReceipt:
    """Receive order.completed."""
    return _receive(ctx, endpoints.by_tenant_key, _tenant_key(ctx), body, "order.completed")


def woocommerce_order_refunded(ctx: Context, *, body: bytes) -> DeliveryReceipt:
    """Receive order.refunded."""
    return _receive(ctx, endpoints.by_tenant_key, _tenant_key(ctx), body, "order.refunded")


def _receive(ctx: Context, lookup: Lookup, key: str, body: bytes, topic: str | None) -> DeliveryReceipt:
    signature = _header(ctx, "signature")
    sender = authenticate(
        lookup,
        key,
        woocommerce.VENDOR,
        lambda secrets: verify_base64_hmac(body, signature, [wordpress_key(secret) for secret in secrets]),
    )
    return intake.accept(sender, _read(body, _header(ctx, "topic") or topic))


def _read(body: bytes, header: str | None) -> Parcel:
    """Read a delivery. Two orders told in one second share their Delivery-ID, so it identifies nothing.

    What does is the topic with the body, which holds the order's id and its modification time.
    """
    payload: object = None
    told: CanonicalEvent | Refusal | None
    topic, told = topic_of(woocommerce.TOPIC_HEADER, header)
    digest = hashlib.sha256(body).hexdigest()
    try:
        payload = intake.parse(body)
        if told is None:
            told = woocommerce.canonical_event(topic, payload, digest, intake.now())
    except Refusal as refusal:
        told = refusal
    withheld = Withholding()
    stored = woocommerce.stored_payload(topic, payload, withheld)
    trail = Trail(stripped(payload), withheld.places())
    return Parcel(woocommerce.VENDOR, f"{topic}:{digest}", topic, stored, told, trail, digest)


def _is_ping(ctx: Context, body: bytes) -> bool:
    """Tell whether this is what WooCommerce sends unsigned when somebody creates a webhook."""
    is_form = ctx.request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    is_bare = _header(ctx, "signature") is None and _header(ctx, "topic") is None
    return is_form and is_bare and PING.fullmatch(body) is not None


def _header(ctx: Context, name: str) -> str | None:
    return ctx.request.headers.get(f"x-wc-webhook-{name}")


def _tenant_key(ctx: Context) -> str:
    return ctx.request.headers.get("x-skeldir-tenant-key", "")
