"""Structured logs: JSON lines with a timestamp and the correlation id, without secrets."""

import logging
import re
import sys
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from skeldir.observability import correlation
from skeldir.settings import Settings

_SECRET: Final = re.compile(
    r"password|secret|token|authorization|cookie|api_?key|tenant_?key|endpoint_?key|credential|email",
    re.IGNORECASE,
)
_BEARER: Final = re.compile(r"(?i)bearer\s+\S+")
_DSN_PASSWORD: Final = re.compile(r"(?<=://)([^:/@\s]+):[^@\s]+@")
_INGRESS_KEY: Final = re.compile(r"(/in/)[^/?\s]+")


def configure_logging(settings: Settings) -> None:
    """Send this process's logs to standard error; calling it again changes nothing."""
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _with_correlation,
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace values under secret-looking keys, and bearer tokens, passwords and keys inside texts."""
    return {key: "[redacted]" if _SECRET.search(key) else _redacted(value) for key, value in event.items()}


def _redacted(value: object) -> object:
    if not isinstance(value, str):
        return value
    value = _BEARER.sub("Bearer [redacted]", value)
    return _INGRESS_KEY.sub(r"\1[redacted]", _DSN_PASSWORD.sub(r"\1:[redacted]@", value))


def _with_correlation(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    correlation_id = correlation.current()
    if correlation_id is not None:
        event.setdefault("correlation_id", str(correlation_id))
    return event
