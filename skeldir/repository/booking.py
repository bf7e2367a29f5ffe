"""Books what an event tells, in the caller's transaction: facts, hints, entries, orders, dirty marks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from skeldir.domain.facts import CanonicalEvent, Fact
from skeldir.domain.ledger import Entry, differences, targets
from skeldir.domain.orders import Order, OrderHint, hint_of, settle
from skeldir.repository import dirty_marks, facts, ledger, order_hints, orders, payments
from skeldir.repository.ledger import Cause


@dataclass(frozen=True, slots=True)
class _Scope:
    """The orders that an event can change, all locked; payments not linked are orders of their own."""

    order_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Turn:
    """Orders before and after an event."""

    before: Mapping[str, Order]
    now: Mapping[str, Order]


@dataclass(frozen=True, slots=True)
class Booking:
    """What an event did to the ledger, and whether there is something to attribute anew."""

    entries: Sequence[Entry]
    is_dirty: bool


def book(session: Session, cause: Cause, event: CanonicalEvent) -> bool:
    """Book an event; True when there is something to attribute anew.

    Booking it again, or again without the facts that it told before, changes nothing.
    """
    return tell(session, cause, event).is_dirty


def tell(session: Session, cause: Cause, event: CanonicalEvent) -> Booking:
    """Book an event as `book` does, and tell which entries it took."""
    if event.order_key is None:
        return Booking((), is_dirty=False)
    scope = _lock(session, cause, event)
    facts.add(session, cause.tenant_id, cause.event_id, event.facts)
    hint = hint_of(event)
    if hint is not None:
        order_hints.add(session, cause.tenant_id, cause.event_id, hint)
    tellers = payments.of_orders(session, scope.order_ids)
    told = facts.of_orders(session, tellers)
    held = ledger.booked(session, scope.order_ids)
    entries = {
        order_id: differences(targets(told.get(order_id, ())), held.get(order_id, {}))
        for order_id in scope.order_ids
    }
    ledger.add(session, cause, entries)

    before = orders.get(session, scope.order_ids)
    turn = _Turn(before, _settled(told, order_hints.of_orders(session, tellers), scope, before))
    changed = [order for order in turn.now.values() if order != before.get(order.order_id)]
    orders.put(session, cause.tenant_id, changed)
    dirty = _dirty(entries, turn)
    dirty_marks.mark(session, dirty)
    return Booking([entry for booked in entries.values() for entry in booked], is_dirty=bool(dirty))


def _settled(
    told: Mapping[str, Sequence[Fact]],
    hints: Mapping[str, Sequence[OrderHint]],
    scope: _Scope,
    before: Mapping[str, Order],
) -> dict[str, Order]:
    """Derive each order from all that is told of it; one that lost its facts to another hints at nothing."""
    settled = {order_id: replace(order, origin=None) for order_id, order in before.items()}
    for order_id in scope.order_ids:
        if told.get(order_id):
            settled[order_id] = settle(order_id, told[order_id], hints.get(order_id, ()))
    return settled


def _lock(session: Session, cause: Cause, event: CanonicalEvent) -> _Scope:
    """Lock the names that the event uses, then their payments, then the orders these may belong to.

    Whoever adds a name to a payment, or a link to any of its names, holds the payment's lock. A payment
    stands as an order of its own while no link is known, and somebody's link may name it as one.
    """
    own = {event.order_key} if event.order_key else set()
    names = {link.payment_key for link in event.links} | (own if event.authority == "processor" else set())
    names |= {key for told in event.aliases for key in (told.alias, told.payment_key)}
    orders_changed = own
    if names:
        ledger.lock(session, cause.tenant_id, "name", names)
        known = payments.name(session, cause.event_id, event.aliases, names)
        ledger.lock(session, cause.tenant_id, "payment", known)
        orders_changed = own | payments.link(session, cause.event_id, event, known)
    ledger.lock(session, cause.tenant_id, "order", orders_changed)
    return _Scope(sorted(orders_changed))


def _dirty(entries: Mapping[str, Sequence[Entry]], turn: _Turn) -> dict[str, datetime]:
    """Return the journeys to attribute anew, each with the earliest instant that changed."""
    instants: dict[str, list[datetime]] = defaultdict(list)
    for order_id, booked in entries.items():
        before, now = turn.before.get(order_id), turn.now.get(order_id)
        order = now or before
        if order and booked:
            effective = [entry.slot.effective_at for entry in booked]
            instants[order.journey_id] += [order.ordered_at, *effective]
        if now and now != before:
            for changed in filter(None, (before, now)):
                instants[changed.journey_id].append(changed.ordered_at)
    return {journey_id: min(found) for journey_id, found in instants.items()}
