"""The contracts' security schemes, as handlers of Connexion's security middleware."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Protocol

from connexion.lifecycle import ConnexionRequest
from connexion.security import NO_VALUE, AbstractSecurityHandler

from skeldir.domain.errors import Forbidden, Unauthorized
from skeldir.http.exchange import EXCHANGE, Exchange
from skeldir.http.pool import HandlerPool
from skeldir.security.principal import Principal

Check = Callable[[ConnexionRequest], Awaitable[object]]


class SecurityFunctions(Protocol):
    """Who a credential proves the caller to be; both raise Unauthorized or Forbidden."""

    def of_access_token(self, token: str) -> Principal:
        """Return the user of an access token; needs no database."""

    def of_tenant_key(self, key: str) -> Principal:
        """Return the tenant of a key; asks the database."""


def security_map(
    functions: SecurityFunctions, pool: HandlerPool
) -> Mapping[str, type[AbstractSecurityHandler]]:
    """Return Connexion's map from scheme to handler, bound to the functions and where they may block."""

    def bound(handler: type[_Handler]) -> type[_Handler]:
        return type(handler.__name__, (handler,), {"functions": functions, "pool": pool})

    return {"oauth2": bound(_AccessToken), "bearer": bound(_OpaqueBearer), "apiKey": bound(_TenantKey)}


class _Handler(AbstractSecurityHandler):  # type: ignore[misc]  # Connexion is not typed
    functions: ClassVar[SecurityFunctions]
    pool: ClassVar[HandlerPool]


class _AccessToken(_Handler):
    """An access token of a user whose scopes cover those of the operation."""

    def get_fn(self, security_scheme: Mapping[str, Any], required_scopes: list[str]) -> Check:  # noqa: ARG002
        required = frozenset(required_scopes)

        async def check(request: ConnexionRequest) -> object:
            exchange: Exchange = request.scope[EXCHANGE]
            token = _bearer(exchange)
            if token is None:
                return NO_VALUE
            principal = self.functions.of_access_token(token)
            if not required <= principal.scopes:
                needed = " ".join(sorted(required))
                raise Forbidden(
                    f"This needs the scope {needed}.",
                    headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{needed}"'},
                )
            return _proven(exchange, principal)

        return check


class _OpaqueBearer(_Handler):
    """A refresh token: the operation itself redeems it, in its own transaction."""

    def get_fn(self, security_scheme: Mapping[str, Any], required_scopes: list[str]) -> Check:  # noqa: ARG002
        async def check(request: ConnexionRequest) -> object:
            return NO_VALUE if _bearer(request.scope[EXCHANGE]) is None else {}

        return check


class _TenantKey(_Handler):
    """The tenant's own key."""

    def get_fn(self, security_scheme: Mapping[str, Any], required_scopes: list[str]) -> Check:  # noqa: ARG002
        if security_scheme["in"] != "header":
            raise ValueError("a tenant's key travels in a header")
        name = security_scheme["name"].lower().encode("ascii")

        async def check(request: ConnexionRequest) -> object:
            exchange: Exchange = request.scope[EXCHANGE]
            key = exchange.headers.get(name)
            if key is None:
                return NO_VALUE
            principal = await self.pool.run(self.functions.of_tenant_key, key.decode("latin-1"))
            return _proven(exchange, principal)

        return check


def _bearer(exchange: Exchange) -> str | None:
    """Return the bearer token of the Authorization header; raises Unauthorized for another scheme."""
    authorization = exchange.headers.get(b"authorization")
    if authorization is None:
        return None
    scheme, _, token = authorization.decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized(
            "The Authorization header holds no bearer token.",
            headers={"WWW-Authenticate": 'Bearer realm="skeldir", error="invalid_request"'},
        )
    return token.strip()


def _proven(exchange: Exchange, principal: Principal) -> Mapping[str, object]:
    exchange.principal = principal
    return {"sub": str(principal.user_id or principal.tenant_id)}
