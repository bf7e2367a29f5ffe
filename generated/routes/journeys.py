# @generated from api-contracts/openapi/v1/journeys.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the journeys contract."""

from typing import Literal

from generated.models.journeys import ConversionJourney
from generated.stubs import Answer
from handlers import journeys as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context


def get_conversion_journey(call: Call) -> HttpAnswer:
    """GET /api/attribution/conversion-journey."""
    sent = call.parameters
    order_id: str = sent["query.order_id"]
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"] | None = sent.get(
        "query.model",
    )
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[ConversionJourney]:
        return handlers.get_conversion_journey(
            ctx,
            order_id=order_id,
            model=model,
            limit=limit,
            cursor=cursor,
        )

    return call.run(handle, transaction="read", status=200)
