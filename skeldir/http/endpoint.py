"""The innermost application: read and check a request, run its route, send the answer."""

import contextvars
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from starlette.types import Receive, Scope, Send

from skeldir.domain.errors import FieldError, MalformedRequest
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context, RequestFacts
from skeldir.http.negotiation import check_accept, check_media_type
from skeldir.http.plan import OperationPlan
from skeldir.http.problems import ContentTooLarge
from skeldir.http.responses import check_answer
from skeldir.http.routing import PLAN, SEGMENTS
from skeldir.http.schemas import field_errors
from skeldir.http.security import PRINCIPAL
from skeldir.http.values import cookie_texts, query_texts
from skeldir.observability import correlation

Route = Callable[[Call], HttpAnswer | Awaitable[HttpAnswer]]
_UNREAD: Final[Mapping[str, Any]] = {}


class ClientGone(Exception):
    """The client went away before its request was whole."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Serves the operation that routing and security have let through."""

    routes: Mapping[str, Route]
    executor: Executor
    body_bytes_max: int
    validate_responses: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; refusals are raised for the problem middleware."""
        plan: OperationPlan = scope[PLAN]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        check_accept(headers.get("accept"), plan.produces)
        parameters = _parameters(plan, scope, headers)
        body = await read_body(headers, receive, self.body_bytes_max) if plan.body else b""
        json = _json(plan, headers, body)
        call = Call(_context(scope, headers, body), parameters, json, body, plan.has_etag)
        answer = await self._run(self.routes[plan.operation_id], call, plan)
        if self.validate_responses:
            check_answer(answer, plan.responses, plan.operation_id)
        await answer.send(
            send,
            correlation_id=str(call.context.correlation_id),
            without_body=scope["method"] == "HEAD",
        )

    async def _run(self, route: Route, call: Call, plan: OperationPlan) -> HttpAnswer:
        if plan.is_async:
            return await cast("Awaitable[HttpAnswer]", route(call))
        run = contextvars.copy_context().run
        answer = await get_running_loop().run_in_executor(self.executor, run, route, call)
        return cast("HttpAnswer", answer)


def _context(scope: Scope, headers: Mapping[str, str], body: bytes) -> Context:
    client = scope.get("client")
    request = RequestFacts(
        method=scope["method"],
        path=scope["path"],
        headers=headers,
        body=body,
        client_address=client[0] if client else "",
    )
    correlation_id = correlation.current() or correlation.accept_or_make(None)
    return Context(request, correlation_id, scope.get(PRINCIPAL))


def _parameters(plan: OperationPlan, scope: Scope, headers: Mapping[str, str]) -> dict[str, Any]:
    """Read and judge every parameter; raises MalformedRequest naming the fields."""
    query = query_texts(scope["query_string"]) if scope["query_string"] else _UNREAD
    segments: Mapping[str, str] = scope[SEGMENTS]
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    unknown = set(query)
    cookies: Mapping[str, list[str]] | None = None
    for parameter in plan.parameters:
        if parameter.location == "query":
            texts = query.get(parameter.name)
            unknown.discard(parameter.name)
        elif parameter.location == "path":
            texts = [segments[parameter.name]]
        elif parameter.location == "header":
            text = headers.get(parameter.name)
            texts = None if text is None else [text]
        else:
            cookies = cookie_texts(scope["headers"]) if cookies is None else cookies
            texts = cookies.get(parameter.name)
        if texts is None:
            continue
        if len(texts) > 1 and not parameter.repeats:
            errors.append(FieldError(parameter.key, "repeated", "may be given only once"))
        values[parameter.key] = parameter.read(texts)
    errors += [FieldError(f"query.{name}", "unknown_parameter", "is not known here") for name in sorted(unknown)]
    if not plan.values.is_valid(values):
        errors += field_errors(plan.values, values, "")
    if errors:
        raise MalformedRequest(_summary(errors), errors=tuple(errors))
    return values


def _json(plan: OperationPlan, headers: Mapping[str, str], body: bytes) -> Any:  # noqa: ANN401 (JSON)
    """Parse and judge the body; raises MalformedRequest naming the fields."""
    if plan.body is None or plan.body.validator is None:
        return None
    if not body and not plan.body.required:
        return None
    check_media_type(headers.get("content-type"), plan.body.media_types)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        error = FieldError("body", "invalid_json", "is not JSON in UTF-8")
        raise MalformedRequest("The body is not JSON in UTF-8.", errors=(error,)) from None
    if not plan.body.validator.is_valid(value):
        errors = field_errors(plan.body.validator, value, "body")
        raise MalformedRequest(_summary(errors), errors=errors)
    return value


def _summary(errors: list[FieldError] | tuple[FieldError, ...]) -> str:
    return "; ".join(f"{error.field}: {error.message}" for error in errors[:3])


async def read_body(headers: Mapping[str, str], receive: Receive, bytes_max: int) -> bytes:
    """Read the whole body; raises ContentTooLarge as soon as it is, ClientGone when it breaks off."""
    refusal = ContentTooLarge(f"The body is larger than {bytes_max} bytes.")
    declared = headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > bytes_max:
        raise refusal
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > bytes_max:
            raise refusal
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


