"""The ledger's algebra: from the facts told of an order to the entries that are still to be booked.

Facts arrive in any order, repeated, from shop and processor alike. `targets` says what the order's
entries must add up to for one set of facts, whatever the order of arrival; `differences` says which
immutable entries are missing for that. So the sums converge, however many rows it takes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final, Literal, NamedTuple

from skeldir.domain.facts import SNAPSHOT_SOURCES, Authority, Fact, FactKind

EntryKind = Literal["authorised", "captured", "refunded", "disputed", "dispute_reversed", "adjusted"]

# What one minor unit of a kind does to the order's net revenue.
EFFECT_SIGNS: Final[Mapping[EntryKind, int]] = {
    "authorised": 0,
    "captured": 1,
    "refunded": -1,
    "disputed": -1,
    "dispute_reversed": 1,
    "adjusted": 1,
}
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
# Kinds that shop and processor both tell: counted once, with the processor's word as the last.
_TOLD_BY_BOTH: Final[tuple[FactKind, ...]] = ("captured", "refunded")


class Slot(NamedTuple):
    """Where entries of one order add up: a kind and reference in one currency at one instant."""

    kind: EntryKind
    reference: str
    currency: str
    effective_at: datetime


class Booked(NamedTuple):
    """What the ledger already holds in a slot."""

    amount_cents: int
    entry_count: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One immutable row to book; a negative amount takes back what was booked in the slot before."""

    slot: Slot
    correction: int
    amount_cents: int

    @property
    def effect_cents(self) -> int:
        """Return what the entry does to the order's net revenue."""
        return EFFECT_SIGNS[self.slot.kind] * self.amount_cents

    def key(self, order_id: str) -> tuple[str, ...]:
        """Return the canonical key that the entry's id is made of."""
        kind, reference, currency, effective_at = self.slot
        return ("entry", order_id, kind, reference, currency, effective_at.isoformat(), str(self.correction))


class _Movement(NamedTuple):
    """A fact once repetitions and running totals are resolved."""

    authority: Authority
    payment_key: str
    told_as: FactKind
    slot: Slot
    amount_cents: int


def targets(facts: Iterable[Fact]) -> dict[Slot, int]:
    """Return what the entries of one order must add up to, given every fact told of it."""
    movements = _withdrawn_once(list(_movements(list(facts))))
    wanted: dict[Slot, int] = defaultdict(int)
    for kind in EFFECT_SIGNS:
        of_kind = [movement for movement in movements if movement.slot.kind == kind]
        by_shop = [movement for movement in of_kind if movement.authority == "shop"]
        by_processor = [movement for movement in of_kind if movement.authority == "processor"]
        both = kind in _TOLD_BY_BOTH and bool(by_shop) and bool(by_processor)
        for movement in by_shop if both else of_kind:
            wanted[movement.slot] += movement.amount_cents
        if both:
            for slot, amount_cents in _adjustments(kind, by_shop, by_processor):
                wanted[slot] += amount_cents
    return {slot: amount_cents for slot, amount_cents in wanted.items() if amount_cents}


def differences(wanted: Mapping[Slot, int], booked: Mapping[Slot, Booked]) -> list[Entry]:
    """Return the entries that bring what is booked to what is wanted, in a fixed order."""
    entries = []
    for slot in sorted(wanted.keys() | booked.keys()):
        already = booked.get(slot, Booked(0, 0))
        missing_cents = wanted.get(slot, 0) - already.amount_cents
        if missing_cents:
            entries.append(Entry(slot, already.entry_count, missing_cents))
    return entries


def _movements(facts: Sequence[Fact]) -> Iterable[_Movement]:
    def telling(fact: Fact) -> tuple[str, ...]:
        total = "total" if fact.cumulative else "single"
        return (fact.authority, fact.source, fact.order_key, fact.kind, fact.reference, fact.currency, total)

    shown_at = _last_snapshots(facts)
    for _, group in groupby(sorted(facts, key=telling), key=telling):
        told = list(group)
        if told[0].cumulative:
            yield from _increments(told)
        elif max(fact.told_at for fact in told) >= shown_at.get(
            (told[0].source, told[0].order_key), _EARLIEST
        ):
            yield _latest(told)


def _last_snapshots(facts: Sequence[Fact]) -> dict[tuple[str, str], datetime]:
    """Return when each source that shows whole orders showed this one last.

    Of snapshots of one second none is the last: what any of them shows stands.
    """
    shown_at: dict[tuple[str, str], datetime] = {}
    for fact in facts:
        if fact.source in SNAPSHOT_SOURCES:
            order = (fact.source, fact.order_key)
            shown_at[order] = max(fact.told_at, shown_at.get(order, _EARLIEST))
    return shown_at


def _withdrawn_once(movements: list[_Movement]) -> list[_Movement]:
    """Leave one telling of each withdrawal: of disputes a processor's word alone, where there is one.

    Of a payment's withdrawals a processor may tell twice, by disputes and by reversals that come from the
    same claims and do not name each other. Each adds up to what it knows of; who tells of more is believed,
    and with equal totals the disputes are, for they know how they ended.
    """
    totals: dict[tuple[str, str, str], int] = defaultdict(int)
    for movement in movements:
        totals[movement.told_as, movement.payment_key, movement.slot.currency] += movement.amount_cents
    by_processor = any(_is_dispute(told) and told.authority == "processor" for told in movements)

    def is_counted(movement: _Movement) -> bool:
        if by_processor and movement.authority == "shop" and _is_dispute(movement):
            return False
        disputed, reverted = (
            totals[kind, movement.payment_key, movement.slot.currency] for kind in ("disputed", "reversed")
        )
        is_second_telling = {"disputed": disputed < reverted, "reversed": reverted <= disputed}
        return not is_second_telling.get(movement.told_as, False)

    return [movement for movement in movements if is_counted(movement)]


def _is_dispute(movement: _Movement) -> bool:
    return movement.slot.kind in ("disputed", "dispute_reversed")


def _latest(told: list[Fact]) -> _Movement:
    """Resolve several tellings of one fact: the amount told last, the first instant it came to anything."""
    last = max(told, key=lambda fact: (fact.told_at, fact.amount_cents))
    effective = [fact.effective_at for fact in told if fact.amount_cents]
    return _movement(last, min(effective, default=last.effective_at), last.amount_cents)


def _increments(told: list[Fact]) -> Iterable[_Movement]:
    """Turn totals so far into what each added; a total below an earlier one is old news."""
    highest_cents = 0
    for fact in sorted(told, key=lambda fact: (fact.effective_at, fact.amount_cents)):
        if fact.amount_cents > highest_cents:
            yield _movement(fact, fact.effective_at, fact.amount_cents - highest_cents)
            highest_cents = fact.amount_cents


def _movement(fact: Fact, effective_at: datetime, amount_cents: int) -> _Movement:
    kind: EntryKind = "disputed" if fact.kind == "reversed" else fact.kind
    slot = Slot(kind, fact.reference, fact.currency, effective_at)
    return _Movement(fact.authority, fact.order_key, fact.kind, slot, amount_cents)


def _adjustments(
    kind: EntryKind, by_shop: list[_Movement], by_processor: list[_Movement]
) -> Iterable[tuple[Slot, int]]:
    """Correct the shop's total of a kind to the processor's, per currency.

    A refund that the shop tells after the processor's last one has not reached the processor's word
    yet: until it does, the larger total holds.
    """
    latest = max(movement.slot.effective_at for movement in by_processor)
    shop_is_ahead = kind == "refunded" and max(movement.slot.effective_at for movement in by_shop) > latest
    shop, processor = _totals(by_shop), _totals(by_processor)
    for currency in sorted(shop.keys() | processor.keys()):
        shop_cents, settled_cents = shop.get(currency, 0), processor.get(currency, 0)
        if shop_is_ahead and currency in processor:
            settled_cents = max(shop_cents, settled_cents)
        yield Slot("adjusted", kind, currency, latest), EFFECT_SIGNS[kind] * (settled_cents - shop_cents)


def _totals(movements: list[_Movement]) -> dict[str, int]:
    totals: dict[str, int] = defaultdict(int)
    for movement in movements:
        totals[movement.slot.currency] += movement.amount_cents
    return totals
