"""Refusals that only HTTP knows, and what stops the service from starting."""

from skeldir.domain.errors import SkeldirError


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


class ResponseBrokeContract(SkeldirError):
    """The request could not be served."""


class ClientGone(Exception):
    """The client closed the connection before its request was complete: nobody waits for an answer."""


class StartupError(Exception):
    """The service would not serve its contracts; it must not start."""
