"""Operations of api-contracts/openapi/v1/webhooks/paypal.yaml."""

import hashlib

from generated.models.common_deliveries import DeliveryReceipt
from handlers.webhooks import intake
from handlers.webhooks.authentication import Lookup, authenticate
from handlers.webhooks.intake import UNKNOWN_TOPIC, Parcel
from skeldir.domain.facts import CanonicalEvent
from skeldir.domain.pii_trail import Trail, Withholding, stripped
from skeldir.domain.refusals import Refusal
from skeldir.http.context import Context
from skeldir.repository import endpoints
from skeldir.vendors import paypal, paypal_certificates
from skeldir.vendors.paypal_signatures import Transmission


def receive_paypal_delivery(ctx: Context, *, endpoint_key: str, body: bytes) -> DeliveryReceipt:
    """Receive any event, as its own type names it."""
    return _receive(ctx, endpoints.by_key, endpoint_key, body)


def paypal_sale_completed(ctx: Context, *, body: bytes) -> DeliveryReceipt:
    """Receive PAYMENT.SALE.COMPLETED."""
    return _receive_by_tenant_key(ctx, body)


def paypal_payment_capture_completed(ctx: Context, *, body: bytes) -> DeliveryReceipt:
    """Receive PAYMENT.CAPTURE.COMPLETED."""
    return _receive_by_tenant_key(ctx, body)


def paypal_sale_refunded(ctx: Context, *, body: bytes) -> DeliveryReceipt:
    """Receive PAYMENT.SALE.REFUNDED."""
    return _receive_by_tenant_key(ctx, body)


def _receive_by_tenant_key(ctx: Context, body: bytes) -> DeliveryReceipt:
    """Receive an event at a path that names its type; the event's own type counts all the same."""
    return _receive(ctx, endpoints.by_tenant_key, ctx.request.headers.get("x-skeldir-tenant-key", ""), body)


def _receive(ctx: Context, lookup: Lookup, key: str, body: bytes) -> DeliveryReceipt:
    """Get the certificate before the endpoint is looked up: the work does not tell whether there is one."""
    now = intake.now()
    transmission = Transmission.of(ctx.request.headers)
    certificates = paypal_certificates.get_certificates()
    signer = certificates.key(transmission.certificate_url, now) if transmission.may_be_good(now) else None
    sender = authenticate(
        lookup, key, paypal.VENDOR, lambda webhook_ids: transmission.is_of(body, webhook_ids, signer)
    )
    return intake.accept(sender, _read(body))


def _read(body: bytes) -> Parcel:
    payload: object = None
    told: CanonicalEvent | Refusal
    try:
        payload = intake.parse(body)
        told = paypal.canonical_event(payload)
    except Refusal as refusal:
        told = refusal
    topic = paypal.topic_of(payload)
    identity = paypal.event_id_of(payload) or hashlib.sha256(body).hexdigest()
    withheld = Withholding()
    stored = paypal.stored_payload(topic, payload, withheld)
    trail = Trail(stripped(paypal.unfolded(payload)), withheld.places())
    return Parcel(paypal.VENDOR, identity, topic or UNKNOWN_TOPIC, stored, told, trail)
