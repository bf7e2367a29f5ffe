"""Errors as RFC 9457 problem documents: the one place that turns one into the other."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from uuid import UUID

import orjson
from connexion.exceptions import ProblemException
from starlette.exceptions import HTTPException

from skeldir.db.faults import is_unavailable, may_be_repeated
from skeldir.domain.errors import FieldError, Forbidden, NotFound, SkeldirError, Unauthorized, Unavailable
from skeldir.http.answers import NO_STORE, Header, HttpAnswer, encoded

PROBLEM: Final = "application/problem+json"
_CONTENT_TYPE: Final[Header] = (b"content-type", PROBLEM.encode())
_OWED: Final[Mapping[int, bytes]] = {401: b"www-authenticate", 429: b"retry-after", 503: b"retry-after"}
_ERRORS_MAX: Final = 100
_DETAIL_CHARACTERS_MAX: Final = 4_000
_MESSAGE_CHARACTERS_MAX: Final = 2_000
_FIELD_CHARACTERS_MAX: Final = 500
_FOREIGN: Final[Mapping[int, type[SkeldirError]]] = {401: Unauthorized, 403: Forbidden, 404: NotFound}


class MethodNotAllowed(SkeldirError):
    """The resource does not know this method."""

    status, code = 405, "method_not_allowed"


class NotAcceptable(SkeldirError):
    """The answer cannot be given in an accepted media type."""

    status, code = 406, "not_acceptable"


class ContentTooLarge(SkeldirError):
    """The request body is too large."""

    status, code = 413, "content_too_large"


class UnsupportedMediaType(SkeldirError):
    """The request body has an unsupported media type."""

    status, code = 415, "unsupported_media_type"


class InvalidResponse(SkeldirError):
    """The service answered in a way that its contract does not allow."""

    status, code = 500, "invalid_response"


def translate(error: Exception) -> SkeldirError | None:
    """Return the error in our own terms, or None when it is a surprise (a fault of the service)."""
    if isinstance(error, SkeldirError):
        return error
    if isinstance(error, ProblemException | HTTPException):
        known = _FOREIGN.get(error.status if isinstance(error, ProblemException) else error.status_code)
        return None if known is None else known()
    if is_unavailable(error) or may_be_repeated(error):
        return Unavailable("The database cannot answer at the moment.")
    return None


def problem_answer(error: SkeldirError, correlation_id: UUID, challenge: str = "Bearer") -> HttpAnswer:
    """Render an error as its problem document, with the headers that its status owes.

    `challenge` says on a 401 how to authenticate, unless the error says it itself.
    """
    document: dict[str, object] = {
        "type": f"https://skeldir.dev/problems/{error.code}",
        "title": error.title(),
        "status": int(error.status),
        "detail": _text(_detail(error), _DETAIL_CHARACTERS_MAX),
        "instance": correlation_id.urn,
        "correlation_id": str(correlation_id),
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "code": error.code,
    }
    if error.errors:
        document["errors"] = [_field_error(entry) for entry in error.errors[:_ERRORS_MAX]]
    return HttpAnswer(int(error.status), _headers(error, challenge), orjson.dumps(document))


def _detail(error: SkeldirError) -> str:
    """Say what is wrong with the first field when nothing better was said."""
    if error.errors and error.detail == error.title():
        return f"{error.errors[0].field} {error.errors[0].message}"
    return error.detail


def _field_error(entry: FieldError) -> dict[str, str]:
    return {
        "field": _text(entry.field, _FIELD_CHARACTERS_MAX),
        "code": entry.code,
        "message": _text(entry.message, _MESSAGE_CHARACTERS_MAX),
    }


def _text(value: str, characters_max: int) -> str:
    """Cut a text to what the contract promises: no NUL, nothing that UTF-8 cannot hold, not too long."""
    return value[:characters_max].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _headers(error: SkeldirError, challenge: str) -> list[Header]:
    headers = [_CONTENT_TYPE, NO_STORE, *encoded(error.headers.items())]
    owed = _OWED.get(error.status)
    if owed is not None and not any(name == owed for name, _ in headers):
        headers.append((owed, challenge.encode() if error.status == HTTPStatus.UNAUTHORIZED else b"1"))
    return headers
