# @generated from api-contracts/openapi/v1/webhooks/woocommerce.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the webhooks/woocommerce contract."""

from generated.models.common_deliveries import DeliveryReceipt
from generated.models.webhooks.woocommerce import WoocommerceReceipt
from generated.stubs import Answer
from handlers.webhooks import woocommerce as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context


def receive_woocommerce_delivery(call: Call) -> HttpAnswer:
    """POST /api/webhooks/woocommerce/in/{endpoint_key}."""
    sent = call.parameters
    endpoint_key: str = sent["path.endpoint_key"]
    body = call.raw_body

    def handle(ctx: Context) -> Answer[WoocommerceReceipt]:
        return handlers.receive_woocommerce_delivery(ctx, endpoint_key=endpoint_key, body=body)

    return call.run(handle, transaction="none", status=200)


def woocommerce_order_completed(call: Call) -> HttpAnswer:
    """POST /api/webhooks/woocommerce/order_completed."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.woocommerce_order_completed(ctx, body=body)

    return call.run(handle, transaction="none", status=200)


def woocommerce_order_created(call: Call) -> HttpAnswer:
    """POST /api/webhooks/woocommerce/order/created."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.woocommerce_order_created(ctx, body=body)

    return call.run(handle, transaction="none", status=200)


def woocommerce_order_refunded(call: Call) -> HttpAnswer:
    """POST /api/webhooks/woocommerce/order/refunded."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.woocommerce_order_refunded(ctx, body=body)

    return call.run(handle, transaction="none", status=200)


def woocommerce_order_updated(call: Call) -> HttpAnswer:
    """POST /api/webhooks/woocommerce/order/updated."""
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.woocommerce_order_updated(ctx, body=body)

    return call.run(handle, transaction="none", status=200)
