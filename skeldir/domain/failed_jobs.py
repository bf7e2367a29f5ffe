"""What is kept of a task that failed for good, and what is not: a message or a value may quote data."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Literal

ErrorKind = Literal["transient", "database", "invalid_argument", "time_limit", "worker_lost", "application"]
Status = Literal["pending", "retried", "discarded"]

REDACTED: Final = "[redacted]"
_PLAIN: Final = re.compile(
    r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}"  # an id
    r"|-?[0-9]{1,18}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]{5,15}(Z|[+-][0-9]{2}:[0-9]{2}))?"
)
_ROOT: Final = Path(__file__).parents[2]
_OWN: Final = frozenset({"skeldir", "workers", "generated"})


def kept_arguments(arguments: Mapping[str, object]) -> dict[str, str]:
    """Keep ids, numbers and instants as they are; of anything else only that it was there."""
    return {
        name: str(value) if _PLAIN.fullmatch(str(value)) else REDACTED for name, value in arguments.items()
    }


def place(traceback: TracebackType | None) -> str:
    """Return the innermost line of the service's own code that a traceback passed through."""
    found = ""
    while traceback is not None:
        path = Path(traceback.tb_frame.f_code.co_filename)
        if path.is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in _OWN:
            name = traceback.tb_frame.f_code.co_name
            found = f"{path.relative_to(_ROOT).as_posix()}:{traceback.tb_lineno} in {name}"
        traceback = traceback.tb_next
    return found[:300]
