"""Statements for the driver as they are, their input one JSON document: the way of the busiest path.

A webhook is booked hundreds of times a second. Each statement costs its round trip and its share of the
toolkit's work, however small; so what is written together is sent together, in one statement with as
many parts as there are tables. All raise psycopg's errors, not the toolkit's.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson
from psycopg import Cursor
from sqlalchemy.orm import Session

from skeldir.db.session import driver_of
from skeldir.db.transaction import Transaction

SENT: Final = "sent AS MATERIALIZED (SELECT CAST(%(sent)s AS jsonb) AS document)"
"""The first part of a statement that reads a document."""

Row = tuple[Any, ...] | None
Work = Session | Transaction


class Statement(NamedTuple):
    """A statement with the driver's own parameters, %(name)s."""

    text: str
    parameters: Mapping[str, object]


def of_document(text: str, document: Mapping[str, object]) -> Statement:
    """Return a statement that begins with SENT, and its document."""
    return Statement(text, {"sent": orjson.dumps(document).decode()})


def send_document(work: Work, text: str, document: Mapping[str, object]) -> Row:
    """Run a statement that begins with SENT; return its first row, if it has one."""
    return run(work, *of_document(text, document))


def run(work: Work, text: str, parameters: Mapping[str, object]) -> Row:
    """Run a statement; return its first row, if it has one."""
    with driver_of(work).cursor() as cursor:
        cursor.execute(text.encode(), parameters)
        return _first(cursor)


def run_together(work: Work, *statements: Statement) -> list[Row]:
    """Run statements one after the other in one round trip; return the first row of each, if it has one."""
    connection = driver_of(work)
    cursors = [connection.cursor() for _ in statements]
    with connection.pipeline():
        for cursor, statement in zip(cursors, statements, strict=True):
            cursor.execute(statement.text.encode(), statement.parameters)
    return [_first(cursor) for cursor in cursors]


def _first(cursor: Cursor) -> Row:
    has_rows = cursor.pgresult is not None and cursor.pgresult.nfields
    return cursor.fetchone() if has_rows else None


def finish(work: Work, statement: Statement) -> None:
    """Run the last statement of a transaction: together with its commit, where it can be."""
    if isinstance(work, Transaction):
        work.leave(*statement)
    else:
        run(work, *statement)
