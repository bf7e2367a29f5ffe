"""Errors that carry their own HTTP meaning; the boundary turns them into problem documents.

Raised, an error rolls the request's transaction back. Returned from a handler, it lets the
transaction commit first: what must survive a refusal is returned.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field; `field` is a path such as `body.items.0.currency`."""

    field: str
    code: str
    message: str


class SkeldirError(Exception):
    """The request could not be served."""

    status = 500
    code = "internal_error"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: tuple[FieldError, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what the problem document will say; `detail` defaults to the title."""
        super().__init__(detail or self.title())
        self.detail = detail or self.title()
        self.errors = errors
        self.headers = dict(headers or {})

    @classmethod
    def title(cls) -> str:
        """Return the first line of the class's docstring, without the full stop."""
        return (cls.__doc__ or "").strip().splitlines()[0].rstrip(".")


class MalformedRequest(SkeldirError):
    """The request does not match the contract."""

    status, code = 400, "validation_error"


class Unauthorized(SkeldirError):
    """The request is not authenticated."""

    status, code = 401, "unauthorized"


class Forbidden(SkeldirError):
    """The caller may not do this."""

    status, code = 403, "forbidden"


class NotFound(SkeldirError):
    """There is no such thing for this tenant."""

    status, code = 404, "not_found"


class Conflict(SkeldirError):
    """The request conflicts with the present state."""

    status, code = 409, "conflict"


class ReplayInProgress(Conflict):
    """Somebody else is replaying the dead letter."""

    code = "replay_in_progress"


class DeadLetterResolved(Conflict):
    """The dead letter is booked already."""

    code = "dead_letter_resolved"


class DeadLetterAbandoned(Conflict):
    """The dead letter was abandoned before."""

    code = "dead_letter_abandoned"


class PayloadNotKept(Conflict):
    """Nothing of the dead letter was kept that could be read again."""

    code = "payload_not_kept"


class IdempotencyKeyInUse(Conflict):
    """The request with this Idempotency-Key is still at work."""

    code = "idempotency_key_in_use"


class Unprocessable(SkeldirError):
    """The request is well formed but cannot be accepted."""

    status, code = 422, "unprocessable"


class IdempotencyKeyReused(Unprocessable):
    """The Idempotency-Key came with another request before."""

    code = "idempotency_key_reused"


class TooManyRequests(SkeldirError):
    """Too many requests."""

    status, code = 429, "rate_limited"


class Unavailable(SkeldirError):
    """The service cannot answer at the moment."""

    status, code = 503, "unavailable"
