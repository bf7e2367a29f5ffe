# @generated from api-contracts/openapi/v1 by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""What is served, as data for the start-up checks; imports no handler."""

from typing import Final, Literal, NamedTuple

from generated import stubs


class Operation(NamedTuple):
    """One operation; `path` begins with the server's path, `handler` is the function's name."""

    operation_id: str
    method: str
    path: str
    handler: str
    transaction: Literal["read", "write", "none"]
    execution: Literal["sync", "async"]
    raw_body: bool


class Contract(NamedTuple):
    """One contract; `bundle` lies below generated/bundles, `handlers` is a module's name."""

    name: str
    bundle: str
    handlers: str
    stub: type
    operations: tuple[Operation, ...]


CONTRACTS: Final[tuple[Contract, ...]] = (
    Contract(
        name="attribution",
        bundle="attribution.json",
        handlers="handlers.attribution",
        stub=stubs.AttributionHandlers,
        operations=(
            Operation(
                operation_id="getChannelAttribution",
                method="GET",
                path="/api/attribution/channels",
                handler="get_channel_attribution",
                transaction="read",
                execution="sync",
                raw_body=False,
            ),
            Operation(
                operation_id="getLedgerTotals",
                method="GET",
                path="/api/attribution/ledger",
                handler="get_ledger_totals",
                transaction="read",
                execution="sync",
                raw_body=False,
            ),
            Operation(
                operation_id="getRecomputeJob",
                method="GET",
                path="/api/attribution/recompute-jobs/{job_id}",
                handler="get_recompute_job",
                transaction="read",
                execution="sync",
                raw_body=False,
            ),
            Operation(
                operation_id="listAllocations",
                method="GET",
                path="/api/attribution/allocations",
                handler="list_allocations",
                transaction="read",
                execution="sync",
                raw_body=False,
            ),
            Operation(
                operation_id="listChannels",
                method="GET",
                path="/api/attribution/taxonomy",
                handler="list_channels",
                transaction="read",
                execution="sync",
                raw_body=False,
            ),
            Operation(
                operation_id="recomputeWindow",
                method="POST",
                path="/api/attribution/recompute-jobs",
                handler="recompute_window",
                transaction="write",
                execution="sync",
                raw_body=False,
            ),
            Operation(
                operation_id="recordTouchpoints",
                method="POST",
                path="/api/attribution/touchpoints",
                handler="record_touchpoints",
                transaction="write",
                execution="sync",
                raw_body=False,
            ),
        ),
    ),
    Contract(
        name="auth",
        bundle="auth.json",
        handlers="handlers.auth",
        stub=stubs.AuthHandlers,
        operations=(
            Operation(
                operation_id="adminRbacCheck",
                method="GET",
                path="/api/auth/admin/rbac-check",
                handler="admin_rbac_check",
                transaction="read",
                execution="sync",
                raw_body=False,
            ),
            Operation(
                operation_id="adminRevokeTokensBefore",
                method="POST",
                path="/api/auth/admin/token-cutoff",
                handler="admin_revoke_tokens_before",
                transaction="write",
                execution="sync",
                raw_body=False,
            ),
            Operation(
                operation_id="adminUpdateMembershipRole",
                method="POST",
                path="/api/auth/admin/membership-role",
                handler="admin_update_membership_role",
                transaction="write",
                execution="sync",
                raw_body=False,
            ),
            Operation(
                operation_id="login",
                method="POST",
                path="/api/auth/login",
                handler="login",
                transaction="none",
                execution="sync",
                raw_body=False,
            ),
            Operation(
                operation_id="logout",
                method="POST",
                path="/api/auth/logout",
                handler="logout",
                transaction="write",
                execution="sync",
                raw_body=False,
            ),
            Operation(
                operation_id="refreshToken",
                method="POST",
                path="/api/auth/refresh",
                handler="refresh_token",
                transaction="none",
                execution="sync",
                raw_body=False,
            ),
            Operation(
                operation_id="verifyToken",
                method="GET",
                path="/api/auth/verify",
                handler="verify_token",
                transaction="read",
                execution="sync",
                raw_body=False,
            ),
        ),
    ),
    Contract(
        name="health",
        bundle="health.json",
        handlers="handlers.health",
        stub=stubs.HealthHandlers,
        operations=(
            Operation(
                operation_id="getDetailedHealth",
                method="GET",
                path="/api/health/detailed",
                handler="get_detailed_health",
                transaction="read",
                execution="sync",
                raw_body=False,
            ),
            Operation(
                operation_id="getHealthStatus",
                method="GET",
                path="/api/health",
                handler="get_health_status",
                transaction="none",
                execution="sync",
                raw_body=False,
            ),
            Operation(
                operation_id="livenessProbe",
                method="GET",
                path="/api/health/live",
                handler="liveness_probe",
                transaction="none",
                execution="async",
                raw_body=False,
            ),
            Operation(
                operation_id="readinessProbe",
                method="GET",
                path="/api/health/ready",
                handler="readiness_probe",
                transaction="none",
                execution="sync",
                raw_body=False,
            ),
        ),
    ),
)
