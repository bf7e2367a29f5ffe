"""Credentials as the service checks them: signed access tokens, and tenant keys by their hash."""

from skeldir.db.session import lookup_session
from skeldir.domain.errors import Forbidden, Unauthorized
from skeldir.repository import tenants
from skeldir.security.principal import Principal
from skeldir.security.tokens import verify_access_token


class ServiceCredentials:
    """Satisfies skeldir.http.security.SecurityFunctions."""

    def of_access_token(self, token: str) -> Principal:
        """Return the user of an access token; whether it was revoked is asked with the transaction."""
        return verify_access_token(token)

    def of_tenant_key(self, key: str) -> Principal:
        """Return the tenant of a key; raises Unauthorized for an unknown one, Forbidden when suspended."""
        with lookup_session() as session:
            found = tenants.by_key(session, key)
        if found is None:
            raise Unauthorized("The tenant key is not known.", headers={"WWW-Authenticate": "TenantKey"})
        if found.is_suspended:
            raise Forbidden("The tenant is suspended.")
        return Principal(found.tenant_id, "tenant_key")
