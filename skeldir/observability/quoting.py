"""What a log line may quote: neither an error's message nor what a library was given.

Both may hold anybody's data. Which kind of error it was and where it came from is told, and of a library's
words those that cannot be a sentence.
"""

import logging
import re
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

import psycopg

REDACTED: Final = "[redacted]"

_TELLING: Final = (psycopg.OperationalError, OSError)
"""Errors whose messages are about servers and files: nobody could do without these."""

_CHAIN_MAX: Final = 10
_QUOTING: Final = frozenset({"amqp", "billiard", "celery", "kombu", "multiprocessing"})
_FIELDS: Final = frozenset({"description", "hostname", "id", "name", "pid", "runtime"})
"""Of the texts that Celery fills in by name: what a task is called, and how long it took."""

_PLAIN: Final = re.compile(r"[\w.:/@+*=&?%~,\[\]-]{1,300}|exitcode -?\d+|signal \d+ \(\w+\)")

_EXTRAS: Final = ("data", "color_message")
"""Celery's: the task's arguments and the error's text. Uvicorn's: the same line in colours."""

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def told_error(exc_info: _ExcInfo) -> str:
    """Return the places that an error and its causes went through, each with its kind."""
    told: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None and len(told) < _CHAIN_MAX:
        told.append("".join(_places(error)) + named(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nbecause of\n".join(told)


def named(error: BaseException) -> str:
    """Return an error's kind, with the first line of its message if that can be nobody's data."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"{name}: {str(error).partition(chr(10))[0]}" if isinstance(error, _TELLING) else name


def _places(error: BaseException) -> list[str]:
    try:
        return traceback.format_tb(error.__traceback__)
    except Exception:  # noqa: BLE001 - what was pickled in another process may only look like a traceback
        return []


class Unquoted(logging.Filter):
    """Takes out of libraries' lines what they quote."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through, changed."""
        if record.name.partition(".")[0] in _QUOTING:
            record.msg, record.args = _filled_in(str(record.msg), record.args), ()
        for quoted in _EXTRAS:
            record.__dict__.pop(quoted, None)
        return True


def _filled_in(template: str, values: Any) -> str:  # noqa: ANN401 - as logging has it
    if not values:
        return template
    kept: object
    if isinstance(values, Mapping):
        kept = {name: value if name in _FIELDS else REDACTED for name, value in values.items()}
    else:
        kept = tuple(map(_kept, values))
    try:
        return template % kept
    except (TypeError, ValueError, KeyError):
        return template


def _kept(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, BaseException):
        return named(value)
    text = str(value)
    return text if _PLAIN.fullmatch(text) else REDACTED
