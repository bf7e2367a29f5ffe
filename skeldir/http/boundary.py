"""The request boundary: one transaction around the handler, and its result as an answer."""

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import Any, Final, Literal

from pydantic import BaseModel
from sqlalchemy.orm import Session

from skeldir.db.faults import may_be_repeated
from skeldir.db.session import TokenCheck, tenant_session
from skeldir.domain.errors import SkeldirError, Unauthorized
from skeldir.http import rate_limits
from skeldir.http.answers import JSON, NO_STORE, Header, HttpAnswer, encoded
from skeldir.http.context import Context, Reply, Stream
from skeldir.http.exchange import Exchange
from skeldir.http.idempotency import across_transactions, in_transaction, keyed_request
from skeldir.http.problems import problem_answer
from skeldir.http.responses import check_answer
from skeldir.http.values import Values
from skeldir.security.principal import Principal

Transaction = Literal["read", "write", "none"]

TRIES: Final = 3
"""A transaction that met another one at the wrong moment was rolled back whole, and handlers have no
effect outside of theirs: beginning anew is safe, and the caller cannot know when he should."""

_JSON_HEADER: Final[Header] = (b"content-type", JSON.encode())
_REVALIDATE: Final[Header] = (b"cache-control", b"private, no-cache")
_TAG_BYTES: Final = 16


class Call:
    """One validated request on its way through a generated route to a handler."""

    __slots__ = ("_exchange", "json", "parameters", "raw_body")

    def __init__(self, exchange: Exchange, parameters: Values, json: Any, raw_body: bytes) -> None:  # noqa: ANN401
        """Take what was read and judged."""
        self._exchange = exchange
        self.parameters = parameters
        self.json = json
        self.raw_body = raw_body

    def run(
        self,
        handle: Callable[[Context], object],
        *,
        transaction: Transaction,
        status: int,
        media_type: str = JSON,
    ) -> HttpAnswer:
        """Run the handler in its transaction: returning commits, also a returned error; raising rolls back.

        The answer is rendered inside: what cannot be told has not happened.
        """
        self._charge()
        request = keyed_request(self._exchange, self.raw_body)

        def answer(session: Session | None) -> HttpAnswer:
            return self._rendered(handle(self._context(session)), status, media_type)

        def refuse(error: SkeldirError) -> HttpAnswer:
            return self._rendered(error, status, media_type)

        if transaction == "none":
            self.refuse_revoked()
            if request is not None and self._exchange.principal is not None:
                tenant_id = self._exchange.principal.tenant_id
                return self._told(across_transactions(tenant_id, request, answer, refuse))
            return self._told(answer(None))
        tries = TRIES if transaction == "write" else 1
        while True:
            try:
                with _session(self._exchange.principal, read_only=transaction == "read") as session:
                    if request is not None:
                        return self._told(in_transaction(session, request, answer, refuse))
                    return self._told(answer(session))
            except Exception as error:  # raised again, unless another try may help
                tries -= 1
                if tries == 0 or not may_be_repeated(error):
                    raise

    def stream(self, handle: Callable[[Context], object]) -> HttpAnswer:
        """Run a handler that opens its own session and keeps it until its answer was sent."""
        self._charge()
        self.refuse_revoked()
        result = handle(self._context(None))
        if not isinstance(result, Stream):
            return self._told(self._rendered(result, HTTPStatus.OK, JSON))
        own = encoded(result.headers.items())
        headers = [(b"content-type", result.media_type.encode()), *_with_default(NO_STORE, own)]
        try:
            return self._told(HttpAnswer(HTTPStatus.OK, headers, chunks=result.chunks))
        except BaseException:  # nobody else will close what nobody sends
            result.chunks.close()
            raise

    async def run_async(
        self, handle: Callable[[Context], Awaitable[object]], *, status: int, media_type: str = JSON
    ) -> HttpAnswer:
        """Run a handler that needs no database, on the event loop."""
        return self._told(self._rendered(await handle(self._context(None)), status, media_type))

    def admit(self) -> None:
        """Charge the rate limit and refuse a revoked token, for a handler that runs on the event loop."""
        self._charge()
        self.refuse_revoked()

    def _charge(self) -> None:
        principal = self._exchange.principal
        if principal is not None and self._exchange.plan.is_limited:
            rate_limits.charge(principal.tenant_id, "api")

    def refuse_revoked(self) -> None:
        """Raise Unauthorized for a revoked token, when no transaction of the request will ask for it."""
        principal = self._exchange.principal
        if principal is not None and principal.kind == "user":
            with _session(principal, read_only=True):
                pass

    def _context(self, session: Session | None) -> Context:
        exchange = self._exchange
        return Context(exchange.facts(self.raw_body), exchange.correlation_id, exchange.principal, session)

    def _told(self, answer: HttpAnswer) -> HttpAnswer:
        """Return the answer with what it says of the rate limit, checked against its contract if asked to."""
        answer.headers.extend(self._exchange.charge_headers())
        plan = self._exchange.plan
        if plan.responses is not None:
            check_answer(answer, plan.responses, plan.operation_id)
        return answer

    def _rendered(self, result: object, status: int, media_type: str) -> HttpAnswer:
        if isinstance(result, SkeldirError):
            return problem_answer(result, self._exchange.correlation_id, self._exchange.plan.challenge)
        own: list[Header] = []
        tagged: object = None
        if isinstance(result, Reply):
            own, status, tagged = encoded(result.headers.items()), result.status, result.tagged
            result = result.body
        if result is None:
            return HttpAnswer(status, _with_default(NO_STORE, own))
        headers = [_JSON_HEADER if media_type == JSON else (b"content-type", media_type.encode())]
        body = _bytes(result)
        if self._exchange.plan.has_etag and status == HTTPStatus.OK:
            tag = entity_tag(body) if tagged is None else b"W/" + entity_tag(_bytes(tagged))
            return self._tagged(tag, body, headers, _with_default(_REVALIDATE, own))
        return HttpAnswer(status, headers + _with_default(NO_STORE, own), body)

    def _tagged(self, tag: bytes, body: bytes, headers: list[Header], own: list[Header]) -> HttpAnswer:
        """Answer with the entity tag, or with 304 when the caller already holds what it is of."""
        own = [*own, (b"etag", tag)]
        if holds(self._exchange.headers.get(b"if-none-match"), tag):
            return HttpAnswer(HTTPStatus.NOT_MODIFIED, own)
        return HttpAnswer(HTTPStatus.OK, headers + own, body)


def entity_tag(body: bytes) -> bytes:
    """Return the strong validator of a body: its digest."""
    return b'"' + hashlib.sha256(body).hexdigest()[: 2 * _TAG_BYTES].encode() + b'"'


def holds(if_none_match: bytes | None, tag: bytes) -> bool:
    """Tell whether an If-None-Match header names the tag (weak comparison, RFC 9110 §13.1.2)."""
    if if_none_match is None:
        return False
    sent = {one.strip().removeprefix(b"W/") for one in if_none_match.split(b",")}
    return tag.removeprefix(b"W/") in sent or b"*" in sent


def _with_default(default: Header, own: list[Header]) -> list[Header]:
    if not own:
        return [default]
    return own if any(name == default[0] for name, _ in own) else [default, *own]


def _session(principal: Principal | None, *, read_only: bool) -> AbstractContextManager[Session]:
    if principal is None:
        raise Unauthorized
    return tenant_session(principal.tenant_id, read_only=read_only, token=_token(principal))


def _token(principal: Principal) -> TokenCheck | None:
    if principal.token_id is None or principal.user_id is None or principal.issued_at is None:
        return None
    return TokenCheck(principal.token_id, principal.user_id, principal.issued_at, principal.session_id)


def _bytes(result: object) -> bytes:
    if isinstance(result, BaseModel):
        return result.__pydantic_serializer__.to_json(result, by_alias=True)  # bytes, and no text between
    return result if isinstance(result, bytes) else str(result).encode()
