"""Operations of api-contracts/openapi/v1/auth.yaml."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import MISSING

from generated.models.auth import (
    LoginRequest,
    LoginResponse,
    LoginUser,
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
from skeldir.domain.errors import Conflict, NotFound, SkeldirError, Unauthorized
from skeldir.http import sessions
from skeldir.http.context import Context, Principal, Role
from skeldir.repository import tokens, users
from skeldir.security.refresh import RefreshToken, parse_refresh_token
from skeldir.security.tokens import invalid_token

CLOCK_TOLERANCE: Final = timedelta(minutes=1)
BEFORE_ALL_TOKENS: Final = datetime(1970, 1, 1, tzinfo=UTC)


def login(ctx: Context, *, body: LoginRequest) -> LoginResponse | SkeldirError:  # noqa: ARG001
    """Begin a session. The refusal is returned: the failure that it counts must stay."""
    begun = sessions.log_in(body.tenant_id, body.email, body.password.get_secret_value())
    if isinstance(begun, SkeldirError):
        return begun
    return LoginResponse(
        access_token=begun.tokens.access.token,
        refresh_token=begun.tokens.refresh.text(),
        token_type="Bearer",  # noqa: S106  (its kind, not its value)
        expires_in=begun.tokens.access.expires_in,
        user=LoginUser(id=begun.tokens.user_id, email=body.email, username=begun.username),
    )


def refresh_token(ctx: Context, *, body: RefreshRequest) -> RefreshResponse | SkeldirError:
    """Exchange a refresh token. The refusal is returned: the session that it ends must stay ended."""
    renewed = sessions.refresh(_refresh_credential(ctx, body))
    if isinstance(renewed, SkeldirError):
        return renewed
    return RefreshResponse(
        access_token=renewed.access.token,
        refresh_token=renewed.refresh.text(),
        token_type="Bearer",  # noqa: S106
        expires_in=renewed.access.expires_in,
    )


def logout(ctx: Context) -> SuccessResponse:
    """End the caller's session: its refresh tokens and all of its access tokens."""
    principal, user_id = _caller(ctx)
    users.lock_membership(ctx.session, user_id)
    if principal.session_id is not None:
        tokens.end_session(ctx.session, principal.session_id, user_id, sessions.access_lifetime())
    return SuccessResponse(success=True, correlation_id=ctx.correlation_id)


def verify_token(ctx: Context) -> TokenVerification:
    """Tell whose token it is; that it is valid was found out on the way here."""
    principal, user_id = _caller(ctx)
    if principal.expires_at is None:
        raise Unauthorized
    return TokenVerification(
        valid=True,
        user_id=user_id,
        tenant_id=principal.tenant_id,
        role=_role(principal),
        expires_at=principal.expires_at,
    )


def admin_revoke_tokens_before(ctx: Context, *, body: TokenCutoffRequest) -> TokenCutoff:
    """Raise a user's cut-off and end the sessions that began before it."""
    principal, caller_id = _caller(ctx)
    instant = None  # the database's own now
    if body.tokens_invalid_before is not MISSING:
        if body.tokens_invalid_before > datetime.now(UTC) + CLOCK_TOLERANCE:
            raise Conflict("tokens_invalid_before has not come yet: it would lock the user out until then.")
        instant = max(body.tokens_invalid_before, BEFORE_ALL_TOKENS)
    if users.lock_membership(ctx.session, body.user_id) is None:
        raise NotFound(f"The tenant has no active member {body.user_id}.")
    stands = tokens.raise_cutoff(ctx.session, body.user_id, instant, updated_by=caller_id)
    tokens.end_sessions_cut_off(ctx.session, body.user_id, sessions.access_lifetime())
    return TokenCutoff(
        success=True,
        correlation_id=ctx.correlation_id,
        tenant_id=principal.tenant_id,
        user_id=body.user_id,
        tokens_invalid_before=stands,
        message="Tokens of sessions that began before this instant are refused.",
    )


def admin_rbac_check(ctx: Context) -> RbacCheck:
    """Show an administrator what the service takes them for."""
    principal, user_id = _caller(ctx)
    return RbacCheck(
        success=True,
        correlation_id=ctx.correlation_id,
        tenant_id=principal.tenant_id,
        user_id=user_id,
        role=_role(principal),
    )


def admin_update_membership_role(ctx: Context, *, body: MembershipRoleRequest) -> MembershipRole:
    """Give a member another role; their tokens end with the old one."""
    principal, caller_id = _caller(ctx)
    raised = sessions.change_role(ctx.session, body.user_id, body.role, by=caller_id)
    stands = raised or tokens.cutoff(ctx.session, body.user_id)
    return MembershipRole(
        success=True,
        correlation_id=ctx.correlation_id,
        tenant_id=principal.tenant_id,
        user_id=body.user_id,
        role=body.role,
        tokens_invalid_before=stands or MISSING,
        revoked_existing_tokens=raised is not None,
        message="The role was changed and the user's sessions have ended."
        if raised
        else "The user has this role already; nothing was changed.",
    )


def _caller(ctx: Context) -> tuple[Principal, UUID]:
    """Return who calls, a user: a tenant's key opens none of these operations."""
    if ctx.principal is None or ctx.principal.user_id is None:
        raise Unauthorized
    return ctx.principal, ctx.principal.user_id


def _role(principal: Principal) -> Role:
    if principal.role is None:
        raise Unauthorized
    return principal.role


def _refresh_credential(ctx: Context, body: RefreshRequest) -> RefreshToken:
    """Read the bearer credential; a body that names another token or tenant is a mix-up, and refused."""
    scheme, _, credential = ctx.request.headers.get("authorization", "").partition(" ")
    sent = parse_refresh_token(credential.strip()) if scheme.lower() == "bearer" else None
    if (
        sent is None
        or body.refresh_token not in (MISSING, sent.text())
        or body.tenant_id not in (MISSING, sent.tenant_id)
    ):
        raise invalid_token("the refresh token is not valid")
    return sent
