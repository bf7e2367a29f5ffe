"""OpenAPI 3.1 is served whole: what Draft 4 and OpenAPI 3.0 skip or refuse is held."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.types import ASGIApp

from tests.contract.serving import ask, contract, operation, serve

Json = Any

BODIES: dict[str, Json] = {
    "const": {"properties": {"v": {"const": 1}}},
    "exclusive_minimum": {"properties": {"v": {"type": "number", "exclusiveMinimum": 0}}},
    "prefix_items": {"properties": {"v": {"prefixItems": [{"type": "integer"}, {"type": "string"}]}}},
    "closed_items": {"properties": {"v": {"prefixItems": [{"type": "integer"}], "items": False}}},
    "dependent_required": {"dependentRequired": {"a": ["b"]}},
    "if_then": {"if": {"properties": {"v": {"const": 1}}, "required": ["v"]}, "then": {"required": ["w"]}},
    "contains": {"properties": {"v": {"type": "array", "contains": {"const": 1}}}},
    "property_names": {"propertyNames": {"pattern": "^[a-z]+$"}},
    "unevaluated": {"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False},
    "ref_sibling": {"properties": {"v": {"$ref": "#/components/schemas/Nine", "maxLength": 2}}},
    "ref_sibling_wide": {"properties": {"v": {"$ref": "#/components/schemas/Two", "maxLength": 9}}},
    "uuid": {"properties": {"v": {"type": "string", "format": "uuid"}}},
    "date_time": {"properties": {"v": {"type": "string", "format": "date-time"}}},
    "date": {"properties": {"v": {"type": "string", "format": "date"}}},
    "email": {"properties": {"v": {"type": "string", "format": "email"}}},
    "uri": {"properties": {"v": {"type": "string", "format": "uri"}}},
    "int64": {"properties": {"v": {"type": "integer", "format": "int64"}}},
    "type_array": {"properties": {"v": {"type": ["string", "null"]}}},
    "one_of_null": {"properties": {"v": {"oneOf": [{"type": "integer"}, {"type": "null"}]}}},
    "recursive": {"$ref": "#/components/schemas/Tree"},
    "path_ref": {"$ref": "#/paths/~1bodies~1uuid/post/requestBody/content/application~1json/schema"},
}
QUERIES: dict[str, Json] = {
    "nullable": {"type": ["string", "null"]},
    "enum_only": {"enum": ["a", "b"]},
    "enum_mixed": {"enum": [1, "a", None]},
    "one_of": {"oneOf": [{"type": "integer"}, {"type": "boolean"}]},
    "any_of_text": {"anyOf": [{"type": "integer", "maximum": 5}, {"type": "string", "pattern": "^9"}]},
    "integer_or_null": {"type": ["integer", "null"]},
    "integer": {"type": "integer", "maximum": 100},
    "number": {"type": "number"},
    "flag": {"type": "boolean"},
    "above_zero": {"type": "number", "exclusiveMinimum": 0},
    "ids": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
    "text": {"type": "string"},
}
COMPONENTS = {
    "schemas": {
        "Two": {"type": "string", "maxLength": 2},
        "Nine": {"type": "string", "maxLength": 9},
        "Tree": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
            },
        },
    }
}


def _document() -> dict[str, Json]:
    bodies = {
        f"/bodies/{name}": {
            "post": operation(
                f"body_{name}",
                requestBody={"required": True, "content": {"application/json": {"schema": schema}}},
            )
        }
        for name, schema in BODIES.items()
    }
    query = [{"name": name, "in": "query", "schema": schema} for name, schema in QUERIES.items()]
    others = [
        {"name": "listed", "in": "query", "explode": False, "schema": QUERIES["ids"]},
        {"name": "X-Count", "in": "header", "schema": {"type": "integer"}},
        {"name": "session", "in": "cookie", "schema": {"type": "string", "format": "uuid"}},
    ]
    paths = {
        **bodies,
        "/read/{number}": {
            "parameters": [{"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "get": operation("read", parameters=[*query, *others]),
        },
    }
    return contract(paths, components=COMPONENTS, webhooks={"sent": {"post": operation("sent")}})


@pytest.fixture(scope="module")
def app() -> ASGIApp:
    return serve(_document())


@dataclass(frozen=True)
class Case:
    """A request and the status that the contract demands; `value` is what a handler is given then."""

    name: str
    status: int
    target: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    field: str = ""
    value: Json = ...


def body(name: str, status: int, value: Json, field: str = "") -> Case:
    return Case(f"{name} {value}", status, f"/bodies/{name}", json.dumps(value).encode(), field=field)


def raw(name: str, status: int, sent: bytes) -> Case:
    return Case(f"raw {sent!r}", status, f"/bodies/{name}", sent, field="body")


def query(sent: str, status: int, field: str = "", value: Json = ...) -> Case:
    return Case(f"query {sent}", status, f"/read/1?{sent}", field=field, value=value)


def header(name: str, sent: str, status: int, field: str, value: Json = ...) -> Case:
    return Case(f"{name}: {sent}", status, "/read/1", headers=((name, sent),), field=field, value=value)


UUID_TEXT = "6f1c1d7e-6f4b-4a53-9d3e-3a2f4c0e8a11"
CASES = [
    body("const", 400, {"v": 2}, "body.v"),
    body("const", 200, {"v": 1}),
    body("exclusive_minimum", 400, {"v": 0}, "body.v"),
    body("prefix_items", 400, {"v": ["x", "y"]}, "body.v.0"),
    body("closed_items", 200, {"v": [1]}),
    body("closed_items", 400, {"v": [1, 2]}, "body.v.1"),
    body("dependent_required", 400, {"a": 1}, "body.b"),
    body("if_then", 400, {"v": 1}, "body.w"),
    body("contains", 400, {"v": [2, 3]}, "body.v"),
    body("property_names", 400, {"A": 1}, "body"),
    body("unevaluated", 400, {"a": 1, "b": 2}, "body.b"),
    body("ref_sibling", 400, {"v": "abc"}, "body.v"),
    body("ref_sibling_wide", 400, {"v": "abc"}, "body.v"),
    body("uuid", 400, {"v": "not-a-uuid"}, "body.v"),
    body("date_time", 200, {"v": "2026-11-23T12:00:00Z"}),
    body("date_time", 400, {"v": "2026-11-23 12:00:00Z"}, "body.v"),
    body("date", 400, {"v": "2026-02-30"}, "body.v"),
    body("email", 400, {"v": "nobody"}, "body.v"),
    body("uri", 400, {"v": "/relative"}, "body.v"),
    body("int64", 200, {"v": 2**63 - 1}),
    body("int64", 400, {"v": 2**63}, "body.v"),
    body("int64", 400, {"v": -(2**63) - 1}, "body.v"),
    body("type_array", 200, {"v": None}),
    body("type_array", 400, {"v": 1}, "body.v"),
    body("one_of_null", 200, {"v": None}),
    body("one_of_null", 400, {"v": "x"}, "body.v"),
    body("recursive", 200, {"name": "a", "children": [{"name": "b"}]}),
    body("recursive", 400, {"name": "a", "children": [{"children": []}]}, "body.children.0.name"),
    body("path_ref", 400, {"v": "not-a-uuid"}, "body.v"),
    body("path_ref", 200, {"v": UUID_TEXT}),
    raw("const", 400, b'{"v": NaN}'),
    raw("const", 400, b'{"v": "\xff"}'),
    raw("const", 400, b'{"v": "\\ud800"}'),
    raw("const", 400, b'{"v": 1'),
    query("nullable=x", 200, value=("query.nullable", "x")),
    query("enum_only=a", 200, value=("query.enum_only", "a")),
    query("enum_only=c", 400, "query.enum_only"),
    query("enum_mixed=1", 200, value=("query.enum_mixed", 1)),
    query("enum_mixed=a", 200, value=("query.enum_mixed", "a")),
    query("one_of=5", 200, value=("query.one_of", 5)),
    query("one_of=true", 200, value=("query.one_of", True)),
    query("any_of_text=3", 200, value=("query.any_of_text", 3)),
    query("any_of_text=9", 200, value=("query.any_of_text", "9")),
    query("integer_or_null=4", 200, value=("query.integer_or_null", 4)),
    query("integer_or_null=null", 200, value=("query.integer_or_null", None)),
    query("above_zero=0", 400, "query.above_zero"),
    query("above_zero=0.5", 200, value=("query.above_zero", 0.5)),
    query("text=a&text=b", 400, "query.text"),
    query("text=%ff", 400, "query.text"),
    query("text=%C3%A9", 200, value=("query.text", "é")),
    query("text=a+b%2B", 200, value=("query.text", "a b+")),
    query("integer=%201", 400, "query.integer"),
    query("integer=1_0", 400, "query.integer"),
    query("integer=", 400, "query.integer"),
    query("integer=101", 400, "query.integer"),
    query("integer=" + "9" * 5000, 400, "query.integer"),
    query("number=NaN", 400, "query.number"),
    query("number=1e999", 400, "query.number"),
    query("flag=True", 400, "query.flag"),
    query("flag=true", 200, value=("query.flag", True)),
    query("ids=1&ids=2", 200, value=("query.ids", [1, 2])),
    query("ids=1&ids=x", 400, "query.ids.1"),
    query("listed=1,2", 200, value=("query.listed", [1, 2])),
    query("unknown=1", 400, "query.unknown"),
    header("X-Count", "5", 200, "", ("header.X-Count", 5)),
    header("X-Count", "five", 400, "header.X-Count"),
    header("Cookie", f"other=1; session={UUID_TEXT}", 200, "", ("cookie.session", UUID_TEXT)),
    header("Cookie", "session=x", 400, "cookie.session"),
    Case("path 7", 200, "/read/7", value=("path.number", 7)),
    Case("path x", 400, "/read/x", field="path.number"),
    Case("path %ff", 400, "/read/%ff", field="path.number"),
    Case("path %37", 200, "/re%61d/%37", value=("path.number", 7)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name[:60])
def test_the_contract_is_held(app: ASGIApp, case: Case) -> None:
    headers = [*case.headers, *([("content-type", "application/json")] if case.body is not None else [])]
    method = "GET" if case.body is None else "POST"
    response = ask(app, method, case.target, headers=headers, body=case.body or b"")
    assert response.status == case.status, response.body
    if case.status == 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert case.field in {field for field, _ in response.fields()}, response.body
    elif case.value is not ...:
        key, value = case.value
        assert response.json()["parameters"][key] == value


def test_a_value_is_never_repeated_in_a_message(app: ASGIApp) -> None:
    """A password that is too short must not come back in a log or a ticket."""
    response = ask(app, "POST", "/bodies/uuid", json_body={"v": "hunter2"})
    assert response.status == 400
    assert b"hunter2" not in response.body


@pytest.mark.parametrize("version", ["3.0.3", "2.0", ""])
def test_no_other_dialect_is_served(version: str) -> None:
    with pytest.raises(ValueError, match=r"not an OpenAPI 3\.1 contract"):
        serve({**contract({"/x": {"get": operation("x")}}), "openapi": version})
