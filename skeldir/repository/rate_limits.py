"""Token buckets per tenant: processes lease tokens in blocks, by the database's clock.

A bucket is one instant, `full_at`: every token taken moves it into the future by the time in which a
token comes back, so that nothing has to refill it. It is empty when it is full a whole window away.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

WINDOW: Final = timedelta(seconds=60)

# Interval and numeric arithmetic: exact to the microsecond, in which the step is given.
_AVAILABLE: Final = """
    least(EXCLUDED.leased, greatest(0, floor(
        extract(epoch FROM :window_length + EXCLUDED.leased_at - greatest(r.full_at, EXCLUDED.leased_at))
        / extract(epoch FROM CAST(:step AS interval)))))
"""
LEASE = text(f"""
    INSERT INTO rate_limits AS r (bucket, leased, leased_at, full_at)
    SELECT :bucket, :block, now, now + :block * CAST(:step AS interval) FROM clock_timestamp() AS now
    ON CONFLICT (tenant_id, bucket) DO UPDATE
       SET leased = {_AVAILABLE},
           leased_at = EXCLUDED.leased_at,
           full_at = greatest(r.full_at, EXCLUDED.leased_at) + {_AVAILABLE} * CAST(:step AS interval)
    RETURNING leased, full_at - leased_at AS until_full
""")  # noqa: S608 - a constant of this file

_FORGET: Final = text("""
    DELETE FROM rate_limits
     WHERE ctid = ANY(ARRAY(SELECT ctid FROM rate_limits
                             WHERE full_at < clock_timestamp() - CAST(:age AS interval) LIMIT :rows_max))
""")


@dataclass(frozen=True, slots=True)
class Lease:
    """Tokens that a process may spend, what the bucket held beyond them, and when it has a next one."""

    tokens: int
    left: int
    next_in: timedelta


def lease(session: Session, bucket: str, *, block: int, per_minute: int) -> Lease:
    """Take up to a block of tokens out of a bucket that holds, and refills, so many per minute."""
    step = WINDOW / per_minute
    parameters = {"bucket": bucket, "block": block, "step": step, "window_length": WINDOW}
    row = session.execute(LEASE, parameters).one()
    until_full: timedelta = row.until_full
    room = WINDOW - until_full
    return Lease(row.leased, max(0, room // step), max(timedelta(), step - room))


def forget(session: Session, age: timedelta, rows_max: int) -> int:
    """Delete some buckets that have been full for so long; a missing one is full. Returns how many."""
    return int(session.execute(_FORGET, {"age": age, "rows_max": rows_max}).rowcount)  # type: ignore[attr-defined]
