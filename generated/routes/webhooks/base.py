# @generated from api-contracts/openapi/v1/webhooks/base.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the webhooks/base contract."""

from typing import Literal

from generated.models.common_deliveries import DeliveryPage
from generated.stubs import Answer
from handlers.webhooks import base as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context


def list_deliveries(call: Call) -> HttpAnswer:
    """GET /api/webhooks/deliveries."""
    sent = call.parameters
    vendor: Literal["shopify", "stripe", "woocommerce", "paypal"] | None = sent.get("query.vendor")
    outcome: Literal["booked", "recorded", "dead_lettered"] | None = sent.get("query.outcome")
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[DeliveryPage]:
        return handlers.list_deliveries(
            ctx,
            vendor=vendor,
            outcome=outcome,
            limit=limit,
            cursor=cursor,
        )

    return call.run(handle, transaction="read", status=200)
