# @generated from api-contracts/openapi/v1/realtime.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the realtime contract."""

from generated.models.realtime import RealtimeRevenue, RealtimeRevenueCounter
from generated.stubs import Answer
from handlers import realtime as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context


def get_realtime_revenue(call: Call) -> HttpAnswer:
    """GET /api/attribution/revenue/realtime."""
    sent = call.parameters
    currency: str = sent.get("query.currency", "USD")

    def handle(ctx: Context) -> Answer[RealtimeRevenueCounter]:
        return handlers.get_realtime_revenue(ctx, currency=currency)

    return call.run(handle, transaction="read", status=200)


def get_realtime_revenue_v1(call: Call) -> HttpAnswer:
    """GET /api/v1/revenue/realtime."""

    def handle(ctx: Context) -> Answer[RealtimeRevenue]:
        return handlers.get_realtime_revenue_v1(ctx)

    return call.run(handle, transaction="read", status=200)
