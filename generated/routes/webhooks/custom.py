# @generated from api-contracts/openapi/v1/webhooks/custom.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the webhooks/custom contract."""

from generated.models.common_deliveries import DeliveryReceipt
from generated.stubs import Answer
from handlers.webhooks import custom as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context


def receive_custom_delivery(call: Call) -> HttpAnswer:
    """POST /api/webhooks/custom/in/{endpoint_key}."""
    sent = call.parameters
    endpoint_key: str = sent["path.endpoint_key"]
    body = call.raw_body

    def handle(ctx: Context) -> Answer[DeliveryReceipt]:
        return handlers.receive_custom_delivery(ctx, endpoint_key=endpoint_key, body=body)

    return call.run(handle, transaction="none", status=200)
