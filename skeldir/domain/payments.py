"""Payments: what each is called, and which order it paid, as all payloads together say.

A payment may have several names, and a payload uses the one that it knows. Names that a payload says are
one payment's are one payment. It pays the order that the best link to any of its names says.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from skeldir.domain.facts import Authority, PaymentAlias


class Claim(NamedTuple):
    """Somebody's word that a payment, by one of its names, paid an order."""

    payment_key: str
    order_id: str
    authority: Authority


class Payments:
    """The payments that some aliases and claims speak of; in which order they were told does not matter."""

    def __init__(self, aliases: Iterable[PaymentAlias] = (), claims: Iterable[Claim] = ()) -> None:
        """Settle each name on one payment and each payment on one order: the shop's word, then the least."""
        self._payments: dict[str, str] = {}
        for alias, payment_key in ((told.alias, told.payment_key) for told in aliases):
            self._payments[alias] = min(payment_key, self._payments.get(alias, payment_key))
        best: dict[str, tuple[bool, str]] = {}
        for claim in claims:
            # Its shop knows best what a payment paid; merchants write numbers of their own into metadata.
            rank = (claim.authority != "shop", claim.order_id)
            payment_key = self.payment_of(claim.payment_key)
            best[payment_key] = min(rank, best.get(payment_key, rank))
        self._orders: Final = {payment_key: order_id for payment_key, (_, order_id) in best.items()}

    def payment_of(self, key: str) -> str:
        """Return the one name of the payment that a key names; every other key is its own."""
        return self._payments.get(key, key)

    def order_of(self, key: str) -> str:
        """Return the order that a key belongs to; a payment that nobody links stands as its own."""
        payment_key = self.payment_of(key)
        return self._orders.get(payment_key, payment_key)
