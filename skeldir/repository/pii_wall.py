"""The database's own refusal of personal data, told apart from every other error."""

import re
from typing import Final

from psycopg.errors import CheckViolation
from sqlalchemy.exc import IntegrityError

_WORDS: Final = "personal data is refused"
_PATH: Final = re.compile(rf"{_WORDS}: (\S{{1,200}})")


def is_refusal(error: IntegrityError) -> bool:
    """Tell whether a trigger refused a row for the personal data in it."""
    return isinstance(error.orig, CheckViolation) and (error.orig.diag.message_primary or "").startswith(
        _WORDS
    )


def refused_path(error: IntegrityError) -> str:
    """Return where a trigger found it: table, column and path, without list positions."""
    said = (
        _PATH.match(error.orig.diag.message_primary or "") if isinstance(error.orig, CheckViolation) else None
    )
    return re.sub(r"\[[0-9]+\]", "[]", said.group(1)) if said else "?"
