"""Touches that orders' payloads hint at: one at the order's time, unless the journey shows that touch."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.ids import fact_id
from skeldir.domain.journeys import Touch
from skeldir.domain.orders import Order

_ADD: Final = text("""
    INSERT INTO touchpoints (touchpoint_id, journey_id, session_id, occurred_at, channel_code, campaign_id,
                             source, medium, event_id)
    SELECT :touchpoint_id, :journey_id, :session_id, :occurred_at, :channel_code, :campaign_id,
           :source, :medium, :event_id
     WHERE NOT EXISTS (
        SELECT FROM touchpoints
         WHERE journey_id = :journey_id
           AND occurred_at > CAST(:since AS timestamptz)
           AND occurred_at <= CAST(:occurred_at AS timestamptz)
           AND lower(source) IS NOT DISTINCT FROM lower(CAST(:source AS text))
           AND lower(medium) IS NOT DISTINCT FROM lower(CAST(:medium AS text)))
    ON CONFLICT (tenant_id, touchpoint_id) DO NOTHING
    RETURNING touchpoint_id
""")

_STANDING: Final = text("""
    SELECT touchpoint_id, journey_id, occurred_at, channel_code, campaign_id, source, medium, session_id,
           event_id
      FROM touchpoints
     WHERE (journey_id, occurred_at) IN (
        SELECT journey_id, occurred_at
          FROM unnest(CAST(:journey_ids AS text[]), CAST(:occurred_ats AS timestamptz[]))
               AS given (journey_id, occurred_at))
       AND event_id IS NOT NULL
     ORDER BY occurred_at, touchpoint_id
""")


def add(session: Session, tenant_id: UUID, touches: Iterable[Touch], lookback: timedelta) -> list[Touch]:
    """Keep the touches whose journey shows none of that source and medium within the look-back.

    The id is derived from the event and from where the touch stands, so that hinting again adds nothing.
    """
    added = []
    for touch in touches:
        when = touch.occurred_at.astimezone(UTC)
        key = ("touch", str(touch.event_id), touch.journey_id, when.isoformat())
        parameters = {
            "touchpoint_id": fact_id(tenant_id, *key),
            "journey_id": touch.journey_id,
            "session_id": touch.session_id,
            "occurred_at": when,
            "since": when - lookback,
            "channel_code": touch.channel_code,
            "campaign_id": touch.campaign_id,
            "source": touch.source,
            "medium": touch.medium,
            "event_id": touch.event_id,
        }
        if session.execute(_ADD, parameters).one_or_none() is not None:
            added.append(touch)
    return added


def moved(session: Session, former: Sequence[Order], now: Order) -> list[Touch]:
    """Return the touches hinted at an order's former journeys and times as they stand in it now."""
    parameters = {
        "journey_ids": [order.claim.journey_id for order in former],
        "occurred_ats": [order.ordered_at for order in former],
    }
    rows = session.execute(_STANDING, parameters).mappings()
    return [
        replace(Touch(**row), journey_id=now.claim.journey_id, occurred_at=now.ordered_at) for row in rows
    ]
