# @generated from api-contracts/openapi/v1/channel-rules.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the channel-rules contract."""

from generated.models.common_channels import (
    ChannelDryRun,
    ChannelDryRunRequest,
    ChannelRuleSet,
    ChannelRuleSetPage,
    ChannelRulesRequest,
)
from generated.stubs import Answer
from handlers import channel_rules as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context
from skeldir.http.convert import to_model


def dry_run_channel_rules(call: Call) -> HttpAnswer:
    """POST /api/channel-rules/dry-runs."""
    body = to_model(ChannelDryRunRequest, call.json)

    def handle(ctx: Context) -> Answer[ChannelDryRun]:
        return handlers.dry_run_channel_rules(ctx, body=body)

    return call.run(handle, transaction="read", status=200)


def list_channel_rule_sets(call: Call) -> HttpAnswer:
    """GET /api/channel-rule-sets."""
    sent = call.parameters
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[ChannelRuleSetPage]:
        return handlers.list_channel_rule_sets(ctx, limit=limit, cursor=cursor)

    return call.run(handle, transaction="read", status=200)


def list_channel_rules(call: Call) -> HttpAnswer:
    """GET /api/channel-rules."""
    sent = call.parameters
    version: int | None = sent.get("query.version")

    def handle(ctx: Context) -> Answer[ChannelRuleSet]:
        return handlers.list_channel_rules(ctx, version=version)

    return call.run(handle, transaction="read", status=200)


def replace_channel_rules(call: Call) -> HttpAnswer:
    """PUT /api/channel-rules."""
    body = to_model(ChannelRulesRequest, call.json)

    def handle(ctx: Context) -> Answer[ChannelRuleSet]:
        return handlers.replace_channel_rules(ctx, body=body)

    return call.run(handle, transaction="write", status=200)
