"""Asks openapi-spec-validator whether a bundle is an OpenAPI 3.1 document."""

from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from codegen.findings import Finding
from codegen.refs import Json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def validate(contract: str, document: dict[str, Any]) -> list[Finding]:
    """Return what OpenAPI's own rules find wrong with a bundle."""
    return [
        Finding(contract, place(document, error), "openapi", _words(error))
        for error in OpenAPIV31SpecValidator(document).iter_errors()
    ]


def place(document: dict[str, Any], error: Json) -> str:
    """Name the operation or component in which an error lies, and the way to it."""
    path = [str(step) for step in error.absolute_path]
    rest = "/".join(path)
    if path[:1] == ["paths"] and len(path) > 2 and path[2] in METHODS:  # noqa: PLR2004
        operation = document["paths"][path[1]][path[2]]
        name = operation.get("operationId") if isinstance(operation, dict) else None
        return f"operation {name or f'{path[2].upper()} {path[1]}'} at {rest}"
    return f"component {'/'.join(path[1:3])} at {rest}" if path[:1] == ["components"] else rest or "file"


def _words(error: Json) -> str:
    best = min(error.context, key=lambda inner: len(inner.path), default=error) if error.context else error
    return " ".join(best.message.split())[:400]
