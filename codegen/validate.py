"""Asks openapi-spec-validator whether a bundle is an OpenAPI 3.1 document."""

from collections.abc import Iterator, Sequence
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from codegen.findings import Finding
from codegen.operations import METHODS
from codegen.refs import Json

Way = list[str | int]
_NOWHERE = object()


def validate(contract: str, document: dict[str, Any]) -> list[Finding]:
    """Return what OpenAPI's own rules find wrong with a bundle."""
    errors = OpenAPIV31SpecValidator(document).iter_errors()
    findings: list[Finding] = []
    try:
        findings.extend(
            Finding(contract, place(document, found), "openapi", _words(found)) for found in errors
        )
    except Exception as error:  # noqa: BLE001  it stumbles over what it has reported before
        if not findings:
            findings.append(Finding(contract, "file", "openapi", f"cannot be validated: {error!r}"))
    return findings


def place(document: Json, error: Json) -> str:
    """Name the operation or component in which an error lies, and the way to it."""
    path = list(error.absolute_path)
    if path and path[0] not in document:  # told from the schema in which it lies
        path = next(ways_to(document, path, error.instance), path)
    rest = "/".join(map(str, path))
    if path[:1] == ["paths"] and len(path) > 2 and path[2] in METHODS:  # noqa: PLR2004
        operation = document["paths"][path[1]][path[2]]
        name = operation.get("operationId") if isinstance(operation, dict) else None
        return f"operation {name or f'{path[2].upper()} {path[1]}'} at {rest}"
    if path[:1] == ["components"]:
        return f"component {'/'.join(map(str, path[1:3]))} at {rest}"
    return rest or "file"


def ways_to(
    node: Json, end: Sequence[str | int], value: Json, way: tuple[str | int, ...] = ()
) -> Iterator[Way]:
    """Yield each way through a document that ends as given and leads to the value."""
    if _at(node, end) == value:
        yield [*way, *end]
    if isinstance(node, dict | list):
        for key, item in node.items() if isinstance(node, dict) else enumerate(node):
            yield from ways_to(item, end, value, (*way, key))


def _at(node: Json, way: Sequence[str | int]) -> Json:
    for step in way:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return _NOWHERE
    return node


def _words(error: Json) -> str:
    best = min(error.context, key=lambda inner: len(inner.path), default=error) if error.context else error
    return " ".join(best.message.split())[:400]
