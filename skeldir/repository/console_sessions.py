"""Sign-ins of the console: the refresh token that a browser holds, never rotated, checked each time."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.security.principal import Role
from skeldir.security.refresh import RefreshToken

# A rotated token is refused too: somebody took it to the API, where it is good for one use.
FIND = text("""
    SELECT r.user_id, r.family_id AS session_id, m.role, t.name AS tenant_name
      FROM refresh_tokens r
      JOIN tenants t ON t.tenant_id = r.tenant_id AND t.status = 'active'
      JOIN memberships m ON m.tenant_id = r.tenant_id AND m.user_id = r.user_id AND m.status = 'active'
      LEFT JOIN token_cutoffs c ON c.tenant_id = r.tenant_id AND c.user_id = r.user_id
     WHERE r.token_id = :token_id AND r.secret_hash = :secret_hash
       AND r.revoked_at IS NULL AND r.rotated_at IS NULL
       AND least(r.expires_at, r.issued_at + :lifetime) > clock_timestamp()
       AND coalesce(r.issued_at > c.tokens_invalid_before, true)
""")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is at the console, as the database knows them at this moment."""

    user_id: UUID
    session_id: UUID
    role: Role
    tenant_name: str


def find(session: Session, token: RefreshToken, lifetime: timedelta) -> SignedIn | None:
    """Return whose sign-in a token proves, or None when it was ended in whichever way."""
    parameters = {"token_id": token.token_id, "secret_hash": token.secret_hash(), "lifetime": lifetime}
    row = session.execute(FIND, parameters).mappings().one_or_none()
    return None if row is None else SignedIn(**row)
