"""Media types: what the caller accepts, and what it sends."""

from email.message import Message

from skeldir.http.problems import NotAcceptable, UnsupportedMediaType

_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


def check_accept(accept: str | None, produces: frozenset[str]) -> None:
    """Raise NotAcceptable when the Accept header admits none of the media types."""
    if accept is None or accept == "*/*" or not produces:
        return
    for accepted in accept.split(","):
        media, *parameters = (part.strip().lower() for part in accepted.split(";"))
        refused = any(part.replace(" ", "") in {"q=0", "q=0.0", "q=0.00", "q=0.000"} for part in parameters)
        if refused:
            continue
        family = media.removesuffix("/*")
        if media in produces or media == "*/*" or (media.endswith("/*") and any(p.startswith(f"{family}/") for p in produces)):
            return
    raise NotAcceptable(f"This can be had as {', '.join(sorted(produces))}.")


def check_media_type(content_type: str | None, accepted: frozenset[str]) -> None:
    """Raise UnsupportedMediaType unless the body is of an accepted media type, in UTF-8."""
    message = Message()
    message["content-type"] = content_type or ""
    charset = message.get_content_charset("utf-8")
    if content_type is None or message.get_content_type() not in accepted or charset not in _CHARSETS:
        raise UnsupportedMediaType(
            f"The body must be {' or '.join(sorted(accepted))} in UTF-8.",
            headers={"Accept-Post": ", ".join(sorted(accepted))},
        )


