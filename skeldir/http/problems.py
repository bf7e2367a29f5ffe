"""Errors as RFC 9457 problem documents: the one place that turns one into the other."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

import orjson
from connexion.exceptions import ProblemException
from starlette.exceptions import HTTPException

from skeldir.domain.errors import FieldError, Forbidden, NotFound, SkeldirError, Unauthorized
from skeldir.http.answers import HttpAnswer

PROBLEM = "application/problem+json"
_ERRORS_MAX = 100
_DETAIL_CHARACTERS_MAX = 4_000
_MESSAGE_CHARACTERS_MAX = 2_000
_FIELD_CHARACTERS_MAX = 500


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
        status = error.status if isinstance(error, ProblemException) else error.status_code
        known: Mapping[int, type[SkeldirError]] = {401: Unauthorized, 403: Forbidden, 404: NotFound}
        if status in known:
            return known[status]()
    return None


def problem_answer(error: SkeldirError, correlation_id: UUID) -> HttpAnswer:
    """Render an error as its problem document, with the headers that its status owes."""
    document: dict[str, object] = {
        "type": f"https://skeldir.dev/problems/{error.code}",
        "title": error.title(),
        "status": int(error.status),
        "detail": error.detail[:_DETAIL_CHARACTERS_MAX],
        "instance": correlation_id.urn,
        "correlation_id": str(correlation_id),
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "code": error.code,
    }
    if error.errors:
        document["errors"] = [_field_error(entry) for entry in error.errors[:_ERRORS_MAX]]
    return HttpAnswer(int(error.status), orjson.dumps(document), PROBLEM, _owed_headers(error))


def _field_error(entry: FieldError) -> dict[str, str]:
    return {
        "field": entry.field[:_FIELD_CHARACTERS_MAX].replace("\x00", "\ufffd"),
        "code": entry.code,
        "message": entry.message[:_MESSAGE_CHARACTERS_MAX].replace("\x00", "\ufffd"),
    }


def _owed_headers(error: SkeldirError) -> dict[str, str]:
    headers = {"Cache-Control": "no-store", **error.headers}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", "Bearer")
    if error.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        headers.setdefault("Retry-After", "1")
    return headers
