"""Whatever reaches the application and is refused is answered with a problem document."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest
from starlette.types import ASGIApp
from structlog.testing import capture_logs

from skeldir.domain.errors import Conflict, SkeldirError, TooManyRequests, Unavailable
from skeldir.http.boundary import Call
from tests.contract.serving import ask, contract, operation, serve

CORRELATION = "6f1c1d7e-6f4b-4a53-9d3e-3a2f4c0e8a11"
SECRET = "the-database-password"
BODY = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
LIMIT = 1_024


def raising(error: Exception) -> Any:
    def route(call: Call) -> Any:
        def handle(_: object) -> object:
            raise error

        return call.run(handle, transaction="none", status=200)

    return route


async def raising_async(call: Call) -> Any:
    async def handle(_: object) -> object:
        raise RuntimeError(SECRET)

    return await call.run_async(handle, status=200)


PATHS = {
    "/things": {"get": operation("list"), "post": operation("create", requestBody=BODY)},
    "/things/{name}": {
        "delete": operation(
            "remove",
            parameters=[{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}],
        )
    },
    "/optional": {"post": operation("optional", requestBody={**BODY, "required": False})},
    "/broken": {"get": operation("broken"), "put": operation("brokenAsync", **{"x-execution": "async"})},
    "/busy": {"get": operation("busy"), "post": operation("later"), "put": operation("conflicting")},
}
ROUTES = {
    "broken": raising(RuntimeError(SECRET)),
    "brokenAsync": raising_async,
    "busy": raising(TooManyRequests(headers={"Retry-After": "30"})),
    "later": raising(Unavailable()),
    "conflicting": raising(Conflict("there is one already")),
}


@pytest.fixture(scope="module")
def app() -> ASGIApp:
    return serve(contract(PATHS), ROUTES, body_bytes_max=LIMIT)


@pytest.fixture(scope="module")
def problem_schema() -> jsonschema_rs.Draft202012Validator:
    """Return the schema that all contracts share."""
    components = json.loads(Path("generated/bundles/health.json").read_bytes())["components"]
    schema = {"$ref": "#/components/schemas/ProblemDetails", "components": components}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


JSON = {"content-type": "application/json"}
BIG = b'"' + b"x" * LIMIT + b'"'
REFUSALS: list[tuple[int, str, str, dict[str, Any], dict[str, str]]] = [
    (400, "GET", "/things?page=1", {}, {}),
    (400, "POST", "/things", {"headers": JSON, "body": b"[]"}, {}),
    (400, "POST", "/things", {}, {}),
    (400, "POST", "/things", {"headers": JSON | {"content-length": "many"}, "body": b"{}"}, {}),
    (404, "GET", "/nothing", {}, {}),
    (404, "GET", "/things/", {}, {}),
    (404, "GET", "/things//", {}, {}),
    (405, "PATCH", "/things", {}, {"allow": "GET, HEAD, POST"}),
    (405, "OPTIONS", "/things", {}, {"allow": "GET, HEAD, POST"}),
    (405, "GET", "/things/x", {}, {"allow": "DELETE"}),
    (405, "HEAD", "/things/x", {}, {"allow": "DELETE"}),
    (405, "POST", "/docs", {}, {"allow": "GET, HEAD"}),
    (406, "GET", "/things", {"headers": {"accept": "text/html"}}, {}),
    (406, "GET", "/things", {"headers": {"accept": "application/json;q=0, */*"}}, {}),
    (413, "POST", "/things", {"headers": JSON | {"content-length": "9999"}, "body": b"{}"}, {}),
    (413, "POST", "/things", {"headers": JSON | {"content-length": "9" * 5_000}, "body": b"{}"}, {}),
    (413, "POST", "/things", {"headers": JSON, "chunks": [b" " * 600, b" " * 600, b"{}"]}, {}),
    (415, "POST", "/things", {"headers": {"content-type": "text/plain"}, "body": b"{}"}, {}),
    (415, "POST", "/things", {"body": b"{}"}, {}),
    (
        415,
        "POST",
        "/things",
        {"headers": JSON | {"content-encoding": "gzip"}, "body": b"{}"},
        {"accept-encoding": "identity"},
    ),
    (
        415,
        "POST",
        "/things",
        {"headers": {"content-type": "application/json; charset=utf-16"}, "body": b"{}"},
        {},
    ),
    (429, "GET", "/busy", {}, {"retry-after": "30"}),
    (503, "POST", "/busy", {}, {"retry-after": "1"}),
    (409, "PUT", "/busy", {}, {}),
    (500, "GET", "/broken", {}, {}),
    (500, "PUT", "/broken", {}, {}),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: f"{refusal[0]} {refusal[1]} {refusal[2]}")
def test_a_refusal_is_a_complete_problem_document(
    app: ASGIApp, problem_schema: jsonschema_rs.Draft202012Validator, refusal: tuple[Any, ...]
) -> None:
    status, method, target, sent, headers = refusal
    sent = sent | {"headers": {**sent.get("headers", {}), "x-correlation-id": CORRELATION}}
    response = ask(app, method, target, **sent)
    assert response.status == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-correlation-id"] == CORRELATION
    assert response.headers["cache-control"] == "no-store"
    assert headers.items() <= response.headers.items()
    if method != "HEAD":
        problem = response.json()
        problem_schema.validate(problem)
        assert problem["status"] == status
        assert problem["correlation_id"] == CORRELATION
        assert len(response.body) == int(response.headers["content-length"])


def test_a_surprise_is_logged_with_its_correlation_id_and_tells_the_caller_nothing(app: ASGIApp) -> None:
    with capture_logs() as logs:
        response = ask(app, "GET", "/broken", headers={"x-correlation-id": CORRELATION})
    assert SECRET.encode() not in response.body
    assert response.json()["detail"] == "The request could not be served"
    (entry,) = [log for log in logs if log["event"] == "request_failed"]
    assert (entry["log_level"], entry["path"], str(entry["exc_info"])) == ("error", "/broken", SECRET)


@pytest.mark.parametrize("sent", [None, "", "not-a-uuid", "6f1c1d7e", "\xff"])
def test_a_correlation_id_is_made_when_none_that_is_one_was_sent(app: ASGIApp, sent: str | None) -> None:
    headers = {} if sent is None else {"x-correlation-id": sent}
    made = {ask(app, "GET", "/things", headers=headers).headers["x-correlation-id"] for _ in range(2)}
    assert len({UUID(one) for one in made}) == 2


def test_head_is_get_without_the_body(app: ASGIApp) -> None:
    got, head = (ask(app, method, "/things") for method in ("GET", "HEAD"))
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"] == str(len(got.body))


def test_a_client_that_leaves_in_the_middle_is_not_answered(app: ASGIApp) -> None:
    response = ask(app, "POST", "/things", headers=JSON, chunks=[b'{"a"'])
    assert response.status == 0


@pytest.mark.parametrize(
    "accept",
    ["*/*", "application/*", "text/html, application/json;q=0.1", "APPLICATION/JSON", "text/*, */*;q=0.5"],
)
def test_an_acceptable_answer_is_given(app: ASGIApp, accept: str) -> None:
    assert ask(app, "GET", "/things", headers={"accept": accept}).status == 200


def test_an_optional_body_may_be_left_out(app: ASGIApp) -> None:
    response = ask(app, "POST", "/optional")
    assert (response.status, response.json()["body"]) == (200, None)
    assert ask(app, "POST", "/optional", json_body=[]).status == 400


def test_a_thousand_faults_are_answered_with_a_hundred() -> None:
    schema = {"type": "array", "maxItems": 5_000, "items": {"type": "integer"}}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    app = serve(contract({"/many": {"post": operation("many", requestBody=body)}}))
    response = ask(app, "POST", "/many", json_body=["x"] * 5_000)
    assert response.status == 400
    assert len(response.json()["errors"]) == 100


def test_a_websocket_is_refused(app: ASGIApp) -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app({"type": "websocket", "path": "/things", "headers": []}, receive, send))  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_what_a_caller_sent_comes_back_harmless(app: ASGIApp) -> None:
    """Field names are the caller's text: NULs and length are cut to what the contract promises."""
    response = ask(app, "GET", "/things?%00" + "x" * 2_000 + "=1")
    (field,) = [error["field"] for error in response.json()["errors"]]
    assert len(field) == 500
    assert "\x00" not in field


def test_every_error_has_a_title_and_a_code_of_its_own() -> None:
    kinds = [kind for kind in SkeldirError.__subclasses__() if kind.__module__.startswith("skeldir.")]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind.title() and kind.status >= 400 for kind in kinds)
