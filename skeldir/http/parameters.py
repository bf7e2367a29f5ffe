"""The parameters of one operation: read, coerced and judged in one pass over the request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from jsonschema_rs import Draft202012Validator

from skeldir.domain.errors import FieldError, MalformedRequest
from skeldir.http.exchange import Exchange
from skeldir.http.schemas import Place, Schemas, field_errors, json_types
from skeldir.http.values import (
    Read,
    Values,
    cookie_pairs,
    decoded,
    header_text,
    list_reader,
    query_pairs,
    scalar_reader,
)

_SEPARATORS: Final = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
_DEFAULT_STYLES: Final = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}


class UnservableContract(Exception):
    """A contract asks for something that this service cannot do; it must not start."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """How one parameter is read; `key` is `<in>.<name>`, which errors name too."""

    key: str
    read: Read
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class ParameterPlan:
    """How the parameters of an operation are read, by where they travel."""

    path: tuple[Parameter, ...]
    query: dict[str, Parameter]
    headers: tuple[tuple[bytes, Parameter], ...]
    cookies: dict[str, Parameter]
    validator: Draft202012Validator

    def read(self, exchange: Exchange) -> Values:
        """Return the values by key; raises MalformedRequest with all that is wrong."""
        values: Values = {}
        errors: list[FieldError] = []
        for parameter, segment in zip(self.path, exchange.segments, strict=True):
            values[parameter.key] = parameter.read(decoded(segment, parameter.key))
        query_string = exchange.scope["query_string"]
        if query_string:
            _read_pairs(query_pairs(query_string), self.query, values, errors)
        headers = exchange.headers
        for name, parameter in self.headers:
            raw = headers.get(name)
            if raw is not None:
                values[parameter.key] = parameter.read(header_text(raw))
        if self.cookies and b"cookie" in headers:
            known = [pair for pair in cookie_pairs(headers[b"cookie"]) if pair[0] in self.cookies]
            _read_pairs(known, self.cookies, values, errors)
        if errors or not self.validator.is_valid(values):
            errors += field_errors(self.validator, values, "")
            raise MalformedRequest(summary(errors), errors=tuple(errors))
        return values


def summary(errors: Sequence[FieldError]) -> str:
    """Say what is wrong in one line."""
    named = "; ".join(f"{error.field} {error.message}" for error in errors[:3])
    return f"{named}; and {len(errors) - 3} more" if len(errors) > 3 else named  # noqa: PLR2004


def parameter_plan(
    schemas: Schemas, declared: Sequence[Place], names_in_path: Sequence[str]
) -> ParameterPlan:
    """Work out the parameters of an operation; raises UnservableContract for a style that is not served."""
    found = {(place.value["in"], place.value["name"]): place for place in declared}
    in_path = [name for location, name in found if location == "path"]
    if sorted(in_path) != sorted(names_in_path):
        raise UnservableContract(f"the path has {list(names_in_path)}, its parameters are {in_path}")
    parameters = {name: _parameter(place, schemas) for name, place in found.items()}
    required = [
        f"{location}.{name}" for (location, name), place in found.items() if place.value.get("required")
    ]
    properties = {
        f"{location}.{name}": schemas.reference(f"{place.pointer}/schema")
        for (location, name), place in found.items()
    }
    return ParameterPlan(
        path=tuple(parameters["path", name] for name in names_in_path),
        query={name: parameter for (where, name), parameter in parameters.items() if where == "query"},
        headers=tuple(
            (name.lower().encode("ascii"), parameter)
            for (where, name), parameter in parameters.items()
            if where == "header"
        ),
        cookies={name: parameter for (where, name), parameter in parameters.items() if where == "cookie"},
        validator=schemas.compile({"type": "object", "properties": properties, "required": required}),
    )


def _read_pairs(
    pairs: list[tuple[str, str]], known: dict[str, Parameter], values: Values, errors: list[FieldError]
) -> None:
    """Read what may come in any order and number: unknown and repeated ones are errors."""
    for name, text in pairs:
        parameter = known.get(name)
        if parameter is None:
            errors.append(FieldError(f"query.{name}", "unknown_parameter", "is not known here"))
        elif parameter.repeats:
            values.setdefault(parameter.key, []).append(parameter.read(text))
        elif parameter.key in values:
            errors.append(FieldError(parameter.key, "repeated", "may be given only once"))
        else:
            values[parameter.key] = parameter.read(text)


def _parameter(place: Place, schemas: Schemas) -> Parameter:
    declared = place.value
    location = declared["in"]
    key = f"{location}.{declared['name']}"
    style = declared.get("style", _DEFAULT_STYLES[location])
    if style not in _SEPARATORS or "schema" not in declared:
        raise UnservableContract(f"{key} has a style or content that is not served")
    types = json_types(_schema(place))
    if "object" in types:
        raise UnservableContract(f"{key} is an object, which no parameter may be")
    if "array" in types:
        items = place.at("schema").get("items")
        item = scalar_reader(
            json_types(items) if items else frozenset({"string"}),
            lambda: schemas.at(f"{items.pointer if items else place.pointer}"),
        )
        if declared.get("explode", style == "form") and location in {"query", "cookie"}:
            return Parameter(key, item, repeats=True)
        return Parameter(key, list_reader(item, _SEPARATORS[style]))
    return Parameter(key, scalar_reader(types, lambda: schemas.at(f"{place.pointer}/schema")))


def _schema(place: Place) -> Place:
    return Place(place.document, f"{place.pointer}/schema", place.value["schema"])
