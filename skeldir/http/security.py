"""The contracts' security schemes, as handlers of Connexion's security middleware."""

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

from connexion.lifecycle import ConnexionRequest
from connexion.security import NO_VALUE, AbstractSecurityHandler

from skeldir.domain.errors import Forbidden, Unauthorized
from skeldir.security.principal import Principal

PRINCIPAL: Final = "skeldir.principal"
Check = Callable[[ConnexionRequest], Awaitable[object]]


class SecurityFunctions(Protocol):
    """Who a credential proves the caller to be; both raise Unauthorized or Forbidden."""

    def of_access_token(self, token: str) -> Principal:
        """Return the user of an access token; needs no database."""

    def of_tenant_key(self, key: str) -> Principal:
        """Return the tenant of a key; asks the database."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The functions and the pool in which the blocking one runs."""

    functions: SecurityFunctions
    executor: Executor


def security_map(credentials: Credentials) -> Mapping[str, type[AbstractSecurityHandler]]:
    """Return Connexion's map from scheme to handler, bound to the given functions."""

    def bound(handler: type[_Handler]) -> type[_Handler]:
        return type(handler.__name__, (handler,), {"credentials": credentials})

    return {"oauth2": bound(_AccessToken), "bearer": bound(_OpaqueBearer), "apiKey": bound(_TenantKey)}


class _Handler(AbstractSecurityHandler):
    credentials: ClassVar[Credentials]


class _AccessToken(_Handler):
    """An access token of a user whose scopes cover those of the operation."""

    def get_fn(self, security_scheme: Mapping[str, Any], required_scopes: list[str]) -> Check:  # noqa: ARG002
        required = frozenset(required_scopes)

        async def check(request: ConnexionRequest) -> object:
            token = bearer(request)
            if token is None:
                return NO_VALUE
            principal = self.credentials.functions.of_access_token(token)
            if not required <= principal.scopes:
                needed = " ".join(sorted(required))
                raise Forbidden(
                    f"This needs the scope {needed}.",
                    headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{needed}"'},
                )
            return _proven(request, principal)

        return check


class _OpaqueBearer(_Handler):
    """A refresh token: the operation itself redeems it, in its own transaction."""

    def get_fn(self, security_scheme: Mapping[str, Any], required_scopes: list[str]) -> Check:  # noqa: ARG002
        async def check(request: ConnexionRequest) -> object:
            return NO_VALUE if bearer(request) is None else {}

        return check


class _TenantKey(_Handler):
    """The tenant's own key."""

    def get_fn(self, security_scheme: Mapping[str, Any], required_scopes: list[str]) -> Check:  # noqa: ARG002
        name = security_scheme["name"]

        async def check(request: ConnexionRequest) -> object:
            key = request.headers.get(name)
            if key is None:
                return NO_VALUE
            functions, executor = self.credentials.functions, self.credentials.executor
            principal = await get_running_loop().run_in_executor(executor, functions.of_tenant_key, key)
            return _proven(request, principal)

        return check


def bearer(request: ConnexionRequest) -> str | None:
    """Return the bearer token of the Authorization header; raises Unauthorized for another scheme."""
    authorization = request.headers.get("authorization")
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized(
            "The Authorization header holds no bearer token.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_request"'},
        )
    return token.strip()


def _proven(request: ConnexionRequest, principal: Principal) -> Mapping[str, object]:
    request.scope[PRINCIPAL] = principal
    return {"sub": str(principal.user_id or principal.tenant_id)}
