"""The database's own refusal of personal data, told apart from every other error."""

from typing import Final

from psycopg.errors import CheckViolation
from sqlalchemy.exc import IntegrityError

_WORDS: Final = "personal data is refused"


def is_refusal(error: IntegrityError) -> bool:
    """Tell whether a trigger refused a row for the personal data in it."""
    return isinstance(error.orig, CheckViolation) and (error.orig.diag.message_primary or "").startswith(
        _WORDS
    )
