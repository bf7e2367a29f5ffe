"""Orders: when one was placed, which journey led to it and what its payloads hint, whoever tells it first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from skeldir.domain.facts import CanonicalEvent, Fact
from skeldir.domain.journeys import order_journey


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a buyer came from, as the labels of a campaign's links say it."""

    source: str | None
    medium: str | None
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class OrderHint:
    """One payload's word on where its order came from."""

    order_key: str
    told_at: datetime
    journey_id: str | None = None
    origin: Origin | None = None

    def key(self) -> tuple[str, ...]:
        """Return the canonical key that the hint's id is made of: everything that it says."""
        origin = self.origin or Origin(None, None)
        said = (self.journey_id, origin.source, origin.medium, origin.campaign)
        return ("hint", self.order_key, self.told_at.isoformat(), *(word or "" for word in said))


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it is kept: its journey, its time, and the touch that its payloads hint at."""

    order_id: str
    journey_id: str
    ordered_at: datetime
    origin: Origin | None = None


def hint_of(event: CanonicalEvent) -> OrderHint | None:
    """Return what an event says of its order's journey and origin, if it says anything."""
    hints = event.hints
    if event.order_key is None or not (hints.journey or hints.names_origin):
        return None
    origin = Origin(hints.utm_source, hints.utm_medium, hints.utm_campaign) if hints.names_origin else None
    return OrderHint(event.order_key, event.occurred_at, hints.journey, origin)


def settle(order_id: str, facts: Iterable[Fact], hints: Iterable[OrderHint]) -> Order:
    """Derive the order from all facts and hints told of it; the order of their arrival does not matter.

    It was placed when money was first authorised or captured; while only a refund is known its time
    stands in. The journey and the origin are those told first.
    """
    told = list(facts)
    placed = [fact.effective_at for fact in told if fact.kind in ("authorised", "captured")]
    first = sorted(hints, key=OrderHint.key)
    first.sort(key=lambda hint: hint.told_at)
    journeys = (hint.journey_id for hint in first if hint.journey_id)
    origins = (hint.origin for hint in first if hint.origin)
    return Order(
        order_id,
        next(journeys, order_journey(order_id)),
        min(placed or [fact.effective_at for fact in told]),
        next(origins, None),
    )
