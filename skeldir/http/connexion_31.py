"""OpenAPI 3.1 on Connexion 3.3: the only module that touches its semi-private names.

Connexion accepts 3.0 alone and would skip what 3.1 adds. Its shell, its look-up by operation and
its security stay; routing answers 404 and 405 in full, and validation is ours.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

from connexion.middleware import ConnexionMiddleware
from connexion.middleware.abstract import ROUTING_CONTEXT, SpecMiddleware
from connexion.middleware.lifespan import LifespanMiddleware
from connexion.middleware.main import API
from connexion.middleware.security import SecurityMiddleware
from connexion.resolver import Resolver
from connexion.security import AbstractSecurityHandler
from connexion.spec import OpenAPISpecification
from starlette.types import ASGIApp, Receive, Scope, Send

from skeldir.http.answers import HttpAnswer
from skeldir.http.exchange import EXCHANGE, Exchange
from skeldir.http.plan import OperationPlan
from skeldir.http.problem_shield import ProblemShield
from skeldir.http.problems import MethodNotAllowed
from skeldir.http.routing import Router, raw_path_of

Fallback = Callable[[Exchange], HttpAnswer]

_EXTENSIONS: Final = "extensions"


class Contract31(OpenAPISpecification):  # type: ignore[misc]  # Connexion is not typed
    """A 3.1 bundle; codegen has validated it against the 3.1 schema already."""

    @classmethod
    def _validate_spec(cls, spec: Mapping[str, Any]) -> None:
        if not str(spec.get("openapi", "")).startswith("3.1."):
            raise ValueError("not an OpenAPI 3.1 contract")


class ContractRouting(SpecMiddleware):  # type: ignore[misc]
    """Routes to the operations of every contract; answers 404, and 405 with all methods."""

    def __init__(self, app: ASGIApp, *, router: Router, fallback: Fallback) -> None:
        """Route operations to `app`; what is at none of their paths is the fallback's to answer."""
        self.app = app
        self.router = router
        self.fallback = fallback

    def add_api(self, specification: Any, **kwargs: Any) -> None:  # noqa: ANN401 (Connexion's signature)
        """Do nothing: the router was filled from the same bundles."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the operation where Connexion's later middlewares look for it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange: Exchange = scope[EXCHANGE]
        found = self.router.find(raw_path_of(scope))
        if found is None:
            exchange.answer = self.fallback(exchange)
            return
        methods, exchange.segments = found
        plan = methods.find(scope["method"])
        if plan is None:
            raise MethodNotAllowed(headers={"Allow": methods.allow})
        exchange.plan = plan
        scope[_EXTENSIONS] = {
            ROUTING_CONTEXT: {"api_base_path": _key(plan.contract), "operation_id": plan.operation_id}
        }
        await self.app(scope, receive, send)


def serve_contracts(
    bundles: Mapping[str, Mapping[str, Any]],
    plans: Iterable[OperationPlan],
    endpoint: ASGIApp,
    *,
    security: Mapping[str, type[AbstractSecurityHandler]],
    fallback: Fallback,
    lifespan: Any = None,  # noqa: ANN401 (Connexion's type)
) -> ASGIApp:
    """Return the application that serves bundles by contract name; built whole, so that faults show now."""
    router = Router()
    for plan in plans:
        router.add(plan)
    application = ConnexionMiddleware(
        endpoint,
        middlewares=[
            ProblemShield,
            partial(ContractRouting, router=router, fallback=fallback),
            SecurityMiddleware,
            LifespanMiddleware,
        ],
        lifespan=lifespan,
        security_map=dict(security),
        resolver=Resolver(_no_function),
    )
    for contract, document in bundles.items():
        options = application.options.replace()
        application.apis.append(
            API(Contract31(_copied(document)), base_path=_key(contract), **options.__dict__)
        )
    application.app, application.middleware_stack = application._build_middleware_stack()  # noqa: SLF001
    return cast("ASGIApp", application)


def _key(contract: str) -> str:
    """Return the base path under which Connexion looks a contract up; requests never see it."""
    return f"/{contract}"


def _no_function(operation_id: str) -> Any:  # noqa: ANN401
    """Stand in for Connexion's own dispatch: routes are called by the endpoint."""
    return lambda: operation_id


def _copied(part: Any) -> Any:  # noqa: ANN401 (JSON)
    """Copy a bundle: Connexion resolves references in place."""
    if isinstance(part, Mapping):
        return {key: _copied(value) for key, value in part.items()}
    if isinstance(part, Sequence) and not isinstance(part, str):
        return [_copied(value) for value in part]
    return part
