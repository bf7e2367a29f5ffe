"""Journeys: a person's path as the tenant's own pseudonym names it, and the touches along it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

# What front ends send for a pseudonym that they do not have. Taken at its word, it would make one
# journey of all strangers: every visit a touch of every order.
_PLACEHOLDERS: Final = frozenset(
    {"", "-", "0", "[object object]", "anonymous", "false", "guest", "n/a", "nan", "nil", "none", "null"}
    | {"true", "undefined", "unknown"}
)


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
    referrer_host: str | None = None
    click_id: str | None = None


def order_journey(order_id: str) -> str:
    """Name the journey of an order whose payload names none."""
    return f"order:{order_id}"


def names_nobody(journey_id: str) -> bool:
    """Tell whether a journey's id is a placeholder for one that was not known."""
    return journey_id.strip().lower() in _PLACEHOLDERS
