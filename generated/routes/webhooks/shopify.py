# @generated from api-contracts/openapi/v1/webhooks/shopify.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the webhooks/shopify contract."""

from generated.models.common_deliveries import DeliveryReceipt
from generated.stubs import Answer
from handlers.webhooks import shopify as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context


def receive_shopify_delivery(call: Call) -> HttpAnswer:
    """POST /api/webhooks/shopify/in/{endpoint_key}."""
    sent = call.parameters
    endpoint_key: str = sent["path.endpoint_key"]
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.receive_shopify_delivery(ctx, endpoint_key=endpoint_key, body=body)

    return call.run(handle, transaction="none", status=200)


def shopify_checkout_updated(call: Call) -> HttpAnswer:
    """POST /api/webhooks/shopify/checkouts/update."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.shopify_checkout_updated(ctx, body=body)

    return call.run(handle, transaction="none", status=200)


def shopify_order_create(call: Call) -> HttpAnswer:
    """POST /api/webhooks/shopify/order_create."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.shopify_order_create(ctx, body=body)

    return call.run(handle, transaction="none", status=200)


def shopify_order_paid(call: Call) -> HttpAnswer:
    """POST /api/webhooks/shopify/orders/paid."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.shopify_order_paid(ctx, body=body)

    return call.run(handle, transaction="none", status=200)


def shopify_refund_create(call: Call) -> HttpAnswer:
    """POST /api/webhooks/shopify/refunds/create."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.shopify_refund_create(ctx, body=body)

    return call.run(handle, transaction="none", status=200)
