"""What a vendor tells about an order's money: canonical facts, links between keys, hints of origin."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from skeldir.domain.journeys import names_nobody
from skeldir.domain.privacy import PrivacyRequest

Authority = Literal["shop", "processor"]
FactKind = Literal["authorised", "captured", "refunded", "disputed", "reversed", "dispute_reversed"]

SNAPSHOT_SOURCES: Final = frozenset(("woocommerce",))
"""Who shows the whole order each time: what the last of its snapshots does not show is so no more."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement about money; the same statement twice is one fact.

    `order_key` is the teller's own key of the order: the shop's order id, or the processor's payment
    id until a link says which order it paid. A `cumulative` amount is the total so far of its reference.
    `disputed` and `reversed` are two words for money withdrawn: by a dispute that is named, or by none.
    """

    source: str
    authority: Authority
    order_key: str
    kind: FactKind
    reference: str
    amount_cents: int
    currency: str
    effective_at: datetime
    told_at: datetime
    cumulative: bool = False

    def key(self) -> tuple[str, ...]:
        """Return the canonical key that the fact's id is made of: everything that it says."""
        return (
            "fact",
            self.source,
            self.order_key,
            self.kind,
            self.reference,
            str(self.amount_cents),
            self.currency,
            self.effective_at.isoformat(),
            self.told_at.isoformat(),
            "total" if self.cumulative else "single",
        )


@dataclass(frozen=True, slots=True)
class OrderLink:
    """A payload's explicit word that a payment belongs to an order."""

    payment_key: str
    order_id: str


@dataclass(frozen=True, slots=True)
class PaymentAlias:
    """A payload's explicit word that a payment has a second name: a charge that of its payment intent."""

    alias: str
    payment_key: str


@dataclass(frozen=True, slots=True)
class Hints:
    """What a payload tells of the order's origin, free of personal data."""

    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    session_id: str | None = None
    journey_id: str | None = None

    @property
    def journey(self) -> str | None:
        """Return the tenant's own pseudonym of the journey, else the session, if they name anybody."""
        told = (self.journey_id, self.session_id)
        return next((journey for journey in told if journey and not names_nobody(journey)), None)

    @property
    def names_origin(self) -> bool:
        """Tell whether there is enough to make a touch of it."""
        return bool(self.utm_source or self.utm_medium)


@dataclass(frozen=True, slots=True)
class CanonicalEvent:
    """One authentic, well-formed delivery in our own terms; what of it is kept is `payload`."""

    vendor: str
    authority: Authority
    topic: str
    vendor_event_id: str
    occurred_at: datetime
    payload: Mapping[str, object]
    order_key: str | None = None
    facts: tuple[Fact, ...] = ()
    links: tuple[OrderLink, ...] = ()
    aliases: tuple[PaymentAlias, ...] = ()
    hints: Hints = Hints()
    privacy: PrivacyRequest | None = None
