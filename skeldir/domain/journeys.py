"""Journeys: a person's path as the tenant's own pseudonym names it, and the touches along it."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

_EMAIL: Final = re.compile(r"[^@%\s]+(?:@|%40)[^@\s]+\.[^@\s]+", re.IGNORECASE)
_PHONE: Final = re.compile(r"(?:\+|00)?[\d\s().\-/]+")
_PHONE_DIGITS: Final = range(7, 16)
_PHONE_GROUPS_MIN: Final = 3


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
    event_id: UUID | None = None


def personal_data_in(journey_id: str) -> Literal["email", "phone"] | None:
    """Say which kind of personal data a journey id looks like, if any.

    A bare run of digits is a shop's customer number as often as a telephone number and passes;
    an international prefix or the grouping that people write numbers with does not.
    """
    if _EMAIL.search(journey_id):
        return "email"
    value = journey_id.strip()
    digits = re.sub(r"\D", "", value)
    if not _PHONE.fullmatch(value) or len(digits) not in _PHONE_DIGITS:
        return None
    grouped = len(re.findall(r"\d+", value)) >= _PHONE_GROUPS_MIN
    return "phone" if value.startswith(("+", "00")) or grouped else None


def order_journey(order_id: str) -> str:
    """Name the journey of an order whose payload names none."""
    return f"order:{order_id}"
