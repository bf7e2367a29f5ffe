"""Corrections: what channel somebody said a touch came through. Rows are only added; the last one holds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.ids import uuid7

LATEST: Final = """
    SELECT DISTINCT ON (tenant_id, touchpoint_id) tenant_id, touchpoint_id, to_channel
      FROM channel_corrections
     ORDER BY tenant_id, touchpoint_id, corrected_at DESC, correction_id DESC
"""
"""The correction that holds, of each touch that was ever corrected: few, for people make them one by one."""

_RECORDED: Final = text("""
    SELECT touchpoint_id, CAST(NULL AS text) AS order_id, journey_id, occurred_at, channel_code
      FROM touchpoints
     WHERE touchpoint_id = :touchpoint_id
""")

_HINTED: Final = text("""
    SELECT hint_touchpoint_id AS touchpoint_id, order_id, journey_id, ordered_at AS occurred_at,
           hint_channel_code AS channel_code
      FROM orders
     WHERE order_id = :order_id AND hint_touchpoint_id IS NOT NULL
""")

_WORDS: Final = (
    "correction_id, touchpoint_id, order_id, from_channel, to_channel, user_id, reason, corrected_at"
)

# A correction that the worker has not applied yet is where the next one starts from.
_ADD: Final = text(f"""
    INSERT INTO channel_corrections (correction_id, touchpoint_id, order_id, from_channel, to_channel,
                                     user_id, reason)
    VALUES (:correction_id, :touchpoint_id, :order_id,
            coalesce((SELECT to_channel FROM channel_corrections WHERE touchpoint_id = :touchpoint_id
                       ORDER BY corrected_at DESC, correction_id DESC LIMIT 1), :channel_code),
            :to_channel, :user_id, :reason)
    RETURNING {_WORDS}
""")  # noqa: S608 - a constant of this file

_COUNT: Final = text("SELECT count(*) FROM channel_corrections")

_PAGE: Final = text(f"""
    SELECT {_WORDS}
      FROM channel_corrections
     WHERE CAST(:corrected_at AS timestamptz) IS NULL
        OR (corrected_at, correction_id) < (:corrected_at, CAST(:correction_id AS uuid))
     ORDER BY corrected_at DESC, correction_id DESC
     LIMIT :limit
""")  # noqa: S608 - a constant of this file


@dataclass(frozen=True, slots=True)
class CorrectedTouch:
    """The touch that somebody wants to correct, and the channel that it is taken to have come through."""

    touchpoint_id: UUID
    order_id: str | None
    journey_id: str
    occurred_at: datetime
    channel_code: str


@dataclass(frozen=True, slots=True)
class Correction:
    """Who said that a touch came through another channel, when and why."""

    correction_id: UUID
    touchpoint_id: UUID
    order_id: str | None
    from_channel: str
    to_channel: str
    user_id: UUID | None
    reason: str
    corrected_at: datetime

    @property
    def place(self) -> "Place":
        """Return where the correction stands in the list."""
        return Place(self.corrected_at, self.correction_id)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends."""

    corrected_at: datetime
    correction_id: UUID


def count(session: Session) -> int:
    """Return how many corrections were ever made: they are never taken back, so the number names them."""
    return int(session.execute(_COUNT).scalar_one())


def recorded_touch(session: Session, touchpoint_id: UUID) -> CorrectedTouch | None:
    """Return a recorded touch."""
    row = session.execute(_RECORDED, {"touchpoint_id": touchpoint_id}).one_or_none()
    return None if row is None else CorrectedTouch(*row)


def hinted_touch(session: Session, order_id: str) -> CorrectedTouch | None:
    """Return the touch that an order's payloads hint at."""
    row = session.execute(_HINTED, {"order_id": order_id}).one_or_none()
    return None if row is None else CorrectedTouch(*row)


def add(session: Session, touch: CorrectedTouch, to_channel: str, by: UUID | None, reason: str) -> Correction:
    """Write a correction down; the database refuses a channel that is not active."""
    row = session.execute(
        _ADD,
        {
            "correction_id": uuid7(),
            "touchpoint_id": touch.touchpoint_id,
            "order_id": touch.order_id,
            "channel_code": touch.channel_code,
            "to_channel": to_channel,
            "user_id": by,
            "reason": reason,
        },
    ).one()
    return Correction(*row)


def page(session: Session, after: Place | None, limit: int) -> list[Correction]:
    """Return corrections, the latest first."""
    parameters = {
        "corrected_at": after and after.corrected_at,
        "correction_id": after and after.correction_id,
        "limit": limit,
    }
    return [Correction(*row) for row in session.execute(_PAGE, parameters)]
