"""Failed logins per tenant and login, in a fixed window.

The table has no foreign key, so that an unknown tenant is counted, and costs, like a known one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

COUNT_ATTEMPT = text("""
    INSERT INTO login_failures AS f (login_hash, failures, window_started_at)
    VALUES (:login_hash, 1, clock_timestamp())
    ON CONFLICT (tenant_id, login_hash) DO UPDATE
       SET failures = CASE WHEN f.window_started_at + :period <= clock_timestamp() THEN 1
                           ELSE least(f.failures + 1, 1000000) END,
           window_started_at = CASE WHEN f.window_started_at + :period <= clock_timestamp()
                                    THEN clock_timestamp() ELSE f.window_started_at END
    RETURNING failures,
              CAST(ceil(extract(epoch FROM window_started_at + :period - clock_timestamp())) AS integer)
                  AS seconds_left
""")

FORGET = text("DELETE FROM login_failures WHERE login_hash = :login_hash")

PRUNE = text("SELECT skeldir_lookup.prune_login_failures(:before, :rows_max)")


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often a login was tried in the present window, and how long that window lasts."""

    count: int
    seconds_left: int


def count_attempt(session: Session, login_hash: bytes, window: timedelta) -> Attempts:
    """Count an attempt as failed before it is judged, so that parallel guesses are counted too.

    A window does not grow by further attempts: who is locked out is so for one window at most.
    """
    row = session.execute(COUNT_ATTEMPT, {"login_hash": login_hash, "period": window}).one()
    return Attempts(count=row.failures, seconds_left=max(row.seconds_left, 1))


def forget(session: Session, login_hash: bytes) -> None:
    """Drop the count of a login that has succeeded."""
    session.execute(FORGET, {"login_hash": login_hash})


def prune(session: Session, before: datetime, rows_max: int) -> int:
    """Delete some windows that began before an instant, whosever they are; returns how many."""
    return int(session.execute(PRUNE, {"before": before, "rows_max": rows_max}).scalar_one())
