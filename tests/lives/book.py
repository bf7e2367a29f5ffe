"""A ledger in memory, keeping the steps of the one in the database."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from skeldir.domain.facts import CanonicalEvent, Fact, PaymentAlias
from skeldir.domain.ledger import Booked, Entry, Slot, differences, targets
from skeldir.domain.payments import Claim, Payments

Sums = dict[tuple[object, ...], int]


class Book:
    """What was told of one shop's orders, and what was booked for it so far."""

    def __init__(self) -> None:
        """Begin empty."""
        self.facts: set[Fact] = set()
        self.aliases: set[PaymentAlias] = set()
        self.claims: set[Claim] = set()
        self.entries: dict[str, list[Entry]] = defaultdict(list)

    def deliver(self, event: CanonicalEvent) -> None:
        """Keep what an event tells and book what is missing for that."""
        self.keep(event)
        self.settle()

    def keep(self, event: CanonicalEvent) -> None:
        """Keep what an event tells, and book nothing yet."""
        self.facts.update(event.facts)
        self.aliases.update(event.aliases)
        self.claims.update(Claim(*link, event.authority) for link in _pairs(event))

    def settle(self) -> None:
        """Book what is missing for all that is kept."""
        payments, told = Payments(self.aliases, self.claims), defaultdict(list)
        for fact in self.facts:
            told[payments.order_of(fact.order_key)].append(_renamed(fact, payments))
        for order_id in told.keys() | self.entries.keys():
            self.entries[order_id] += differences(targets(told[order_id]), self._booked(order_id))

    def daily_sums(self) -> Sums:
        """Sum per order, kind, currency and effective day; what sums to nothing is as if never booked."""
        sums: Counter[tuple[object, ...]] = Counter()
        for order_id, entries in self.entries.items():
            for entry in entries:
                kind, _, currency, effective_at = entry.slot
                sums[(order_id, kind, currency, effective_at.date())] += entry.amount_cents
        return {key: cents for key, cents in sums.items() if cents}

    def net(self) -> dict[str, int]:
        """Sum every entry's effect, per currency."""
        net: Counter[str] = Counter()
        for entry in (entry for entries in self.entries.values() for entry in entries):
            net[entry.slot.currency] += entry.effect_cents
        return {currency: cents for currency, cents in net.items() if cents}

    def _booked(self, order_id: str) -> dict[Slot, Booked]:
        held: dict[Slot, Booked] = {}
        for entry in self.entries[order_id]:
            cents, count = held.get(entry.slot, Booked(0, 0))
            held[entry.slot] = Booked(cents + entry.amount_cents, count + 1)
        return held


def book_of(events: Iterable[CanonicalEvent]) -> Book:
    """Deliver events one after another."""
    book = Book()
    for event in events:
        book.deliver(event)
    return book


def _pairs(event: CanonicalEvent) -> Iterable[tuple[str, str]]:
    return ((link.payment_key, link.order_id) for link in event.links)


def _renamed(fact: Fact, payments: Payments) -> Fact:
    name = payments.payment_of(fact.order_key)
    if name == fact.order_key:
        return fact
    told = {field: getattr(fact, field) for field in Fact.__dataclass_fields__}
    return Fact(**told | {"order_key": name})
