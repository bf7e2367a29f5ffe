# @generated from api-contracts/openapi/v1/webhooks/base.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the webhooks/base contract."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from generated.models.common_dead_letters import (
    AbandonRequest,
    DeadLetter,
    DeadLetterDetail,
    DeadLetterPage,
    ReplayBatchRequest,
    ReplayBatchResult,
    ReplayRequest,
    ReplayResult,
)
from generated.models.common_deliveries import DeliveryPage
from generated.stubs import Answer
from handlers.webhooks import base as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context
from skeldir.http.convert import optional, required, to_datetime, to_model


def abandon_dead_letter(call: Call) -> HttpAnswer:
    """POST /api/webhooks/dead-letters/{dead_letter_id}/abandon."""
    sent = call.parameters
    dead_letter_id = required(sent, "path.dead_letter_id", UUID)
    body = to_model(AbandonRequest, call.json)

    def handle(ctx: Context) -> Answer[DeadLetter]:
        return handlers.abandon_dead_letter(ctx, dead_letter_id=dead_letter_id, body=body)

    return call.run(handle, transaction="write", status=200)


def get_dead_letter(call: Call) -> HttpAnswer:
    """GET /api/webhooks/dead-letters/{dead_letter_id}."""
    sent = call.parameters
    dead_letter_id = required(sent, "path.dead_letter_id", UUID)

    def handle(ctx: Context) -> Answer[DeadLetterDetail]:
        return handlers.get_dead_letter(ctx, dead_letter_id=dead_letter_id)

    return call.run(handle, transaction="read", status=200)


def list_dead_letters(call: Call) -> HttpAnswer:
    """GET /api/webhooks/dead-letters."""
    sent = call.parameters
    vendor: Literal["shopify", "stripe", "woocommerce", "paypal", "custom"] | None = sent.get(
        "query.vendor",
    )
    reason_code: Literal["invalid_json", "missing_required_field", "malformed_value", "unknown_provider_event", "currency_unknown", "amount_out_of_range", "pii_refused", "tenant_suspended"] | None = sent.get(
        "query.reason_code",
    )
    status: Literal["pending", "in_progress", "resolved", "abandoned"] | None = sent.get(
        "query.status",
    )
    lane: Literal["review", "quarantine"] | None = sent.get("query.lane")
    received_from = optional(sent, "query.received_from", to_datetime)
    received_before = optional(sent, "query.received_before", to_datetime)
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[DeadLetterPage]:
        return handlers.list_dead_letters(
            ctx,
            vendor=vendor,
            reason_code=reason_code,
            status=status,
            lane=lane,
            received_from=received_from,
            received_before=received_before,
            limit=limit,
            cursor=cursor,
        )

    return call.run(handle, transaction="read", status=200)


def list_deliveries(call: Call) -> HttpAnswer:
    """GET /api/webhooks/deliveries."""
    sent = call.parameters
    vendor: Literal["shopify", "stripe", "woocommerce", "paypal", "custom"] | None = sent.get(
        "query.vendor",
    )
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


def replay_dead_letter(call: Call) -> HttpAnswer:
    """POST /api/webhooks/dead-letters/{dead_letter_id}/replay."""
    sent = call.parameters
    dead_letter_id = required(sent, "path.dead_letter_id", UUID)
    body = to_model(ReplayRequest, call.json)

    def handle(ctx: Context) -> Answer[ReplayResult]:
        return handlers.replay_dead_letter(ctx, dead_letter_id=dead_letter_id, body=body)

    return call.run(handle, transaction="write", status=200)


def replay_dead_letters(call: Call) -> HttpAnswer:
    """POST /api/webhooks/dead-letters/replay."""
    body = to_model(ReplayBatchRequest, call.json)

    def handle(ctx: Context) -> Answer[ReplayBatchResult]:
        return handlers.replay_dead_letters(ctx, body=body)

    return call.run(handle, transaction="none", status=200)
