# @generated from api-contracts/openapi/v1/webhooks/paypal.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the webhooks/paypal contract."""

from generated.models.common_deliveries import DeliveryReceipt
from generated.stubs import Answer
from handlers.webhooks import paypal as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context


def paypal_payment_capture_completed(call: Call) -> HttpAnswer:
    """POST /api/webhooks/paypal/payment/capture/completed."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.paypal_payment_capture_completed(ctx, body=body)

    return call.run(handle, transaction="none", status=200)


def paypal_sale_completed(call: Call) -> HttpAnswer:
    """POST /api/webhooks/paypal/sale_completed."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.paypal_sale_completed(ctx, body=body)

    return call.run(handle, transaction="none", status=200)


def paypal_sale_refunded(call: Call) -> HttpAnswer:
    """POST /api/webhooks/paypal/payment/sale/refunded."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.paypal_sale_refunded(ctx, body=body)

    return call.run(handle, transaction="none", status=200)


def receive_paypal_delivery(call: Call) -> HttpAnswer:
    """POST /api/webhooks/paypal/in/{endpoint_key}."""
    sent = call.parameters
    endpoint_key: str = sent["path.endpoint_key"]
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.receive_paypal_delivery(ctx, endpoint_key=endpoint_key, body=body)

    return call.run(handle, transaction="none", status=200)
