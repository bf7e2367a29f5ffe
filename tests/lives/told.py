"""What vendors send, as real payloads read by the real mappings."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from skeldir.domain.currencies import EXPONENTS, vendor_exponent
from skeldir.domain.facts import CanonicalEvent
from skeldir.vendors import custom, paypal, shopify, stripe, woocommerce
from tests.vendors import payloads as by_others
from tests.vendors import paypal_payloads as by_paypal

START = datetime(2026, 3, 1, tzinfo=UTC)
API = by_paypal.API


@dataclass(frozen=True)
class Told:
    """One delivery: the topic where a header names it, the payload, and what its mapping makes of it."""

    vendor: str
    topic: str
    payload: Any
    event: CanonicalEvent

    def __repr__(self) -> str:
        """Show what was told, without the payload."""
        facts = ", ".join(
            f"{fact.kind} {fact.reference} {fact.amount_cents} {fact.currency} {fact.effective_at:%d %T}"
            for fact in self.event.facts
        )
        return f"<{self.vendor} {self.event.topic}: {facts} {self.event.links} {self.event.aliases}>"


class Vendors:
    """Tells what happens to one order, second by second, each event under an id of its own."""

    def __init__(self, currency: str, order_id: str) -> None:
        """Name events by the order and a number."""
        self.currency = currency
        self._order_id = order_id
        self._numbers = count(1)

    def decimal(self, cents: int, currency: str | None = None) -> str:
        """Write an amount with the digits of its currency."""
        digits = EXPONENTS[currency or self.currency]
        return f"{cents // 10**digits}.{cents % 10**digits:0{digits}}" if digits else str(cents)

    def units(self, cents: int) -> int:
        """Write an amount as Stripe counts it."""
        shift = vendor_exponent("stripe", self.currency) - EXPONENTS[self.currency]
        return cents * 10**shift if shift >= 0 else cents // 10**-shift

    def stripe(self, kind: str, obj: dict[str, Any], second: int) -> Told:
        """Tell an event of Stripe's."""
        created = int((START + timedelta(seconds=second)).timestamp())
        event = by_others.stripe_event(
            kind,
            obj | {"currency": self.currency.lower()},
            f"evt_{self._order_id}{next(self._numbers):03}",
            created=created,
        )
        return Told("stripe", kind, event, stripe.canonical_event(event))

    def paypal(self, kind: str, resource: dict[str, Any], second: int) -> Told:
        """Tell an event of PayPal's."""
        event_id = f"WH-{self._order_id}-{next(self._numbers)}"
        event = by_paypal.event(kind, resource, event_id, create_time=moment(second))
        return Told("paypal", kind, event, paypal.canonical_event(event))

    def shopify(self, topic: str, payload: dict[str, Any]) -> Told:
        """Tell a topic of Shopify's."""
        event = shopify.canonical_event(topic, payload, str(next(self._numbers)), START)
        return Told("shopify", topic, payload, event)

    def custom(self, kind: str, second: int, **data: Any) -> Told:
        """Tell an event as a sender of the tenant's own."""
        told = {"order_id": self._order_id, "currency": self.currency, "occurred_at": moment(second)}
        event = by_others.custom_event(kind, timestamp=moment(second), **told, **data)
        return Told("custom", kind, event, custom.canonical_event(event, str(next(self._numbers))))

    def woocommerce(self, payload: dict[str, Any]) -> Told:
        """Tell an order's snapshot as WooCommerce does."""
        event = woocommerce.canonical_event("order.updated", payload, str(next(self._numbers)), START)
        return Told("woocommerce", "order.updated", payload, event)


def moment(second: int) -> str:
    """Write an instant of the order's life."""
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def unix(second: int) -> int:
    """Write an instant of the order's life as Stripe does."""
    return int((START + timedelta(seconds=second)).timestamp())
