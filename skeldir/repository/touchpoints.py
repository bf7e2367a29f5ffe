"""Touchpoints: what is known of journeys before their orders. Rows are only added."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.journeys import Touch

_GIVEN: Final = """
    unnest(CAST(:touchpoint_ids AS uuid[]), CAST(:journey_ids AS text[]), CAST(:session_ids AS text[]),
           CAST(:occurred_ats AS timestamptz[]), CAST(:channel_codes AS text[]),
           CAST(:campaign_ids AS text[]), CAST(:sources AS text[]), CAST(:mediums AS text[]),
           CAST(:referrer_hosts AS text[]), CAST(:click_ids AS text[]))
    AS given (touchpoint_id, journey_id, session_id, occurred_at, channel_code, campaign_id, source, medium,
              referrer_host, click_id)
"""

_RECORD: Final = text(f"""
    INSERT INTO touchpoints (touchpoint_id, journey_id, session_id, occurred_at, channel_code, campaign_id,
                             source, medium, referrer_host, click_id)
    SELECT touchpoint_id, journey_id, session_id, occurred_at, channel_code, campaign_id, source, medium,
           referrer_host, click_id
      FROM {_GIVEN}
     ORDER BY touchpoint_id
    ON CONFLICT (tenant_id, touchpoint_id) DO NOTHING
    RETURNING touchpoint_id
""")  # noqa: S608 - a constant of this file

# Not the channel: it follows from the rest and from rules that may have changed since.
_KNOWN: Final = text("""
    SELECT touchpoint_id, journey_id, session_id, occurred_at, campaign_id, source, medium, referrer_host,
           click_id
      FROM touchpoints
     WHERE touchpoint_id = ANY(CAST(:touchpoint_ids AS uuid[]))
""")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch of touches."""

    new: tuple[Touch, ...]
    duplicates: int
    conflicts: tuple[UUID, ...]
    """Ids under which another touch is already kept."""


def record(session: Session, touches: Sequence[Touch]) -> Recorded:
    """Keep the touches that are not known yet; a touch is known by its id and never changed."""
    first: dict[UUID, Touch] = {}
    for touch in touches:
        first.setdefault(touch.touchpoint_id, touch)
    inserted = set(session.execute(_RECORD, _columns(list(first.values()))).scalars())
    kept = _kept(session, [touch_id for touch_id in first if touch_id not in inserted])
    kept.update({touch_id: _identity(first[touch_id]) for touch_id in inserted})
    conflicts = {touch.touchpoint_id for touch in touches if kept[touch.touchpoint_id] != _identity(touch)}
    same = sum(touch.touchpoint_id not in conflicts for touch in touches)
    new = tuple(touch for touch_id, touch in first.items() if touch_id in inserted)
    return Recorded(
        new=new,
        duplicates=same - sum(touch.touchpoint_id not in conflicts for touch in new),
        conflicts=tuple(sorted(conflicts)),
    )


def _kept(session: Session, touchpoint_ids: list[UUID]) -> dict[UUID, tuple[object, ...]]:
    if not touchpoint_ids:
        return {}
    rows = session.execute(_KNOWN, {"touchpoint_ids": touchpoint_ids})
    return {row.touchpoint_id: tuple(row[1:]) for row in rows}


def _identity(touch: Touch) -> tuple[object, ...]:
    return (
        touch.journey_id,
        touch.session_id,
        touch.occurred_at,
        touch.campaign_id,
        touch.source,
        touch.medium,
        touch.referrer_host,
        touch.click_id,
    )


def _columns(touches: list[Touch]) -> dict[str, list[object]]:
    return {
        "touchpoint_ids": [touch.touchpoint_id for touch in touches],
        "journey_ids": [touch.journey_id for touch in touches],
        "session_ids": [touch.session_id for touch in touches],
        "occurred_ats": [touch.occurred_at for touch in touches],
        "channel_codes": [touch.channel_code for touch in touches],
        "campaign_ids": [touch.campaign_id for touch in touches],
        "sources": [touch.source for touch in touches],
        "mediums": [touch.medium for touch in touches],
        "referrer_hosts": [touch.referrer_host for touch in touches],
        "click_ids": [touch.click_id for touch in touches],
    }
