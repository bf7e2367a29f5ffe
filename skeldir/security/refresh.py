"""Refresh tokens: opaque, and telling only where to look and what to prove there."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from skeldir.domain.ids import uuid7

_SHAPE = re.compile(r"skr_([0-9a-f]{32})\.([0-9a-f]{32})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A tenant, a row of that tenant, and 256 random bits of which the row holds the hash."""

    tenant_id: UUID
    token_id: UUID
    secret: str = field(repr=False)

    def text(self) -> str:
        """Write the token as its holder keeps it."""
        return f"skr_{self.tenant_id.hex}.{self.token_id.hex}.{self.secret}"

    def secret_hash(self) -> bytes:
        """Return what is stored; a plain hash suffices for a secret that nobody can guess."""
        return hashlib.sha256(self.secret.encode()).digest()


def new_refresh_token(tenant_id: UUID) -> RefreshToken:
    """Make a token for a row that is yet to be written."""
    return RefreshToken(tenant_id=tenant_id, token_id=uuid7(), secret=secrets.token_urlsafe(32))


def parse_refresh_token(text: str) -> RefreshToken | None:
    """Read a token, or None when it cannot be one of ours."""
    matched = _SHAPE.fullmatch(text)
    if matched is None:
        return None
    tenant, token, secret = matched.groups()
    return RefreshToken(tenant_id=UUID(hex=tenant), token_id=UUID(hex=token), secret=secret)
