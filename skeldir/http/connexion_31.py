"""OpenAPI 3.1 on Connexion 3.3: the only module that touches its semi-private names.

Connexion accepts 3.0 alone and would skip what 3.1 adds. Its shell, its look-up by operation and
its security stay; routing answers 404 and 405 in full, and validation is ours.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from connexion.middleware import ConnexionMiddleware
from connexion.middleware.lifespan import LifespanMiddleware
from connexion.middleware.main import API
from connexion.middleware.security import SecurityMiddleware
from connexion.resolver import Resolver
from connexion.spec import OpenAPISpecification
from starlette.types import ASGIApp

from skeldir.http.plan import operation_plans
from skeldir.http.problem_shield import ProblemShield
from skeldir.http.routing import ContractRouting, Router, base_path
from skeldir.http.security import Credentials, security_map


class Contract31(OpenAPISpecification):
    """A 3.1 bundle; codegen has validated it against the 3.1 schema already."""

    @classmethod
    def _validate_spec(cls, spec: Mapping[str, Any]) -> None:
        if not str(spec.get("openapi", "")).startswith("3.1."):
            raise ValueError("not an OpenAPI 3.1 contract")


def serve_contracts(
    bundles: Mapping[str, Mapping[str, Any]],
    endpoint: ASGIApp,
    *,
    credentials: Credentials,
    fallback: ASGIApp,
    lifespan: Any = None,  # noqa: ANN401 (Connexion's type)
) -> ASGIApp:
    """Return the application that serves bundles by contract name; built whole, so that faults show now."""
    router = Router()
    for contract, document in bundles.items():
        for plan in operation_plans(contract, document):
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
        security_map=dict(security_map(credentials)),
        resolver=Resolver(_no_function),
    )
    for contract, document in bundles.items():
        options = application.options.replace()
        application.apis.append(
            API(Contract31(_copied(document)), base_path=base_path(contract), **options.__dict__)
        )
    application.app, application.middleware_stack = application._build_middleware_stack()  # noqa: SLF001
    return application


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
