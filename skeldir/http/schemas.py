"""JSON Schema 2020-12 validators compiled from a bundle, and their errors as field errors."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import jsonschema_rs

from skeldir.domain.errors import FieldError

Schema = Mapping[str, Any] | bool
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_REFERENCE_DEPTH_MAX: Final = 50


def compile_schema(schema: Schema, document: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Compile a schema of the document; `format` is asserted and messages never echo a value."""
    root = {"allOf": [schema], "components": document.get("components", {})}
    return jsonschema_rs.Draft202012Validator(root, validate_formats=True, mask="value")


def field_errors(
    validator: jsonschema_rs.Draft202012Validator, value: object, where: str
) -> tuple[FieldError, ...]:
    """Return what is wrong with the value, each with the path of its field below `where`."""
    return tuple(
        field_error
        for error in validator.iter_errors(value)
        for field_error in _field_errors(error, where)
    )


def _field_errors(error: jsonschema_rs.ValidationError, where: str) -> Iterator[FieldError]:
    path = [str(part) for part in error.instance_path]
    kind = error.kind.as_dict()
    code = _CAMEL.sub("_", error.kind.name).lower()
    names = [str(kind["property"])] if "property" in kind else [str(n) for n in kind.get("unexpected", [])]
    for name in names or [None]:
        parts = [where, *path, *([name] if name is not None else [])]
        message = "is required" if code == "required" else "is not known here" if name else error.message
        yield FieldError(".".join(part for part in parts if part), code, message)


def json_types(schema: Schema, document: Mapping[str, Any], depth: int = 0) -> frozenset[str]:
    """Return the JSON types that a schema may allow, for reading text as one of them."""
    if isinstance(schema, bool) or depth > _REFERENCE_DEPTH_MAX:
        return frozenset()
    found: set[str] = set()
    if "$ref" in schema:
        found |= json_types(resolve(schema["$ref"], document), document, depth + 1)
    declared = schema.get("type", [])
    found |= {declared} if isinstance(declared, str) else set(declared)
    values = [*schema.get("enum", []), *([schema["const"]] if "const" in schema else [])]
    if not declared:
        found |= {_type_name(value) for value in values}
    for keyword in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(keyword, []):
            found |= json_types(part, document, depth + 1)
    return frozenset(found)


def resolve(reference: str, document: Mapping[str, Any]) -> Any:  # noqa: ANN401 (any part of a document)
    """Follow a local reference of the bundle."""
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def deref(part: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow the reference that a parameter, header, response or body may be."""
    while "$ref" in part:
        part = resolve(part["$ref"], document)
    return part


def _type_name(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null", list: "array"}
    return names.get(type(value), "object")
