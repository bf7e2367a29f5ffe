"""The Python type of a parameter's schema, and the converter that makes it."""

from dataclasses import dataclass
from typing import Any

from codegen.document import resolved
from codegen.refs import Json

FORMATS = {
    "date": ("date", "date.fromisoformat"),
    "date-time": ("datetime", "to_datetime"),
    "uuid": ("UUID", "UUID"),
}
SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


@dataclass(frozen=True)
class PythonType:
    """An annotation, and the expression of the function that converts to it (None: as it is)."""

    annotation: str
    converter: str | None = None


class UnsupportedSchema(ValueError):
    """A parameter's schema is too clever for a Python annotation."""


def python_type(document: dict[str, Any], schema: Json) -> PythonType:
    """Return the type of what a parameter's schema lets through.

    Raises UnsupportedSchema for objects, alternatives and the like.
    """
    schema = resolved(document, schema)
    if not isinstance(schema, dict):
        raise UnsupportedSchema("give the parameter a schema with a type")
    if "const" in schema:
        return PythonType(_literal([schema["const"]]))
    if "enum" in schema:
        return PythonType(_literal(schema["enum"]))
    kind = schema.get("type")
    if kind == "array":
        item = python_type(document, schema.get("items"))
        return PythonType(f"list[{item.annotation}]", item.converter and f"list_of({item.converter})")
    if kind == "string" and schema.get("format") in FORMATS:
        return PythonType(*FORMATS[schema["format"]])
    if kind in SCALARS:
        return PythonType(SCALARS[kind])
    raise UnsupportedSchema(f"the type {kind!r} has no Python counterpart; use a scalar or an array")


def _literal(values: list[Any]) -> str:
    if not all(isinstance(value, (str, int)) for value in values):
        raise UnsupportedSchema("an enum of a parameter holds strings, integers and booleans only")
    return f"Literal[{', '.join(python_literal(value) for value in values)}]"


def python_literal(value: object) -> str:
    """Write a JSON scalar as Python, strings in double quotes."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)
