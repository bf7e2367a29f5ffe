# @generated from api-contracts/openapi/v1/auth.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the auth contract."""

from generated.models.auth import (
    LoginRequest,
    LoginResponse,
    MembershipRole,
    MembershipRoleRequest,
    RbacCheck,
    RefreshRequest,
    RefreshResponse,
    TokenCutoff,
    TokenCutoffRequest,
    TokenVerification,
)
from generated.models.common import SuccessResponse
from generated.stubs import Answer
from handlers import auth as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context
from skeldir.http.convert import to_model


def admin_rbac_check(call: Call) -> HttpAnswer:
    """GET /api/auth/admin/rbac-check."""

    def handle(ctx: Context) -> Answer[RbacCheck]:
        return handlers.admin_rbac_check(ctx)

    return call.run(handle, transaction="read", status=200)


def admin_revoke_tokens_before(call: Call) -> HttpAnswer:
    """POST /api/auth/admin/token-cutoff."""
    body = to_model(TokenCutoffRequest, call.json)

    def handle(ctx: Context) -> Answer[TokenCutoff]:
        return handlers.admin_revoke_tokens_before(ctx, body=body)

    return call.run(handle, transaction="write", status=200)


def admin_update_membership_role(call: Call) -> HttpAnswer:
    """POST /api/auth/admin/membership-role."""
    body = to_model(MembershipRoleRequest, call.json)

    def handle(ctx: Context) -> Answer[MembershipRole]:
        return handlers.admin_update_membership_role(ctx, body=body)

    return call.run(handle, transaction="write", status=200)


def login(call: Call) -> HttpAnswer:
    """POST /api/auth/login."""
    body = to_model(LoginRequest, call.json)

    def handle(ctx: Context) -> Answer[LoginResponse]:
        return handlers.login(ctx, body=body)

    return call.run(handle, transaction="none", status=200)


def logout(call: Call) -> HttpAnswer:
    """POST /api/auth/logout."""

    def handle(ctx: Context) -> Answer[SuccessResponse]:
        return handlers.logout(ctx)

    return call.run(handle, transaction="write", status=200)


def refresh_token(call: Call) -> HttpAnswer:
    """POST /api/auth/refresh."""
    body = to_model(RefreshRequest, call.json)

    def handle(ctx: Context) -> Answer[RefreshResponse]:
        return handlers.refresh_token(ctx, body=body)

    return call.run(handle, transaction="none", status=200)


def verify_token(call: Call) -> HttpAnswer:
    """GET /api/auth/verify."""

    def handle(ctx: Context) -> Answer[TokenVerification]:
        return handlers.verify_token(ctx)

    return call.run(handle, transaction="read", status=200)
