"""Journeys: a person's path as the tenant's own pseudonym names it, and the touches along it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Touch:
    """One contact of a journey with a channel, as it is kept."""

    touchpoint_id: UUID
    journey_id: str
    occurred_at: datetime
    channel_code: str
    campaign_id: str = ""
    source: str | None = None
    medium: str | None = None
    session_id: str | None = None


def order_journey(order_id: str) -> str:
    """Name the journey of an order whose payload names none."""
    return f"order:{order_id}"
