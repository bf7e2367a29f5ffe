"""When each entry of the schedule was last sent: kept where every beat finds it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_LAST_RUNS: Final = text("SELECT entry, last_run_at FROM skeldir_broker.last_runs(:entries)")
_AGE: Final = text("SELECT skeldir_broker.schedule_age_seconds()")
_RECORD: Final = text("SELECT skeldir_broker.record_run(:entry, :before, :at)")


def last_runs(session: Session, entries: Sequence[str]) -> dict[str, datetime]:
    """Return when entries were last sent; of one that nobody knew, that is now."""
    found = session.execute(_LAST_RUNS, {"entries": list(entries)})
    return {row.entry: row.last_run_at for row in found}


def age_seconds(session: Session) -> float:
    """Return since when the schedule has sent nothing; infinity where no beat ever ran."""
    return float(session.execute(_AGE).scalar_one())


def record_run(session: Session, entry: str, before: datetime, at: datetime) -> bool:
    """Write down that an entry is sent; False when it was last sent at another time than that before."""
    parameters = {"entry": entry, "before": before, "at": at}
    return bool(session.execute(_RECORD, parameters).scalar_one())
