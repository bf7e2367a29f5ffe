"""Operations of api-contracts/openapi/v1/webhooks/stripe.yaml."""

import hashlib
from typing import Final

from generated.models.common_deliveries import DeliveryReceipt
from handlers.webhooks import intake
from handlers.webhooks.authentication import Lookup, authenticate
from handlers.webhooks.intake import UNKNOWN_TOPIC, Parcel
from skeldir.domain.facts import CanonicalEvent
from skeldir.domain.pii_trail import Trail, Withholding, stripped
from skeldir.domain.refusals import Refusal
from skeldir.http.context import Context, Reply
from skeldir.repository import endpoints
from skeldir.vendors import stripe
from skeldir.vendors.signatures import verify_stripe

# The first address of payment_intent.succeeded: since when it is deprecated, and when it goes.
LEGACY_HEADERS: Final = {"Deprecation": "@1795392000", "Sunset": "Mon, 01 Mar 2027 00:00:00 GMT"}


def receive_stripe_delivery(ctx: Context, *, endpoint_key: str, body: bytes) -> DeliveryReceipt:
    """Receive any event, as its own type names it."""
    return _receive(ctx, endpoints.by_key, endpoint_key, body)


def stripe_charge_succeeded(ctx: Context, *, body: bytes) -> DeliveryReceipt:
    """Receive charge.succeeded."""
    return _receive_by_tenant_key(ctx, body)


def stripe_charge_refunded(ctx: Context, *, body: bytes) -> DeliveryReceipt:
    """Receive charge.refunded."""
    return _receive_by_tenant_key(ctx, body)


def stripe_payment_intent_succeeded(ctx: Context, *, body: bytes) -> DeliveryReceipt:
    """Receive payment_intent.succeeded."""
    return _receive_by_tenant_key(ctx, body)


def stripe_payment_intent_succeeded_legacy(ctx: Context, *, body: bytes) -> Reply[DeliveryReceipt]:
    """Receive payment_intent.succeeded at the address that will go."""
    return Reply(_receive_by_tenant_key(ctx, body), headers=LEGACY_HEADERS)


def _receive_by_tenant_key(ctx: Context, body: bytes) -> DeliveryReceipt:
    """Receive an event at a path that names its type; the event's own type counts all the same."""
    return _receive(ctx, endpoints.by_tenant_key, ctx.request.headers.get("x-skeldir-tenant-key", ""), body)


def _receive(ctx: Context, lookup: Lookup, key: str, body: bytes) -> DeliveryReceipt:
    header, now = ctx.request.headers.get("stripe-signature"), intake.now().timestamp()
    sender = authenticate(
        lookup, key, stripe.VENDOR, lambda secrets: verify_stripe(body, header, secrets, now)
    )
    return intake.accept(sender, _read(body))


def _read(body: bytes) -> Parcel:
    payload: object = None
    told: CanonicalEvent | Refusal
    try:
        payload = intake.parse(body)
        told = stripe.canonical_event(payload)
    except Refusal as refusal:
        told = refusal
    topic = stripe.topic_of(payload)
    identity = stripe.event_id_of(payload) or hashlib.sha256(body).hexdigest()
    withheld = Withholding()
    stored = stripe.stored_payload(topic, payload, withheld)
    trail = Trail(stripped(payload), withheld.places())
    return Parcel(stripe.VENDOR, identity, topic or UNKNOWN_TOPIC, stored, told, trail)
