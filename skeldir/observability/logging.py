"""Structured logs: JSON lines with a timestamp and the correlation id, without secrets or personal data."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from skeldir.observability import correlation
from skeldir.observability.quoting import REDACTED, Unquoted, told_error
from skeldir.settings import Settings

_SECRET: Final = re.compile(
    r"password|secret|token|authorization|cookie|signature|credential|email"
    r"|(?:api|tenant|endpoint|signing|sealing)_?key",
    re.IGNORECASE,
)
_HARMLESS: Final = re.compile(r"_(?:ids?|count|type|hint|days|seconds)$", re.IGNORECASE)
_IN_TEXTS: Final = (
    (re.compile(r"(?i)(bearer\s+)\S+"), rf"\1{REDACTED}"),
    (re.compile(r"(?<=://)([^:/@\s]+):[^@\s]+@"), rf"\1:{REDACTED}@"),
    (re.compile(r"(/in/)[^/?\s]+"), rf"\1{REDACTED}"),
    (re.compile(r"\b(sk[a-z]|whsec|shpss)_[A-Za-z0-9_.-]{8,}"), rf"\1_{REDACTED}"),
    # But for a worker's name, celery-01ab@host. What stands before an address in a URL was replaced above.
    (re.compile(r"(?!celery(?:-[0-9a-f]{8})?@)(?<![\w.%+-])[\w.%+-]{1,64}@[\w-]+(?:\.[\w-]+)+"), REDACTED),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"), REDACTED),
)
_OURS: Final = ("skeldir", "handlers", "workers")
_OF_WORKERS: Final = ("celery",)
_OF_THE_POOL: Final = "multiprocessing"  # billiard's, which keeps it apart from all others
_TALKATIVE: Final = ("celery.worker.strategy", "celery.beat")  # a line for whatever is received or sent
_OF_THE_SERVER: Final = ("uvicorn", "uvicorn.error")  # its line for each request stays off


def configure_logging(settings: Settings) -> None:
    """Send this process's logs, and those of its libraries, to standard error; may be repeated."""
    level = getattr(logging, settings.log_level.upper())
    told: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.contextvars.merge_contextvars,
        with_correlation,
    ]
    structlog.configure(
        processors=[*told, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(sys.stderr)
    foreign: list[Processor] = [*told, structlog.stdlib.ExtraAdder()]
    handler.setFormatter(ProcessorFormatter(processors=_finish(settings), foreign_pre_chain=foreign))
    handler.addFilter(Unquoted())
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _Handler)]
    root.addHandler(handler)
    root.setLevel(max(level, logging.WARNING))  # libraries say much that only their authors want to know
    pool = logging.getLogger(_OF_THE_POOL)
    pool.handlers, pool.propagate = [handler], False
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for name in (*_OURS, *_OF_THE_SERVER, *_OF_WORKERS):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.handlers.clear()
        logger.propagate = True


class _Handler(logging.StreamHandler[Any]):
    """The one that this module adds, and replaces when it is asked again."""


def _finish(settings: Settings) -> list[Processor]:
    as_json = settings.log_format == "json"
    return [
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.ExceptionRenderer(told_error),
        redact,
        structlog.processors.JSONRenderer(default=str) if as_json else structlog.dev.ConsoleRenderer(),
    ]


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace values under secret-looking names at any depth, and keys, tokens, passwords inside texts."""
    return {name: _redacted(name, value) for name, value in event.items()}


def with_correlation(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Add the ids of the request or task that is being worked on, and of the trace that it is a part of."""
    correlation_id = correlation.current()
    if correlation_id is not None:
        event.setdefault("correlation_id", str(correlation_id))
    trace_id = correlation.trace_id()
    if trace_id is not None:
        event.setdefault("trace_id", trace_id)
    return event


def _redacted(name: str, value: object) -> object:
    if _SECRET.search(name) and not _HARMLESS.search(name):
        return REDACTED
    if isinstance(value, Mapping):
        return {str(key): _redacted(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted("", item) for item in value]
    if isinstance(value, str):
        for pattern, replacement in _IN_TEXTS:
            value = pattern.sub(replacement, value)
    return value
