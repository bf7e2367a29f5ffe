"""Orders: when one was placed, and which journey led to it, whoever tells it first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from skeldir.domain.facts import CanonicalEvent, Fact
from skeldir.domain.journeys import order_journey


@dataclass(frozen=True, slots=True)
class JourneyClaim:
    """A word on which journey led to an order; without `told_at` it is only a name for nothing known."""

    journey_id: str
    told_at: datetime | None = None

    @property
    def is_made_up(self) -> bool:
        """Tell whether the journey is no journey of the tenant's, but named after the order."""
        return self.journey_id.startswith(order_journey(""))

    def rank(self) -> tuple[bool, bool, datetime, str]:
        """Order claims, the best first: told before untold, real before made up, early before late."""
        told_at = self.told_at or datetime.max.replace(tzinfo=UTC)
        return (self.told_at is None, self.is_made_up, told_at, self.journey_id)


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it is kept: its journey and its time."""

    order_id: str
    claim: JourneyClaim
    ordered_at: datetime


def claim_of(event: CanonicalEvent) -> JourneyClaim | None:
    """Return what an event says of its order's journey, if it says anything of the order's origin."""
    if event.hints.journey:
        return JourneyClaim(event.hints.journey, event.occurred_at)
    if event.hints.names_origin and event.order_key:
        return JourneyClaim(order_journey(event.order_key), event.occurred_at)
    return None


def settle(order_id: str, facts: Iterable[Fact], claims: Iterable[JourneyClaim]) -> Order:
    """Derive the order from all facts told of it and all claims to it; their order does not matter.

    It was placed when money was first authorised or captured. While only a refund is known its time
    stands in.
    """
    told = list(facts)
    placed = [fact.effective_at for fact in told if fact.kind in ("authorised", "captured")]
    unknown = JourneyClaim(order_journey(order_id))
    best = min((*claims, unknown), key=JourneyClaim.rank)
    return Order(order_id, best, min(placed or [fact.effective_at for fact in told]))
