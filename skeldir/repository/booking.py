"""Books what an event tells, in the caller's transaction: facts, entries, orders, touches, dirty marks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from skeldir.domain.channels import classify
from skeldir.domain.facts import CanonicalEvent, Fact
from skeldir.domain.journeys import Touch
from skeldir.domain.ledger import Entry, differences, targets
from skeldir.domain.orders import Order, claim_of, settle
from skeldir.repository import dirty_marks, facts, hinted_touches, ledger, order_links, orders
from skeldir.repository.ledger import Cause
from skeldir.repository.order_links import Links


@dataclass(frozen=True, slots=True)
class _Scope:
    """The orders that an event can change, all locked; payments not linked are orders of their own."""

    order_ids: Sequence[str]
    linked: Mapping[str, str]
    """The order that each linked payment paid."""

    def order_of(self, key: str | None) -> str | None:
        """Return the order that a shop's or processor's key stands for."""
        return None if key is None else self.linked.get(key, key)


@dataclass(frozen=True, slots=True)
class _Turn:
    """Orders before and after an event; an order with nothing told of it any more is only before."""

    before: Mapping[str, Order]
    now: Mapping[str, Order]


@dataclass(frozen=True, slots=True)
class Booking:
    """What an event did to the ledger, and whether there is something to attribute anew."""

    entries: Sequence[Entry]
    is_dirty: bool


def book(session: Session, cause: Cause, event: CanonicalEvent, lookback: timedelta) -> bool:
    """Book an event; True when there is something to attribute anew.

    Booking it again, or again without the facts that it told before, changes nothing.
    """
    return tell(session, cause, event, lookback).is_dirty


def tell(session: Session, cause: Cause, event: CanonicalEvent, lookback: timedelta) -> Booking:
    """Book an event as `book` does, and tell which entries it took."""
    if event.order_key is None:
        return Booking((), is_dirty=False)
    scope = _lock(session, cause, event)
    facts.add(session, cause.tenant_id, cause.event_id, event.facts)
    told = facts.of_orders(session, scope.order_ids)
    held = ledger.booked(session, scope.order_ids)
    entries = {
        order_id: differences(targets(told[order_id]), held.get(order_id, {})) for order_id in scope.order_ids
    }
    ledger.add(session, cause, entries)

    before = orders.get(session, scope.order_ids)
    turn = _Turn(before, _settled(event, scope, told, before))
    orders.put(session, [order for order in turn.now.values() if order != before.get(order.order_id)])
    touches = _touches(session, cause, event, scope, turn)
    added = hinted_touches.add(session, cause.tenant_id, touches, lookback)
    dirty = _dirty(entries, turn, added)
    dirty_marks.mark(session, dirty)
    return Booking([entry for booked in entries.values() for entry in booked], is_dirty=bool(dirty))


def _settled(
    event: CanonicalEvent, scope: _Scope, told: Mapping[str, Sequence[Fact]], before: Mapping[str, Order]
) -> dict[str, Order]:
    """Derive each order of which something is told from everything that is told of it."""
    claim = claim_of(event)
    settled = {}
    for order_id in scope.order_ids:
        if told[order_id]:
            claims = [order.claim for order in _same(before, scope, order_id) if order.claim.told_at]
            own = [claim] if claim and scope.order_of(event.order_key) == order_id else []
            settled[order_id] = settle(order_id, told[order_id], [*claims, *own])
    return settled


def _lock(session: Session, cause: Cause, event: CanonicalEvent) -> _Scope:
    """Lock the event's payments, link them, then lock the orders they belong to, and those they are alone.

    A payment stands as an order of its own while no link is known, and somebody's link may name it as one.
    """
    own = {event.order_key} if event.order_key else set()
    payments = {link.payment_key for link in event.links} | (own if event.authority == "processor" else set())
    linked = Links({}, frozenset())
    if payments:
        ledger.lock(session, cause.tenant_id, "payment", payments)
        order_links.add(session, cause.event_id, event.authority, event.links)
        linked = order_links.of_payments(session, sorted(payments))
    orders_changed = payments | own | linked.order_ids
    ledger.lock(session, cause.tenant_id, "order", orders_changed)
    return _Scope(sorted(orders_changed), linked.best)


def _same(known: Mapping[str, Order], scope: _Scope, order_id: str) -> list[Order]:
    """Return what is known of an order under its own id and under its payments' keys."""
    return [order for order in known.values() if order_id in (order.order_id, scope.order_of(order.order_id))]


def _touches(
    session: Session, cause: Cause, event: CanonicalEvent, scope: _Scope, turn: _Turn
) -> list[Touch]:
    """Return the touches that the orders' hints stand for, at the orders' times."""
    touches = []
    for order_id, now in turn.now.items():
        former = [
            order
            for order in _same(turn.before, scope, order_id)
            if order.claim.told_at and _standing(order) != _standing(now)
            if order.claim.is_made_up or order.claim.journey_id == now.claim.journey_id
        ]
        if former:
            touches += hinted_touches.moved(session, former, now)
        if event.hints.names_origin and scope.order_of(event.order_key) == order_id:
            touches.append(_touch(cause, event, now))
    return touches


def _standing(order: Order) -> tuple[str, datetime]:
    return order.claim.journey_id, order.ordered_at


def _touch(cause: Cause, event: CanonicalEvent, order: Order) -> Touch:
    hints = event.hints
    return Touch(
        touchpoint_id=cause.event_id,
        journey_id=hints.journey or order.claim.journey_id,
        occurred_at=order.ordered_at,
        channel_code=classify(utm_source=hints.utm_source, utm_medium=hints.utm_medium),
        campaign_id=hints.utm_campaign or "",
        source=hints.utm_source,
        medium=hints.utm_medium,
        session_id=hints.session_id,
        event_id=cause.event_id,
    )


def _dirty(
    entries: Mapping[str, Sequence[Entry]], turn: _Turn, touches: Iterable[Touch]
) -> dict[str, datetime]:
    """Return the journeys to attribute anew, each with the earliest instant that changed."""
    instants: dict[str, list[datetime]] = defaultdict(list)
    for order_id, booked in entries.items():
        before, now = turn.before.get(order_id), turn.now.get(order_id)
        order = now or before
        if order and booked:
            effective = [entry.slot.effective_at for entry in booked]
            instants[order.claim.journey_id] += [order.ordered_at, *effective]
        if now and now != before:
            for changed in filter(None, (before, now)):
                instants[changed.claim.journey_id].append(changed.ordered_at)
    for touch in touches:
        instants[touch.journey_id].append(touch.occurred_at)
    return {journey_id: min(found) for journey_id, found in instants.items()}
