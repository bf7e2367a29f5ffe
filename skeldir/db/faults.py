"""What an error of the database means to who asked: try again, later, or never."""

from typing import Final

import psycopg
from psycopg import errors
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

DATABASE_ERRORS: Final = (SQLAlchemyError, psycopg.Error)
"""Everything that a session may raise because of the database."""

TRANSIENT_ERRORS: Final = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
"""Lost connections, serialization failures, deadlocks and timeouts, as toolkit and driver raise them."""

_REPEATABLE: Final = (errors.SerializationFailure, errors.DeadlockDetected)


def may_be_repeated(error: BaseException) -> bool:
    """Tell whether the same transaction, begun anew, may well succeed: it only met another one."""
    return isinstance(_driver_error(error), _REPEATABLE)


def is_unavailable(error: BaseException) -> bool:
    """Tell whether the database could not be asked at all, or not in time."""
    found = _driver_error(error)
    # OperationalError: no connection, too many of them, a statement timeout, a server that shuts down.
    return isinstance(found, PoolTimeoutError | psycopg.OperationalError)


def _driver_error(error: BaseException) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error
