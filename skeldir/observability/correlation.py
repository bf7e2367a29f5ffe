"""What follows one request through logs, workers and problem documents: an id of ours, and a trace.

The trace is that of W3C Trace Context, level 1, <https://www.w3.org/TR/trace-context-1/>. Nothing here
records spans, so what a caller sent is passed on as it is; without it the correlation id begins a trace.
"""

import random
import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final
from uuid import UUID

CORRELATION_HEADER: Final = "skeldir_correlation_id"
TRACE_HEADER: Final = "traceparent"
"""The headers of a message."""

_current: ContextVar[UUID | None] = ContextVar("correlation_id", default=None)
_traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)

_VALID: Final = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?P<ids>(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(?P<more>-.*)?"
)


def accept_or_make(sent: str | None, traceparent: str | None = None) -> UUID:
    """Return the caller's correlation id if it is a UUID, else a new one, and make it current.

    So is the trace made current that the caller is in; what is not valid counts as none.
    """
    try:
        correlation_id = UUID(sent) if sent else _made()
    except ValueError:
        correlation_id = _made()
    _current.set(correlation_id)
    _traceparent.set(traceparent)
    return correlation_id


def accept(headers: Mapping[str, str]) -> UUID:
    """Go on with what a message carries."""
    return accept_or_make(headers.get(CORRELATION_HEADER), headers.get(TRACE_HEADER))


def carried() -> dict[str, str]:
    """Return the headers with which a message carries on what is current."""
    correlation_id, trace = _current.get(), traceparent()
    headers = {CORRELATION_HEADER: str(correlation_id)} if correlation_id else {}
    return headers | ({TRACE_HEADER: trace} if trace else {})


def current() -> UUID | None:
    """Return the correlation id of the request or task that this code runs for."""
    return _current.get()


def traceparent() -> str | None:
    """Return the trace that this code is a part of, as the header `traceparent` has it."""
    sent, correlation_id = _traceparent.get(), _current.get()
    if sent is not None and (valid := _VALID.fullmatch(sent)):
        if valid["version"] != "00":  # of a later version only what this one knows is read and passed on
            return f"00-{valid['ids']}"
        if not valid["more"]:
            return sent
    if correlation_id is None or not correlation_id.int:
        return None
    parent = correlation_id.hex[16:] if int(correlation_id.hex[16:], 16) else correlation_id.hex[:16]
    return f"00-{correlation_id.hex}-{parent}-00"


def trace_id() -> str | None:
    """Return the id of that trace."""
    trace = traceparent()
    return None if trace is None else trace.split("-")[1]


def _made() -> UUID:
    # It keeps nobody out, so that a generator which asks the kernel for every one would be waste.
    return UUID(int=random.getrandbits(128), version=4)
