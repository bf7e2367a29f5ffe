"""Statements for the driver as they are: the way of the busiest paths.

A webhook is booked hundreds of times a second. Each statement costs its round trip and its share of the
toolkit's work, however small; so what is written together is sent together, in one statement with as
many parts as there are tables, its input one JSON document. And what is read with nearly every request is
read without the toolkit, whose own work is a large part of a small query's time. All raise psycopg's errors,
not the toolkit's.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, Final

import orjson
from psycopg import RawCursor
from sqlalchemy import TextClause
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from skeldir.db.session import driver_of
from skeldir.db.transaction import Row, Transaction

SENT: Final = "sent AS MATERIALIZED (SELECT CAST(%(sent)s AS jsonb) AS document)"
"""The first part of a statement that reads a document."""

_PARAMETER: Final = re.compile(r"%\((\w+)\)s")
_NUMBERING: Final = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

Work = Session | Transaction


def send_document(work: Work, text: str, document: Mapping[str, object]) -> Row:
    """Run a statement that begins with SENT; return its first row, if it has one."""
    if isinstance(work, Transaction):
        return work.execute(_numbered(text)[0], orjson.dumps(document))
    return run(work, text, {"sent": orjson.dumps(document).decode()})


def run(work: Work, text: str, parameters: Mapping[str, object]) -> Row:
    """Run a statement, whose parameters are written %(name)s; return its first row, if it has one."""
    numbered, names = _numbered(text)
    with _executed(work, numbered, [parameters[name] for name in names]) as cursor:
        has_rows = cursor.pgresult is not None and cursor.pgresult.nfields
        return cursor.fetchone() if has_rows else None


def fetch_all(
    session: Session, query: TextClause, parameters: Mapping[str, object] = MappingProxyType({})
) -> list[tuple[Any, ...]]:
    """Run a query, a constant of its module with no more to it than its text; return its rows."""
    numbered, names = _compiled(query)
    with _executed(session, numbered, [parameters[name] for name in names]) as cursor:
        return cursor.fetchall()


def finish(work: Work, text: str, document: Mapping[str, object]) -> None:
    """Run the last statement of a transaction, which begins with SENT: with its commit, where it can be."""
    if isinstance(work, Transaction):
        work.leave(_numbered(text)[0], orjson.dumps(document))
    else:
        send_document(work, text, document)


def _executed(work: Work, numbered: str, parameters: Sequence[object]) -> RawCursor[tuple[Any, ...]]:
    return RawCursor(driver_of(work)).execute(numbered.encode(), parameters)


@lru_cache(maxsize=1_000)
def _compiled(query: TextClause) -> tuple[str, Sequence[str]]:
    compiled = query.compile(dialect=_NUMBERING)
    return str(compiled), tuple(compiled.positiontup or ())


@cache
def _numbered(text: str) -> tuple[str, Sequence[str]]:
    """Write parameters as the server numbers them; of a long statement the driver would do it each time."""
    names = tuple(dict.fromkeys(_PARAMETER.findall(text)))
    return _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", text), names
