"""Access tokens: short-lived Ed25519 JWTs, checked as RFC 8725 asks.

One algorithm, which the verifier chooses; a known key id; an explicit type, so that no other
JWT of ours could ever pass for an access token.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

import jwt

from skeldir.domain.errors import Unauthorized
from skeldir.security.keys import KeyRing, get_key_ring
from skeldir.security.principal import SCOPES, Principal, Role
from skeldir.settings import Settings, get_settings

ALGORITHM = "EdDSA"
TYPE = "at+jwt"
AUDIENCE = "skeldir-api"
LEEWAY = timedelta(seconds=5)
REQUIRED = ["iss", "aud", "exp", "iat", "sub", "jti", "sid", "tenant_id", "role", "scopes"]


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and what its receiver is told about it."""

    token: str = field(repr=False)
    expires_in: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UserSession:
    """One login of one user in one tenant; all tokens that descend from it share its id."""

    session_id: UUID
    tenant_id: UUID
    user_id: UUID
    role: Role


def issue_access_token(
    session: UserSession,
    *,
    issued_at: datetime,
    settings: Settings | None = None,
    ring: KeyRing | None = None,
) -> AccessToken:
    """Sign a token for a session, counted from the given instant.

    `issued_at` is the database's clock, with its microseconds, because it will be compared with
    cut-offs set by that clock: a token made just after a cut-off must outlive it.
    """
    settings, keys = settings or get_settings(), (ring or get_key_ring()).signing
    expires_at = issued_at + timedelta(seconds=settings.access_token_seconds)
    claims = {
        "iss": settings.public_url,
        "aud": AUDIENCE,
        "sub": str(session.user_id),
        "user_id": str(session.user_id),
        "tenant_id": str(session.tenant_id),
        "sid": str(session.session_id),
        "jti": str(uuid4()),
        "role": session.role,
        "roles": [session.role],
        "scopes": sorted(SCOPES[session.role]),
        "iat": issued_at.timestamp(),
        "exp": int(expires_at.timestamp()),
    }
    headers = {"kid": keys.current, "typ": TYPE}
    token = jwt.encode(claims, keys.signer(), algorithm=ALGORITHM, headers=headers)
    return AccessToken(token, settings.access_token_seconds, expires_at)


def verify_access_token(
    token: str, *, settings: Settings | None = None, ring: KeyRing | None = None
) -> Principal:
    """Return who a token speaks for; raises Unauthorized.

    Whether it was revoked since is the database's to say, in the transaction that does the work.
    """
    settings, ring = settings or get_settings(), ring or get_key_ring()
    try:
        return _principal(_claims(token, settings, ring))
    except (jwt.PyJWTError, ValueError, KeyError, TypeError, OverflowError) as error:
        expired = isinstance(error, jwt.ExpiredSignatureError)
        reason = f"the access token {'has expired' if expired else 'is not valid'}"
        raise invalid_token(reason) from None


def invalid_token(reason: str) -> Unauthorized:
    """Make the 401 that tells a client to refresh (RFC 6750 §3.1)."""
    challenge = f'Bearer realm="skeldir", error="invalid_token", error_description="{reason}"'
    return Unauthorized(reason, headers={"WWW-Authenticate": challenge})


def _claims(token: str, settings: Settings, ring: KeyRing) -> Mapping[str, Any]:
    header = jwt.get_unverified_header(token)
    key = ring.signing.verifier(header["kid"])
    if key is None or header["typ"] != TYPE:
        raise jwt.InvalidTokenError
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[ALGORITHM],
        issuer=settings.public_url,
        audience=AUDIENCE,
        leeway=LEEWAY,
        options={"require": REQUIRED},
    )
    return claims


def _principal(claims: Mapping[str, Any]) -> Principal:
    role = claims["role"]
    scopes = frozenset(claims["scopes"])
    if role not in get_args(Role) or not scopes <= SCOPES[role]:
        raise jwt.InvalidTokenError
    return Principal(
        tenant_id=UUID(claims["tenant_id"]),
        kind="user",
        user_id=UUID(claims["sub"]),
        role=role,
        scopes=scopes,
        token_id=UUID(claims["jti"]),
        session_id=UUID(claims["sid"]),
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )
