"""JSON Schema 2020-12 validators compiled from a bundle, and their errors as field errors."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from jsonschema_rs import Draft202012, Draft202012Validator, Registry, ValidationError

from skeldir.domain.errors import FieldError

Json = Any
"""Any value that JSON can write."""

ERRORS_MAX: Final = 100
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_INTEGER_BOUNDS: Final = {"int32": 2**31, "int64": 2**63}


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a document and the JSON pointer that leads to it."""

    document: Json
    pointer: str
    value: Json

    def at(self, *keys: str | int) -> "Place":
        """Go down."""
        value, pointer = self.value, self.pointer
        for key in keys:
            value = value[key]
            pointer += "/" + str(key).replace("~", "~0").replace("/", "~1")
        return Place(self.document, pointer, value).followed()

    def get(self, key: str) -> "Place | None":
        """Go down if there is such a key."""
        return self.at(key) if isinstance(self.value, Mapping) and key in self.value else None

    def followed(self) -> "Place":
        """Follow the reference that a path item, parameter, header, response or schema may be."""
        found = self
        while isinstance(found.value, Mapping) and "$ref" in found.value:
            found = found.target()
        return found

    def target(self) -> "Place":
        """Return what the reference of this part refers to."""
        pointer = str(self.value["$ref"]).removeprefix("#")
        value = self.document
        for key in pointer.split("/")[1:]:
            name = key.replace("~1", "/").replace("~0", "~")
            value = value[int(name)] if isinstance(value, list) else value[name]
        return Place(self.document, pointer, value)


class Schemas:
    """Compiles the schemas of one bundle; references may point anywhere in it.

    `format` is asserted, the integer formats too, and messages never repeat a value.
    """

    def __init__(self, contract: str, document: Mapping[str, Json]) -> None:
        """Register the bundle once for all of its schemas."""
        self.document = document
        self._uri = f"urn:skeldir:{quote(contract)}"
        self._registry = Registry([(self._uri, _bounded(document))], draft=Draft202012)

    def root(self) -> Place:
        """Return the document as the place where walks begin."""
        return Place(self.document, "", self.document)

    def reference(self, pointer: str) -> dict[str, Json]:
        """Return the schema that refers to a part of the bundle."""
        return {"$ref": f"{self._uri}#{quote(pointer, safe='/~')}"}

    def compile(self, schema: Json) -> Draft202012Validator:
        """Compile a schema that refers to the bundle by `reference`."""
        return Draft202012Validator(schema, registry=self._registry, validate_formats=True, mask="value")

    def at(self, pointer: str) -> Draft202012Validator:
        """Compile the schema at a place of the bundle, with whatever stands beside its `$ref`."""
        return self.compile(self.reference(pointer))


def field_errors(validator: Draft202012Validator, value: Json, where: str) -> list[FieldError]:
    """Return what is wrong with the value, each with the path of its field below `where`."""
    found = (one for error in validator.iter_errors(value) for one in _field_errors(error, where))
    return list(islice(found, ERRORS_MAX))


def _field_errors(error: ValidationError, where: str) -> Iterator[FieldError]:
    path = [part for part in (where, *map(str, error.instance_path)) if part]
    kind = error.kind.as_dict()
    code = _CAMEL.sub("_", error.kind.name).lower()
    if code == "required":
        yield FieldError(".".join([*path, str(kind["property"])]), code, "is required")
    elif "unexpected" in kind:
        for name in kind["unexpected"]:
            yield FieldError(".".join([*path, str(name)]), code, "is not known here")
    else:
        yield FieldError(".".join(path), code, error.message.removeprefix("value "))


def json_types(place: Place, seen: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the JSON types that a schema may allow, for reading text as one of them."""
    schema = place.value
    if isinstance(schema, bool) or place.pointer in seen:
        return frozenset()
    seen |= {place.pointer}
    found: set[str] = set()
    if "$ref" in schema:
        found |= json_types(place.target(), seen)
    declared = schema.get("type", [])
    found |= {declared} if isinstance(declared, str) else set(declared)
    if not declared:
        values = [*schema.get("enum", []), *([schema["const"]] if "const" in schema else [])]
        found |= {_type_name(value) for value in values}
    for keyword in ("allOf", "anyOf", "oneOf"):
        for number in range(len(schema.get(keyword, []))):
            part = Place(place.document, f"{place.pointer}/{keyword}/{number}", schema[keyword][number])
            found |= json_types(part, seen)
    return frozenset(found)


def _type_name(value: Json) -> str:
    names = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        type(None): "null",
        list: "array",
    }
    return names.get(type(value), "object")


def _bounded(part: Json) -> Json:
    """Copy a document, giving integers of a sized format the bounds that JSON Schema does not check."""
    if isinstance(part, list):
        return [_bounded(item) for item in part]
    if not isinstance(part, Mapping):
        return part
    copy = {key: _bounded(value) for key, value in part.items()}
    bound = _INTEGER_BOUNDS.get(part["format"]) if isinstance(part.get("format"), str) else None
    if bound is not None and "integer" in str(part.get("type")):
        copy.setdefault("minimum", -bound)
        copy.setdefault("maximum", bound - 1)
    return copy
