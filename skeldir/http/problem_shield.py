"""The outermost middleware: correlation id in, one answer out, whatever happens between."""

from http import HTTPStatus
from typing import Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from skeldir.domain.errors import SkeldirError
from skeldir.http.answers import HttpAnswer
from skeldir.http.bodies import ClientGone
from skeldir.http.exchange import EXCHANGE, Exchange
from skeldir.http.problems import InvalidResponse, problem_answer, translate
from skeldir.http.responses import check_answer
from skeldir.observability import requests

_log = structlog.get_logger("skeldir.http")
_WITHOUT_BODY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_NOSNIFF: Final = (b"x-content-type-options", b"nosniff")


class ProblemShield:
    """Sends the answer, and turns whatever is raised inside into a problem; nothing of a surprise leaks."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the rest of the application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":  # no contract has one
            await send({"type": "websocket.close", "code": 1_000})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = scope[EXCHANGE] = Exchange(scope)
        with requests.measured() as measurement:
            try:
                await self.app(scope, receive, send)
                answer = exchange.answer or HttpAnswer(HTTPStatus.INTERNAL_SERVER_ERROR, [])
            except ClientGone:
                return
            except Exception as error:  # noqa: BLE001 - the boundary of the service: it becomes a problem
                answer = _refusal(error, exchange)
            measurement.status = answer.status
            await _send(answer, exchange, receive, send)


def _refusal(error: Exception, exchange: Exchange) -> HttpAnswer:
    known = translate(error)
    plan = exchange.known_plan()
    if known is None or isinstance(known, InvalidResponse):
        # The template, not the path: a path may hold an ingress key.
        where = plan.path if plan is not None else None
        _log.error("request_failed", method=exchange.scope["method"], path=where, exc_info=error)
        known = SkeldirError() if known is None else known
    else:
        operation = plan.operation_id if plan is not None else None
        is_ours = known.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        log = _log.warning if is_ours else _log.info
        cause = error if is_ours and error is not known else None
        log("request_refused", status=known.status, code=known.code, operation=operation, exc_info=cause)
    if plan is None:
        return problem_answer(known, exchange.correlation_id)
    answer = problem_answer(known, exchange.correlation_id, plan.challenge)
    answer.headers.extend(exchange.charge_headers())
    if plan.responses is not None and not isinstance(known, InvalidResponse):
        try:
            check_answer(answer, plan.responses, plan.operation_id)
        except InvalidResponse as undocumented:
            return _refusal(undocumented, exchange)
    return answer


async def _send(answer: HttpAnswer, exchange: Exchange, receive: Receive, send: Send) -> None:
    headers = [
        *answer.headers,
        (b"x-correlation-id", str(exchange.correlation_id).encode()),
        _NOSNIFF,
    ]
    if answer.chunks is not None and exchange.stream is not None:
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await exchange.stream.to(receive, send)
        return
    if answer.status not in _WITHOUT_BODY:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    body = b"" if exchange.scope["method"] == "HEAD" else answer.body
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
