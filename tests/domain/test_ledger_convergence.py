"""The ledger converges: neither order, duplication nor mixture of deliveries changes what it adds up to."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from skeldir.domain.facts import Fact, OrderLink
from skeldir.domain.ledger import Booked, Entry, Slot, differences, targets

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
ORDER = "1001"


@dataclass(frozen=True)
class Delivery:
    """What one webhook tells."""

    facts: tuple[Fact, ...] = ()
    links: tuple[OrderLink, ...] = ()


@dataclass(frozen=True)
class Life:
    """An order's deliveries, and what it really earned."""

    deliveries: tuple[Delivery, ...]
    net_cents: int


@dataclass
class Book:
    """A ledger in memory, keeping the steps of the one in the database."""

    facts: set[Fact] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))

    def deliver(self, delivery: Delivery) -> None:
        """Store what is told and book what is missing, for each order that it touches."""
        self.facts.update(delivery.facts)
        for link in delivery.links:
            self.links.setdefault(link.payment_key, link.order_id)
        keys = {fact.order_key for fact in delivery.facts} | {link.payment_key for link in delivery.links}
        for order_id in keys | {self.links.get(key, key) for key in keys}:
            told = [fact for fact in self.facts if self.links.get(fact.order_key, fact.order_key) == order_id]
            self.entries[order_id] += differences(targets(told), self.booked(order_id))

    def booked(self, order_id: str) -> dict[Slot, Booked]:
        """Return what the order's slots hold."""
        held: dict[Slot, Booked] = {}
        for entry in self.entries[order_id]:
            cents, count = held.get(entry.slot, Booked(0, 0))
            held[entry.slot] = Booked(cents + entry.amount_cents, count + 1)
        return held

    def daily_sums(self) -> dict[tuple[object, ...], int]:
        """Sum per order, kind, currency and effective day; what sums to nothing is as if never booked."""
        sums: Counter[tuple[object, ...]] = Counter()
        for order_id, entries in self.entries.items():
            for entry in entries:
                kind, _, currency, effective_at = entry.slot
                sums[(order_id, kind, currency, effective_at.date())] += entry.amount_cents
        return {key: cents for key, cents in sums.items() if cents}

    def net_cents(self) -> int:
        """Sum every entry's effect."""
        return sum(entry.effect_cents for entries in self.entries.values() for entry in entries)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Make an order with payments, refunds and disputes, told by shop, processor or both."""
    tellers = draw(st.sampled_from(["shop", "processor", "both"]))
    refunds = st.lists(st.integers(1, 400), max_size=4)
    payments = draw(st.lists(st.tuples(st.integers(1, 1_000), refunds), min_size=1, max_size=3))
    misread_cents = draw(st.integers(-50, 50)) if tellers == "both" else 0
    disputes = draw(st.lists(st.sampled_from([None, "lost", "won"]), min_size=3, max_size=3))
    deliveries: list[Delivery] = []
    if tellers != "processor":
        deliveries += _told_by_shop(payments, max(0, sum(cents for cents, _ in payments) + misread_cents))
    net_cents = sum(captured - sum(refunded) for captured, refunded in payments)
    if tellers != "shop":
        for number, ((captured, refunded), dispute) in enumerate(zip(payments, disputes, strict=False)):
            link = tellers == "both" or draw(st.booleans())
            deliveries += _told_by_processor(number, captured, refunded, dispute, linked=link)
            net_cents -= captured if dispute == "lost" else 0
    return Life(tuple(deliveries), net_cents)


def _told_by_shop(payments: list[tuple[int, list[int]]], total_cents: int) -> list[Delivery]:
    created = START + timedelta(minutes=2)

    def fact(kind: str, reference: str, cents: int, when: datetime, told: datetime) -> Fact:
        return Fact("shopify", "shop", ORDER, kind, reference, cents, "USD", when, told)  # type: ignore[arg-type]

    captured = [
        fact("captured", ORDER, total_cents, created, created + timedelta(minutes=minutes))
        for minutes in (0, 5)
    ]
    deliveries = [
        Delivery((fact("authorised", ORDER, total_cents, created, created), captured[0])),
        Delivery((captured[1],)),
    ]
    for number, (_, refunded) in enumerate(payments):
        for index, cents in enumerate(refunded):
            when = START + timedelta(days=1 + 3 * index + number)
            deliveries.append(Delivery((fact("refunded", f"r{number}-{index}", cents, when, when),)))
    return deliveries


def _told_by_processor(
    number: int, captured_cents: int, refunded: list[int], dispute: str | None, *, linked: bool
) -> list[Delivery]:
    payment, charge, paid = f"pi_{number}", f"ch_{number}", START + timedelta(minutes=number)

    def fact(kind: str, reference: str, cents: int, when: datetime, *, total: bool = False) -> Fact:
        return Fact("stripe", "processor", payment, kind, reference, cents, "USD", when, when, total)  # type: ignore[arg-type]

    deliveries = [
        Delivery((fact("captured", payment, captured_cents, paid),)),
        Delivery((fact("captured", payment, captured_cents, paid + timedelta(seconds=3)),)),
    ]
    so_far = 0
    for index, cents in enumerate(refunded):
        so_far += cents
        when = START + timedelta(days=1 + 3 * index + number, hours=18)
        deliveries.append(Delivery((fact("refunded", charge, so_far, when, total=True),)))
    if dispute:
        deliveries.append(
            Delivery((fact("disputed", f"dp_{number}", captured_cents, START + timedelta(days=9)),))
        )
    if dispute == "won":
        won = fact("dispute_reversed", f"dp_{number}", captured_cents, START + timedelta(days=30))
        deliveries.append(Delivery((won,)))
    if linked:
        deliveries[-1] = Delivery(deliveries[-1].facts, (OrderLink(payment, ORDER),))
    return deliveries


def book_of(life: Life, order: Random) -> Book:
    """Deliver everything at least once, some of it again, in the given random order."""
    storm = [*life.deliveries, *order.choices(life.deliveries, k=order.randrange(6))]
    order.shuffle(storm)
    book = Book()
    for delivery in storm:
        book.deliver(delivery)
    return book


@settings(max_examples=300, deadline=None)
@given(life=lives(), seeds=st.lists(st.integers(0, 2**32), min_size=3, max_size=3, unique=True))
def test_any_order_of_deliveries_ends_in_the_same_sums_and_the_true_net(life: Life, seeds: list[int]) -> None:
    books = [book_of(life, Random(seed)) for seed in seeds]

    assert books[0].daily_sums() == books[1].daily_sums() == books[2].daily_sums()
    assert {book.net_cents() for book in books} == {life.net_cents}


@settings(max_examples=100, deadline=None)
@given(life=lives(), seed=st.integers(0, 2**32))
def test_no_two_entries_share_an_identity(life: Life, seed: int) -> None:
    book = book_of(life, Random(seed))
    keys = [entry.key(order_id) for order_id, entries in book.entries.items() for entry in entries]

    assert len(keys) == len(set(keys))
