"""The database's own refusal of personal data, told apart from every other error."""

import re
from typing import Final

from psycopg.errors import CheckViolation
from sqlalchemy.exc import IntegrityError

ERRORS: Final = (IntegrityError, CheckViolation)
"""What a refusal is raised as, by a session or by the driver itself."""

_WORDS: Final = "personal data is refused"
_PATH: Final = re.compile(rf"{_WORDS}: (\S{{1,200}})")


def is_refusal(error: Exception) -> bool:
    """Tell whether a trigger refused a row for the personal data in it."""
    return _said(error).startswith(_WORDS)


def refused_path(error: Exception) -> str:
    """Return where a trigger found it: table, column and path, without list positions."""
    said = _PATH.match(_said(error))
    return re.sub(r"\[[0-9]+\]", "[]", said.group(1)) if said else "?"


def _said(error: Exception) -> str:
    cause = error.orig if isinstance(error, IntegrityError) else error
    return (cause.diag.message_primary or "") if isinstance(cause, CheckViolation) else ""
