"""What serving one operation takes, worked out once at start-up from its bundle."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from skeldir.http.bodies import BodyPlan, body_plan
from skeldir.http.parameters import ParameterPlan, UnservableContract, parameter_plan
from skeldir.http.responses import ResponsePlan, response_plans
from skeldir.http.schemas import Place, Schemas

if TYPE_CHECKING:
    from skeldir.http.answers import HttpAnswer
    from skeldir.http.boundary import Call

Route = Callable[["Call"], "HttpAnswer | Awaitable[HttpAnswer]"]

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_IN_PATH: Final = re.compile(r"\{([^}]+)\}")
_CHALLENGES: Final = {
    "oauth2": 'Bearer realm="skeldir"',
    "http": 'Bearer realm="skeldir"',
    "apiKey": 'TenantKey realm="skeldir"',
}


@dataclass(frozen=True, slots=True)
class OperationPlan:
    """One operation, ready to be served."""

    operation_id: str
    contract: str
    method: str
    path: str
    route: Route
    parameters: ParameterPlan
    body: BodyPlan | None
    produces: frozenset[str]
    has_etag: bool
    is_limited: bool
    takes_idempotency_key: bool
    is_async: bool
    is_streamed: bool
    challenge: str
    responses: Mapping[str, ResponsePlan] | None = None
    """None when responses are not to be checked."""


def operation_plans(
    contract: str, document: Mapping[str, Any], routes: Mapping[str, Route], *, validate_responses: bool
) -> Iterator[OperationPlan]:
    """Work out every operation of a bundle; raises UnservableContract, naming the operation."""
    schemas = Schemas(contract, document)
    base = _base_path(document)
    for path in document.get("paths", {}):
        item = schemas.root().at("paths", path)
        for method in METHODS:
            if method in item.value:
                name = item.value[method].get("operationId", f"{method.upper()} {path}")
                try:
                    plan = _plan(schemas, contract, base + path, item, method, _route(routes, name))
                except (UnservableContract, LookupError, ValueError) as error:
                    raise UnservableContract(f"operation {name} of contract {contract}: {error}") from error
                if validate_responses:
                    plan = replace(plan, responses=response_plans(schemas, item.at(method)))
                yield plan


def _route(routes: Mapping[str, Route], operation_id: str) -> Route:
    if operation_id not in routes:
        raise UnservableContract("it has no route")
    return routes[operation_id]


def _plan(  # noqa: PLR0917 - they are what an operation is: its document, its place in it, its code
    schemas: Schemas, contract: str, path: str, item: Place, method: str, route: Route
) -> OperationPlan:
    operation = item.at(method)
    declared = [
        owner.at("parameters", number)
        for owner in (item, operation)
        for number in range(len(owner.value.get("parameters", [])))
    ]
    names = {str(place.value["name"]).lower() for place in declared if place.value["in"] == "header"}
    responses = operation.value["responses"]
    success = [operation.at("responses", status) for status in responses if status.startswith("2")]
    return OperationPlan(
        operation_id=operation.value["operationId"],
        contract=contract,
        method=method.upper(),
        path=path,
        route=route,
        parameters=parameter_plan(schemas, declared, _names_in(path)),
        body=body_plan(schemas, operation),
        produces=frozenset(media for place in success for media in place.value.get("content", {})),
        has_etag=method == "get" and "304" in responses,
        is_limited=operation.value.get("x-rate-limit", schemas.document.get("x-rate-limit")) != "none",
        takes_idempotency_key="idempotency-key" in names,
        is_async=operation.value.get("x-execution") == "async",
        is_streamed=bool(operation.value.get("x-streamed")),
        challenge=_challenge(schemas, operation),
    )


def _names_in(path: str) -> list[str]:
    """Return the parameters of a path; raises UnservableContract for one that shares its segment."""
    for segment in path.split("/"):
        if "{" in segment and not _IN_PATH.fullmatch(segment):
            raise UnservableContract(f"in {path} a parameter does not fill its segment")
    return _IN_PATH.findall(path)


def _challenge(schemas: Schemas, operation: Place) -> str:
    """Return the WWW-Authenticate header of an operation's 401.

    Raises UnservableContract when its security is not declared: silence must not mean public.
    """
    security = operation.value.get("security", schemas.document.get("security"))
    if security is None:
        raise UnservableContract("it does not declare its security")
    names = [name for alternative in security for name in alternative]
    schemes = [schemas.root().at("components", "securitySchemes", name).value for name in names]
    challenges = dict.fromkeys(_CHALLENGES[scheme["type"]] for scheme in schemes)
    return ", ".join(challenges) or _CHALLENGES["http"]


def _base_path(document: Mapping[str, Any]) -> str:
    servers = document.get("servers") or [{"url": "/"}]
    return urlsplit(str(servers[0]["url"])).path.rstrip("/")
