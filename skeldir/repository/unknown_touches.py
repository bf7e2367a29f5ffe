"""Touches that no rule could tell apart: how many there are, and what was told of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.channels import UNKNOWN
from skeldir.domain.unknown_share import LEVELS, Level

_WITHIN: Final = """
    touch AS (
        SELECT occurred_at, channel_code, source, medium
          FROM touchpoints
         WHERE occurred_at > :start AND occurred_at <= :end
         UNION ALL
        SELECT ordered_at, hint_channel_code, hint_source, hint_medium
          FROM orders
         WHERE ordered_at > :start AND ordered_at <= :end AND hint_touchpoint_id IS NOT NULL
    )
"""

_COUNTS: Final = text(f"""
    WITH {_WITHIN}
    SELECT count(*) AS touch_count, count(*) FILTER (WHERE channel_code = :unknown) AS unknown_count
      FROM touch
""")  # noqa: S608 - a constant of this file

# In any case of letters: what rules take for one is one here.
_SOURCES: Final = text(f"""
    WITH {_WITHIN}
    SELECT min(source COLLATE "C") AS source, min(medium COLLATE "C") AS medium, count(*) AS touch_count,
           count(*) FILTER (WHERE occurred_at > :day_start) AS day_count
      FROM touch
     WHERE channel_code = :unknown
     GROUP BY lower(source), lower(medium)
     ORDER BY count(*) FILTER (WHERE occurred_at > :day_start) > :day_count_max DESC, count(*) DESC,
              lower(source) COLLATE "C" NULLS FIRST, lower(medium) COLLATE "C" NULLS FIRST
     LIMIT :limit
""")  # noqa: S608 - a constant of this file

_KEEP: Final = text("""
    INSERT INTO unknown_shares (touch_count, unknown_count, level, measured_at)
    VALUES (:touch_count, :unknown_count, :level, :measured_at)
    ON CONFLICT (tenant_id) DO UPDATE
       SET touch_count = excluded.touch_count, unknown_count = excluded.unknown_count,
           level = excluded.level, measured_at = excluded.measured_at
""")
_LEVELS: Final = text("SELECT level, tenant_count FROM skeldir_lookup.unknown_share_levels()")


@dataclass(frozen=True, slots=True)
class Counts:
    """All touches of a window, and those of unknown origin."""

    touch_count: int
    unknown_count: int


@dataclass(frozen=True, slots=True)
class Source:
    """A source and medium as somebody sent them, and how many touches nobody could tell apart by them."""

    source: str | None
    medium: str | None
    touch_count: int
    day_count: int


def counts(session: Session, start: datetime, end: datetime) -> Counts:
    """Count recorded and hinted touches after `start`, up to `end`."""
    row = session.execute(_COUNTS, {"start": start, "end": end, "unknown": UNKNOWN}).one()
    return Counts(*row)


def sources(
    session: Session, start: datetime, end: datetime, *, day_count_max: int, limit: int
) -> list[Source]:
    """Return what was told of unknown touches, first what stands out on the last day, then the commonest."""
    parameters = {
        "start": start,
        "end": end,
        "day_start": end - timedelta(days=1),
        "day_count_max": day_count_max,
        "limit": limit,
        "unknown": UNKNOWN,
    }
    return [Source(*row) for row in session.execute(_SOURCES, parameters)]


def keep(session: Session, counted: Counts, level: Level, measured_at: datetime) -> None:
    """Keep what was counted of a tenant, in the place of what was before."""
    values = {"touch_count": counted.touch_count, "unknown_count": counted.unknown_count}
    session.execute(_KEEP, values | {"level": level, "measured_at": measured_at})


def tenants_by_level(session: Session) -> dict[Level, int]:
    """Return how many tenants' shares, kept within a day, are on which level."""
    found: dict[Level, int] = {row.level: row.tenant_count for row in session.execute(_LEVELS)}
    return {level: found.get(level, 0) for level in LEVELS}
