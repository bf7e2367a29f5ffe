"""Statements for the driver as they are, their input one JSON document: the way of the busiest path.

A webhook is booked hundreds of times a second. Each statement costs its round trip and its share of the
toolkit's work, however small; so what is written together is sent together, in one statement with as
many parts as there are tables.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from sqlalchemy.orm import Session

from skeldir.db.session import driver

SENT: Final = "sent AS MATERIALIZED (SELECT CAST(%(sent)s AS jsonb) AS document)"
"""The first part of such a statement: the document, to be read by the others."""


def send_document(session: Session, statement: str, document: Mapping[str, object]) -> tuple[Any, ...] | None:
    """Run a statement that begins with SENT; return its first row, if it has one."""
    return run(session, statement, {"sent": orjson.dumps(document).decode()})


def run(session: Session, statement: str, parameters: Mapping[str, object]) -> tuple[Any, ...] | None:
    """Run a statement with the driver's own parameters, %(name)s; return its first row, if it has one.

    Raises psycopg's errors, not the toolkit's.
    """
    with driver(session.connection()).cursor() as cursor:
        cursor.execute(statement.encode(), parameters)
        return cursor.fetchone() if cursor.description else None
