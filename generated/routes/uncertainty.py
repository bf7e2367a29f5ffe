# @generated from api-contracts/openapi/v1/uncertainty.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the uncertainty contract."""

from datetime import date
from typing import Literal

from generated.models.uncertainty import ChannelUncertainty, UncertaintyRequest
from generated.stubs import Answer
from handlers import uncertainty as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context
from skeldir.http.convert import optional, to_model


def estimate_channel_uncertainty(call: Call) -> HttpAnswer:
    """POST /api/attribution/uncertainty."""
    body = to_model(UncertaintyRequest, call.json)

    def handle(ctx: Context) -> Answer[ChannelUncertainty]:
        return handlers.estimate_channel_uncertainty(ctx, body=body)

    return call.run(handle, transaction="write", status=202)


def get_channel_uncertainty(call: Call) -> HttpAnswer:
    """GET /api/attribution/uncertainty."""
    sent = call.parameters
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"] = sent["query.model"]
    start_date = optional(sent, "query.start_date", date.fromisoformat)
    end_date = optional(sent, "query.end_date", date.fromisoformat)

    def handle(ctx: Context) -> Answer[ChannelUncertainty]:
        return handlers.get_channel_uncertainty(
            ctx,
            model=model,
            start_date=start_date,
            end_date=end_date,
        )

    return call.run(handle, transaction="read", status=200)
