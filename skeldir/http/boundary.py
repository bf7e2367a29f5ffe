"""The request boundary: one transaction around the handler, and its result as an answer."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

from pydantic import BaseModel
from sqlalchemy.orm import Session

from skeldir.db.session import TokenCheck, tenant_session
from skeldir.domain.errors import SkeldirError, Unauthorized
from skeldir.http.answers import HttpAnswer
from skeldir.http.context import Context, Reply
from skeldir.http.problems import problem_answer
from skeldir.security.principal import Principal

Transaction = Literal["read", "write", "none"]
_JSON: Final = "application/json"
_TAG_HEX_DIGITS: Final = 32


@dataclass(slots=True)
class Call:
    """One validated request on its way through a generated route to a handler."""

    context: Context
    parameters: Mapping[str, Any]
    json: Any = None
    raw_body: bytes = b""
    has_etag: bool = False

    def run(
        self,
        handle: Callable[[Context], object],
        *,
        transaction: Transaction,
        status: int,
        media_type: str = _JSON,
    ) -> HttpAnswer:
        """Run the handler in its transaction: returning commits, also a returned error; raising rolls back."""
        context = self.context
        with _session(context.principal, transaction) as session:
            if session is not None:
                context = Context(context.request, context.correlation_id, context.principal, session)
            result = handle(context)
        return self._answer(result, status, media_type)

    async def run_async(
        self, handle: Callable[[Context], Awaitable[object]], *, status: int, media_type: str = _JSON
    ) -> HttpAnswer:
        """Run a handler that needs no database, on the event loop."""
        return self._answer(await handle(self.context), status, media_type)

    def _answer(self, result: object, status: int, media_type: str) -> HttpAnswer:
        if isinstance(result, SkeldirError):
            return problem_answer(result, self.context.correlation_id)
        headers: Mapping[str, str] = {}
        if isinstance(result, Reply):
            result, status, headers = result.body, result.status, result.headers
        if result is None:
            return HttpAnswer(status, headers={"Cache-Control": "no-store", **headers})
        body = _rendered(result)
        if self.has_etag and status == HTTPStatus.OK:
            return self._tagged(body, media_type, headers)
        return HttpAnswer(status, body, media_type, {"Cache-Control": "no-store", **headers})

    def _tagged(self, body: bytes, media_type: str, headers: Mapping[str, str]) -> HttpAnswer:
        """Answer with a strong entity tag, or with 304 when the caller already holds the body."""
        tag = f'"{hashlib.sha256(body).hexdigest()[:_TAG_HEX_DIGITS]}"'
        tagged = {"Cache-Control": "private, no-cache", "ETag": tag, **headers}
        if holds(self.context.request.headers.get("if-none-match"), tag):
            return HttpAnswer(HTTPStatus.NOT_MODIFIED, headers=tagged)
        return HttpAnswer(HTTPStatus.OK, body, media_type, tagged)


def holds(if_none_match: str | None, tag: str) -> bool:
    """Tell whether an If-None-Match header names the tag (weak comparison, RFC 9110 §13.1.2)."""
    if if_none_match is None:
        return False
    sent = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return tag in sent or "*" in sent


def _session(
    principal: Principal | None, transaction: Transaction
) -> AbstractContextManager[Session | None]:
    if transaction == "none":
        return nullcontext()
    if principal is None:
        raise Unauthorized
    return tenant_session(principal.tenant_id, read_only=transaction == "read", token=_token(principal))


def _token(principal: Principal) -> TokenCheck | None:
    if principal.token_id is None or principal.user_id is None or principal.issued_at is None:
        return None
    return TokenCheck(principal.token_id, principal.user_id, principal.issued_at, principal.session_id)


def _rendered(result: object) -> bytes:
    if isinstance(result, BaseModel):
        return result.__pydantic_serializer__.to_json(result, by_alias=True)
    return result if isinstance(result, bytes) else str(result).encode()
