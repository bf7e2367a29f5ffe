# @generated from api-contracts/openapi/v1/revenue.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the revenue contract."""

from typing import Literal

from generated.models.common_orders import OrderRevenue, UnresolvedOrderPage
from generated.stubs import Answer
from handlers import revenue as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context


def get_order_revenue(call: Call) -> HttpAnswer:
    """GET /api/v1/revenue/order."""
    sent = call.parameters
    order_id: str = sent["query.order_id"]

    def handle(ctx: Context) -> Answer[OrderRevenue]:
        return handlers.get_order_revenue(ctx, order_id=order_id)

    return call.run(handle, transaction="read", status=200)


def list_unresolved_orders(call: Call) -> HttpAnswer:
    """GET /api/v1/revenue/unresolved-orders."""
    sent = call.parameters
    reason: Literal["unresolved_order", "unlinked_payment"] | None = sent.get("query.reason")
    currency: str | None = sent.get("query.currency")
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[UnresolvedOrderPage]:
        return handlers.list_unresolved_orders(
            ctx,
            reason=reason,
            currency=currency,
            limit=limit,
            cursor=cursor,
        )

    return call.run(handle, transaction="read", status=200)
