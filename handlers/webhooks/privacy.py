"""Operations of api-contracts/openapi/v1/webhooks/privacy.yaml."""

from datetime import datetime
from typing import Final
from uuid import UUID

from generated.models import common_privacy as models
from skeldir.http.context import Context
from skeldir.http.cursors import make_cursor, read_cursor
from skeldir.repository import pii_findings, privacy_requests
from skeldir.repository.pii_findings import Finding
from skeldir.repository.privacy_requests import Place, Request, State

OPERATION: Final = "listPrivacyRequests"
FINDINGS: Final = "listPersonalDataFindings"
ORDERS_SHOWN: Final = 250


def list_privacy_requests(
    ctx: Context, *, state: State | None, limit: int, cursor: str | None
) -> models.PrivacyRequestPage:
    """List the tenant's privacy requests, the newest first."""
    after = None
    if cursor is not None:
        requested_at, request_id = read_cursor(ctx.tenant_id, OPERATION, {"state": state}, cursor)
        after = Place(datetime.fromisoformat(requested_at), UUID(request_id))
    found = privacy_requests.page(ctx.session, state=state, after=after, limit=limit + 1)
    shown = found[:limit]
    next_cursor = None
    if len(found) > limit:
        position = [shown[-1].requested_at.isoformat(), str(shown[-1].request_id)]
        next_cursor = make_cursor(ctx.tenant_id, OPERATION, {"state": state}, position)
    return models.PrivacyRequestPage(
        privacy_requests=[_model(request) for request in shown], next_cursor=next_cursor
    )


def list_personal_data_findings(
    ctx: Context, *, limit: int, cursor: str | None
) -> models.PersonalDataFindingPage:
    """List what the scan found, the newest first."""
    after = None
    if cursor is not None:
        found_at, *place = read_cursor(ctx.tenant_id, FINDINGS, {}, cursor)
        after = pii_findings.Place(datetime.fromisoformat(found_at), *place)
    found = pii_findings.page(ctx.session, after=after, limit=limit + 1)
    shown = found[:limit]
    next_cursor = None
    if len(found) > limit:
        last = shown[-1]
        position = [last.found_at.isoformat(), last.table_name, last.row_key, last.path]
        next_cursor = make_cursor(ctx.tenant_id, FINDINGS, {}, position)
    return models.PersonalDataFindingPage(
        findings=[_finding(finding) for finding in shown], next_cursor=next_cursor
    )


def _finding(finding: Finding) -> models.PersonalDataFinding:
    told = {
        "table": finding.table_name,
        "column": finding.column_name,
        "row_key": finding.row_key,
        "path": finding.path,
        "kind": finding.kind,
        "found_at": finding.found_at,
    }
    return models.PersonalDataFinding.model_validate(told)


def _model(request: Request) -> models.PrivacyRequest:
    counts = sorted((request.row_counts or {}).items())
    told: dict[str, object] = {
        "request_id": request.request_id,
        "kind": request.kind,
        "vendor": request.vendor,
        "vendor_request_id": request.vendor_request_id,
        "state": request.state,
        "order_count": len(request.order_ids),
        "order_ids": list(request.order_ids[:ORDERS_SHOWN]),
        "requested_at": request.requested_at,
        "completed_at": request.completed_at,
        "row_counts": [{"table": table, "row_count": count} for table, count in counts] or None,
    }
    return models.PrivacyRequest.model_validate(
        {name: value for name, value in told.items() if value is not None}
    )
