"""Media types: what the caller accepts, and what it sends."""

from collections.abc import Collection
from email.message import Message
from functools import lru_cache

from skeldir.http.problems import NotAcceptable, UnsupportedMediaType

_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})
_REMEMBERED = 512
"""Few programs send many kinds of headers; whoever does is answered all the same, only slower."""


def check_accept(accept: bytes | None, produces: frozenset[str]) -> None:
    """Raise NotAcceptable when the Accept header admits none of the media types."""
    if accept is not None and accept != b"*/*" and produces and not _is_acceptable(accept, produces):
        raise NotAcceptable(f"This can be had as {', '.join(sorted(produces))}.")


def check_media_type(content_type: bytes | None, accepted: frozenset[str]) -> str:
    """Return the body's media type; raises UnsupportedMediaType unless it is an accepted one, in UTF-8."""
    media = None if content_type is None else _readable(content_type)
    if media is None or media not in accepted:
        listed = ", ".join(sorted(accepted))
        raise UnsupportedMediaType(f"The body must be {listed} in UTF-8.", headers={"Accept-Post": listed})
    return media


def check_encoding(encoding: bytes | None) -> None:
    """Raise UnsupportedMediaType for a compressed body: it would be as large as its sender likes."""
    if encoding is not None and encoding.strip().lower() != b"identity":
        raise UnsupportedMediaType(
            "The body must not be compressed.", headers={"Accept-Encoding": "identity"}
        )


@lru_cache(_REMEMBERED)
def _is_acceptable(accept: bytes, produces: Collection[str]) -> bool:
    """Judge each media type by the most specific range that covers it (RFC 9110 §12.5.1)."""
    weights = dict(_range(part) for part in accept.decode("latin-1").split(","))
    for media in produces:
        family = media.partition("/")[0]
        for covering in (media, f"{family}/*", "*/*"):
            if covering in weights:
                if weights[covering] > 0:
                    return True
                break
    return False


def _range(part: str) -> tuple[str, float]:
    media, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return media, float(value)
            except ValueError:
                return media, 0.0
    return media, 1.0


@lru_cache(_REMEMBERED)
def _readable(content_type: bytes) -> str | None:
    """Return the media type of a text in UTF-8, None of any other text."""
    message = Message()
    message["content-type"] = content_type.decode("latin-1")
    charset = message.get_content_charset("utf-8")
    return message.get_content_type() if charset in _CHARSETS else None
