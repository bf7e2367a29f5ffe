"""Who asks: what an access token or a tenant's key proves about a request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Role = Literal["admin", "manager", "viewer"]

SCOPES: dict[Role, frozenset[str]] = {
    "admin": frozenset({"admin", "manager", "viewer"}),
    "manager": frozenset({"manager", "viewer"}),
    "viewer": frozenset({"viewer"}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a user of a tenant with an access token, or a system with the tenant's key.

    `session_id` names the login that the token descends from; it outlives each token.
    """

    tenant_id: UUID
    kind: Literal["user", "tenant_key"]
    user_id: UUID | None = None
    role: Role | None = None
    scopes: frozenset[str] = frozenset()
    token_id: UUID | None = None
    session_id: UUID | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
