"""Serving small contracts in-process, and speaking to them byte by byte."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from starlette.types import ASGIApp

from skeldir.domain.errors import Forbidden, Unauthorized
from skeldir.http.boundary import Call
from skeldir.http.security import SecurityFunctions
from skeldir.http.service import assemble
from skeldir.security.principal import SCOPES, Principal, Role
from skeldir.settings import Settings

TENANT = UUID("0198c0de-0000-7000-8000-00000000a001")
USER = UUID("0198c0de-0000-7000-8000-00000000b001")

Json = Any


@dataclass(frozen=True)
class Response:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Json:
        return json.loads(self.body)

    def fields(self) -> set[tuple[str, str]]:
        """Return the fields and codes of a problem."""
        return {(error["field"], error["code"]) for error in self.json().get("errors", [])}


class PretendCredentials:
    """Tokens are names of roles; one key is right, one is a suspended tenant's."""

    def of_access_token(self, token: str) -> Principal:
        if token not in SCOPES:
            raise Unauthorized("the access token is not valid")
        role: Role = token  # type: ignore[assignment]
        return Principal(
            TENANT,
            "user",
            USER,
            role,
            SCOPES[role],
            uuid4(),
            uuid4(),
            datetime.now(UTC),
            datetime.now(UTC) + timedelta(minutes=5),
        )

    def of_tenant_key(self, key: str) -> Principal:
        if key == "suspended":
            raise Forbidden("The tenant is suspended.")
        if key != "right":
            raise Unauthorized("The tenant key is not known.")
        return Principal(TENANT, "tenant_key")


def operation(operation_id: str, **more: Json) -> dict[str, Json]:
    """Write an operation that answers 200 with any JSON."""
    return {
        "operationId": operation_id,
        "security": [],
        "x-transaction": "none",
        "responses": {"200": {"description": "Done.", "content": {"application/json": {"schema": {}}}}},
        **more,
    }


def contract(paths: Mapping[str, Json], **more: Json) -> dict[str, Json]:
    """Write a contract around paths."""
    return {"openapi": "3.1.0", "info": {"title": "Small", "version": "1.0.0"}, "paths": paths, **more}


def echo(call: Call) -> Any:
    """Answer with what a handler would be given."""
    told = {"parameters": call.parameters, "body": call.json}
    return call.run(lambda _: json.dumps(told), transaction="none", status=200)


def serve(
    document: Mapping[str, Json],
    routes: Mapping[str, Callable[[Call], Any]] | None = None,
    without: str = "",
    functions: SecurityFunctions | None = None,
    **settings: Json,
) -> ASGIApp:
    """Assemble an application from one contract; operations without a route echo."""
    operations = [
        method["operationId"]
        for item in document.get("paths", {}).values()
        for method in item.values()
        if "operationId" in method
    ]
    return assemble(
        {"small": json.dumps(document).encode()},
        {**{name: echo for name in operations if name != without}, **(routes or {})},
        settings=Settings(**settings),
        functions=functions or PretendCredentials(),
    )


def ask(
    app: ASGIApp,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
    body: bytes = b"",
    json_body: Json = ...,
    chunks: list[bytes] | None = None,
) -> Response:
    """Send one request, the target exactly as written, and return the whole answer."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers or [])
    if json_body is not ...:
        body = json.dumps(json_body).encode()
        pairs.append(("content-type", "application/json"))
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "extensions": {},
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs],
    }
    waiting = [body] if chunks is None else list(chunks)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not waiting:
            return {"type": "http.disconnect"}
        chunk = waiting.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting) or chunks is not None}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    if not sent:
        return Response(0, {}, b"")
    started, *rest = sent
    names = [(name.decode(), value.decode("latin-1")) for name, value in started["headers"]]
    assert len(dict(names)) == len(names), f"a header is sent twice: {names}"
    return Response(started["status"], dict(names), b"".join(part["body"] for part in rest))
