# @generated from api-contracts/openapi/v1/webhooks/stripe.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the webhooks/stripe contract."""

from generated.models.common_deliveries import DeliveryReceipt
from generated.stubs import Answer
from handlers.webhooks import stripe as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context


def receive_stripe_delivery(call: Call) -> HttpAnswer:
    """POST /api/webhooks/stripe/in/{endpoint_key}."""
    sent = call.parameters
    endpoint_key: str = sent["path.endpoint_key"]
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.receive_stripe_delivery(ctx, endpoint_key=endpoint_key, body=body)

    return call.run(handle, transaction="none", status=200)


def stripe_charge_refunded(call: Call) -> HttpAnswer:
    """POST /api/webhooks/stripe/charge/refunded."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.stripe_charge_refunded(ctx, body=body)

    return call.run(handle, transaction="none", status=200)


def stripe_charge_succeeded(call: Call) -> HttpAnswer:
    """POST /api/webhooks/stripe/charge/succeeded."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.stripe_charge_succeeded(ctx, body=body)

    return call.run(handle, transaction="none", status=200)


def stripe_payment_intent_succeeded(call: Call) -> HttpAnswer:
    """POST /api/webhooks/stripe/payment_intent/succeeded."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.stripe_payment_intent_succeeded(ctx, body=body)

    return call.run(handle, transaction="none", status=200)


def stripe_payment_intent_succeeded_legacy(call: Call) -> HttpAnswer:
    """POST /api/webhooks/stripe/payment_intent_succeeded."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.stripe_payment_intent_succeeded_legacy(ctx, body=body)

    return call.run(handle, transaction="none", status=200)
