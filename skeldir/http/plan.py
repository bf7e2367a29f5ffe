"""What serving one operation takes, worked out once at start-up from its bundle."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jsonschema_rs

from skeldir.http.responses import ResponsePlan, response_plans
from skeldir.http.schemas import compile_schema, deref
from skeldir.http.values import Parameter, reader

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class BodyPlan:
    """How a body is judged; a raw one is the handler's own business."""

    required: bool
    media_types: frozenset[str]
    validator: jsonschema_rs.Draft202012Validator | None


@dataclass(frozen=True, slots=True)
class OperationPlan:
    """One operation, ready to be served."""

    operation_id: str
    contract: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    values: jsonschema_rs.Draft202012Validator
    body: BodyPlan | None
    raw_body: bool
    produces: frozenset[str]
    has_etag: bool
    is_async: bool
    responses: Mapping[str, ResponsePlan]


def operation_plans(contract: str, document: Mapping[str, Any]) -> Iterator[OperationPlan]:
    """Work out every operation of a bundle."""
    for path, item in document.get("paths", {}).items():
        shared = item.get("parameters", [])
        for method in METHODS:
            if method in item:
                yield _plan(contract, document, path, method, shared, item[method])


def _plan(
    contract: str,
    document: Mapping[str, Any],
    path: str,
    method: str,
    shared: list[Mapping[str, Any]],
    operation: Mapping[str, Any],
) -> OperationPlan:
    declared = {
        (parameter["in"], parameter["name"]): parameter
        for parameter in (deref(part, document) for part in [*shared, *operation.get("parameters", [])])
    }
    parameters = tuple(_parameter(parameter, document) for parameter in declared.values())
    schemas = {
        f"{location}.{name}": parameter["schema"] for (location, name), parameter in declared.items()
    }
    values = {
        "type": "object",
        "properties": schemas,
        "required": [parameter.key for parameter in parameters if parameter.required],
    }
    success = [
        deref(response, document)
        for status, response in operation["responses"].items()
        if status.startswith("2")
    ]
    return OperationPlan(
        operation_id=operation["operationId"],
        contract=contract,
        method=method.upper(),
        path=path,
        parameters=parameters,
        values=compile_schema(values, document),
        body=_body(operation, document),
        raw_body=bool(operation.get("x-raw-body")),
        produces=frozenset(media for response in success for media in response.get("content", {})),
        has_etag="304" in operation["responses"],
        is_async=operation.get("x-execution") == "async",
        responses=response_plans(operation["responses"], document),
    )


def _parameter(parameter: Mapping[str, Any], document: Mapping[str, Any]) -> Parameter:
    location, name = parameter["in"], parameter["name"]
    style = parameter.get("style", "form" if location in {"query", "cookie"} else "simple")
    explode = bool(parameter.get("explode", style == "form"))
    read, repeats = reader(parameter["schema"], document, explode=explode and location == "query")
    return Parameter(
        key=f"{location}.{name}",
        name=name.lower() if location == "header" else name,
        location=location,
        required=bool(parameter.get("required", location == "path")),
        read=read,
        repeats=repeats,
    )


def _body(operation: Mapping[str, Any], document: Mapping[str, Any]) -> BodyPlan | None:
    if "requestBody" not in operation:
        return None
    body = deref(operation["requestBody"], document)
    content = body["content"]
    raw = bool(operation.get("x-raw-body"))
    schema = content.get(_JSON, {}).get("schema", True)
    return BodyPlan(
        required=bool(body.get("required")),
        media_types=frozenset(content),
        validator=None if raw else compile_schema(schema, document),
    )
