"""The outermost middleware: correlation id in, problem documents and measurements out."""

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skeldir.domain.errors import SkeldirError
from skeldir.http.endpoint import ClientGone
from skeldir.http.problems import problem_answer, translate
from skeldir.observability import correlation, requests

_log = structlog.get_logger("skeldir.http")
_CORRELATION_HEADER = b"x-correlation-id"


class ProblemShield:
    """Turns whatever is raised inside into one problem document; nothing of a surprise leaks out."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the rest of the application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; after the answer has begun, a failure can only be logged and raised."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        correlation_id = correlation.accept_or_make(_sent_correlation_id(scope))
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with requests.measured() as measurement:
            try:
                await self.app(scope, receive, watched)
            except ClientGone:
                return
            except Exception as error:  # the boundary of the service: every surprise becomes a 500
                known = translate(error)
                if known is None:
                    _log.exception("request_failed", method=scope["method"], path=scope["path"])
                if status:
                    raise
                answer = problem_answer(known or SkeldirError(), correlation_id)
                without_body = scope["method"] == "HEAD"
                await answer.send(watched, correlation_id=str(correlation_id), without_body=without_body)
            finally:
                measurement.status = status


def _sent_correlation_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == _CORRELATION_HEADER:
            return str(value.decode("latin-1"))
    return None
