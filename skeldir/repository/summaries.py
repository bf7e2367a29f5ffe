"""Keeps the summaries that reports are read from: what is summarised, made anew, and checked.

While a model version is listed as summarised, in every snapshot: `channel_days` is the sum of its
allocations, and every entry that moves revenue is allocated, or waits in `waiting_entries`, or belongs to
an order whose journey is marked dirty. Jobs keep it so in the statement that replaces allocations
(`summaries_sql.FOLLOW`). A version that a job leaves out is no longer listed, and reports add up its rows.

All but the reading belong into a transaction in which the caller has the tenant's turn, its snapshot
younger than that, and which `attribution.begin` was called on.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.repository.summaries_sql import DRIFT, REBUILD, WAITING_DRIFT

_LISTED: Final = text("SELECT model_version FROM summarised_versions ORDER BY checked_at, model_version")

_UNLIST: Final = text("""
    DELETE FROM summarised_versions WHERE model_version <> ALL(CAST(:model_versions AS text[]))
""")

_PRUNE: Final = tuple(
    text(f"""
        DELETE FROM {table}
         WHERE model_version NOT IN (SELECT model_version FROM summarised_versions)
    """)  # noqa: S608 - one of two names
    for table in ("channel_days", "waiting_entries")
)

_REBUILD: Final = tuple(text(statement) for statement in REBUILD)

_DRIFT: Final = (text(DRIFT), text(WAITING_DRIFT))

_CHECKED: Final = text("""
    UPDATE summarised_versions SET checked_at = clock_timestamp() WHERE model_version = :model_version
""")


def listed(session: Session) -> list[str]:
    """Return the model versions that are summarised, the one whose last check is longest ago first."""
    return list(session.execute(_LISTED).scalars())


def keep_only(session: Session, model_versions: Collection[str]) -> None:
    """Say that from now on only these versions follow what is marked; for every job that takes marks."""
    session.execute(_UNLIST, {"model_versions": list(model_versions)})


def rebuild(session: Session, model_version: str) -> None:
    """Make a version's summary anew from its allocations, and list it."""
    for statement in _REBUILD:
        session.execute(statement, {"model_version": model_version})


def drift(session: Session, model_version: str) -> int:
    """Check a version's summary against its rows; return how much differs, 0 unless something is broken."""
    asked = {"model_version": model_version}
    session.execute(_CHECKED, asked)
    return sum(session.execute(statement, asked).scalar_one() for statement in _DRIFT)


def prune(session: Session) -> None:
    """Delete what is kept of versions that are no longer summarised."""
    for statement in _PRUNE:
        session.execute(statement)
