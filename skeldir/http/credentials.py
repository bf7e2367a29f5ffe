"""Credentials as the service checks them: signed access tokens, and tenant keys by their hash."""

from datetime import UTC, datetime
from typing import Final

from skeldir.db.session import lookup_session
from skeldir.domain.errors import Forbidden, Unauthorized
from skeldir.repository import tenants
from skeldir.security.principal import Principal
from skeldir.security.tokens import verify_access_token

REMEMBERED_TOKENS_MAX: Final = 4_096


class ServiceCredentials:
    """Satisfies skeldir.http.security.SecurityFunctions."""

    def __init__(self) -> None:
        """Begin with nobody known."""
        self._verified: dict[str, Principal] = {}

    def of_access_token(self, token: str) -> Principal:
        """Return the user of an access token; whether it was revoked is asked with the transaction.

        A signature that was right stays right, so that it is checked once per token and process;
        the end of its life is looked at every time.
        """
        known = self._verified.get(token)
        if known is not None and known.expires_at is not None and datetime.now(UTC) < known.expires_at:
            return known
        principal = verify_access_token(token)
        if len(self._verified) >= REMEMBERED_TOKENS_MAX:
            self._verified.clear()
        self._verified[token] = principal
        return principal

    def of_tenant_key(self, key: str) -> Principal:
        """Return the tenant of a key; raises Unauthorized for an unknown one, Forbidden when suspended."""
        with lookup_session() as session:
            found = tenants.by_key(session, key)
        if found is None:
            raise Unauthorized("The tenant key is not known.")
        if found.is_suspended:
            raise Forbidden("The tenant is suspended.")
        return Principal(found.tenant_id, "tenant_key")
