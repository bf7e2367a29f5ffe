# @generated from api-contracts/openapi/v1/webhooks/endpoints.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the webhooks/endpoints contract."""

from uuid import UUID

from generated.models.common_endpoints import (
    CreateEndpointRequest,
    IssuedEndpoint,
    RevokeEndpointRequest,
    SecretAdded,
    SetSecretRequest,
    WebhookEndpoint,
    WebhookEndpointDetail,
    WebhookEndpointList,
)
from generated.stubs import Answer
from handlers.webhooks import endpoints as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context
from skeldir.http.convert import required, to_model


def create_webhook_endpoint(call: Call) -> HttpAnswer:
    """POST /api/webhooks/endpoints."""
    body = to_model(CreateEndpointRequest, call.json)

    def handle(ctx: Context) -> Answer[IssuedEndpoint]:
        return handlers.create_webhook_endpoint(ctx, body=body)

    return call.run(handle, transaction="write", status=201)


def get_webhook_endpoint(call: Call) -> HttpAnswer:
    """GET /api/webhooks/endpoints/{endpoint_id}."""
    sent = call.parameters
    endpoint_id = required(sent, "path.endpoint_id", UUID)

    def handle(ctx: Context) -> Answer[WebhookEndpointDetail]:
        return handlers.get_webhook_endpoint(ctx, endpoint_id=endpoint_id)

    return call.run(handle, transaction="read", status=200)


def list_webhook_endpoints(call: Call) -> HttpAnswer:
    """GET /api/webhooks/endpoints."""

    def handle(ctx: Context) -> Answer[WebhookEndpointList]:
        return handlers.list_webhook_endpoints(ctx)

    return call.run(handle, transaction="read", status=200)


def retire_webhook_secret(call: Call) -> HttpAnswer:
    """POST /api/webhooks/endpoints/{endpoint_id}/secrets/{secret_id}/retire."""
    sent = call.parameters
    endpoint_id = required(sent, "path.endpoint_id", UUID)
    secret_id = required(sent, "path.secret_id", UUID)

    def handle(ctx: Context) -> Answer[WebhookEndpoint]:
        return handlers.retire_webhook_secret(ctx, endpoint_id=endpoint_id, secret_id=secret_id)

    return call.run(handle, transaction="write", status=200)


def revoke_webhook_endpoint(call: Call) -> HttpAnswer:
    """POST /api/webhooks/endpoints/{endpoint_id}/revoke."""
    sent = call.parameters
    endpoint_id = required(sent, "path.endpoint_id", UUID)
    body = to_model(RevokeEndpointRequest, call.json)

    def handle(ctx: Context) -> Answer[WebhookEndpoint]:
        return handlers.revoke_webhook_endpoint(ctx, endpoint_id=endpoint_id, body=body)

    return call.run(handle, transaction="write", status=200)


def set_webhook_secret(call: Call) -> HttpAnswer:
    """POST /api/webhooks/endpoints/{endpoint_id}/secrets."""
    sent = call.parameters
    endpoint_id = required(sent, "path.endpoint_id", UUID)
    body = to_model(SetSecretRequest, call.json)

    def handle(ctx: Context) -> Answer[SecretAdded]:
        return handlers.set_webhook_secret(ctx, endpoint_id=endpoint_id, body=body)

    return call.run(handle, transaction="write", status=201)
