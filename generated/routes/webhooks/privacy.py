# @generated from api-contracts/openapi/v1/webhooks/privacy.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the webhooks/privacy contract."""

from typing import Literal

from generated.models.common_privacy import PersonalDataFindingPage, PrivacyRequestPage
from generated.stubs import Answer
from handlers.webhooks import privacy as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context


def list_personal_data_findings(call: Call) -> HttpAnswer:
    """GET /api/webhooks/personal-data-findings."""
    sent = call.parameters
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[PersonalDataFindingPage]:
        return handlers.list_personal_data_findings(ctx, limit=limit, cursor=cursor)

    return call.run(handle, transaction="read", status=200)


def list_privacy_requests(call: Call) -> HttpAnswer:
    """GET /api/webhooks/privacy-requests."""
    sent = call.parameters
    state: Literal["pending", "completed"] | None = sent.get("query.state")
    limit: int = sent.get("query.limit", 50)
    cursor: str | None = sent.get("query.cursor")

    def handle(ctx: Context) -> Answer[PrivacyRequestPage]:
        return handlers.list_privacy_requests(ctx, state=state, limit=limit, cursor=cursor)

    return call.run(handle, transaction="read", status=200)
