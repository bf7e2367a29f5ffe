# @generated from api-contracts/openapi/v1/channels.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the channels contract."""

from generated.models.common_channels import (
    ChannelCorrection,
    ChannelCorrectionPage,
    ChannelCorrectionRequest,
    ChannelRequest,
    ChannelTransition,
    ChannelTransitionList,
    ChannelTransitionRequest,
    UnknownChannelShare,
)
from generated.models.common_revenue import Channel, ChannelList
from generated.stubs import Answer
from handlers import channels as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context
from skeldir.http.convert import to_model


def correct_channel(call: Call) -> HttpAnswer:
    """POST /api/channels/corrections."""
    body = to_model(ChannelCorrectionRequest, call.json)

    def handle(ctx: Context) -> Answer[ChannelCorrection]:
        return handlers.correct_channel(ctx, body=body)

    return call.run(handle, transaction="write", status=201)


def create_channel(call: Call) -> HttpAnswer:
    """POST /api/channels."""
    body = to_model(ChannelRequest, call.json)

    def handle(ctx: Context) -> Answer[Channel]:
        return handlers.create_channel(ctx, body=body)

    return call.run(handle, transaction="write", status=201)


def get_unknown_channel_share(call: Call) -> HttpAnswer:
    """GET /api/channels/unknown-share."""

    def handle(ctx: Context) -> Answer[UnknownChannelShare]:
        return handlers.get_unknown_channel_share(ctx)

    return call.run(handle, transaction="read", status=200)


def list_channel_corrections(call: Call) -> HttpAnswer:
    """GET /api/channels/corrections."""
    sent = call.parameters
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[ChannelCorrectionPage]:
        return handlers.list_channel_corrections(ctx, limit=limit, cursor=cursor)

    return call.run(handle, transaction="read", status=200)


def list_channel_transitions(call: Call) -> HttpAnswer:
    """GET /api/channels/{channel_code}/transitions."""
    sent = call.parameters
    channel_code: str = sent["path.channel_code"]

    def handle(ctx: Context) -> Answer[ChannelTransitionList]:
        return handlers.list_channel_transitions(ctx, channel_code=channel_code)

    return call.run(handle, transaction="read", status=200)


def list_channels(call: Call) -> HttpAnswer:
    """GET /api/attribution/taxonomy."""

    def handle(ctx: Context) -> Answer[ChannelList]:
        return handlers.list_channels(ctx)

    return call.run(handle, transaction="read", status=200)


def transition_channel(call: Call) -> HttpAnswer:
    """POST /api/channels/{channel_code}/transitions."""
    sent = call.parameters
    channel_code: str = sent["path.channel_code"]
    body = to_model(ChannelTransitionRequest, call.json)

    def handle(ctx: Context) -> Answer[ChannelTransition]:
        return handlers.transition_channel(ctx, channel_code=channel_code, body=body)

    return call.run(handle, transaction="write", status=201)
