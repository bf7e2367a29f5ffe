"""Books what an event tells, in the caller's transaction: facts, hints, entries, orders, dirty marks.

Two statements in all: what is told, answered by what is known then, and what follows from it. Both are put
together from the parts that the tables' own modules hold.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from skeldir.db.statements import SENT, Work, finish, send_document
from skeldir.db.transaction import Transaction
from skeldir.domain.facts import CanonicalEvent, Fact
from skeldir.domain.ledger import Booked, Entry, Slot, differences, targets
from skeldir.domain.orders import Order, OrderHint, hint_of, settle
from skeldir.repository import (
    deliveries,
    dirty_marks,
    endpoints,
    erasures,
    events,
    facts,
    ledger,
    order_hints,
    orders,
    payments,
    privacy_requests,
)
from skeldir.repository.deliveries import Delivery
from skeldir.repository.endpoints import Endpoint, EndpointChanged
from skeldir.repository.ledger import Cause

# What is told is kept only if its delivery, where there is one, is a new one to the endpoint that is told; of
# an erased order without what could lead to its person. The answer is all that is known then of the orders.
_TELL: Final = f"""
    WITH {SENT},
    same AS ({endpoints.SAME}),
    claimed AS ({deliveries.CLAIM}),
    given AS (
        SELECT {erasures.FORGETTING} AS document FROM sent
         WHERE jsonb_array_length(document -> 'deliveries') = (SELECT count(*) FROM claimed)
    ),
    event AS ({events.INSERT}),
    fact AS ({facts.INSERT}),
    hint AS ({order_hints.INSERT}),
    asked AS MATERIALIZED (SELECT jsonb_array_elements_text(document -> 'order_keys') AS order_id FROM sent),
    {payments.OF_ORDERS}
    SELECT (SELECT count(*) FROM given), (SELECT count(*) FROM same), CAST(json_build_array(
        ARRAY({payments.ALIASES}), ARRAY({payments.CLAIMS}), ARRAY({facts.OF_KEYS}),
        ARRAY({order_hints.OF_KEYS}), ARRAY({ledger.BOOKED}), ARRAY({orders.OF_ORDERS}),
        ARRAY({erasures.OF_KEYS})
    ) AS text)
"""  # noqa: S608 - constants of the repository

_BOOK: Final = f"""
    WITH {SENT},
    entry AS ({ledger.INSERT}),
    told AS ({orders.INSERT})
    {dirty_marks.INSERT}
"""


class DeliveredBefore(Exception):
    """The delivery is not a new one; nothing of it was kept now."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A new delivery, and what its sender is told."""

    delivery: Delivery
    words: Mapping[str, Any]
    endpoint: Endpoint
    """To which it came, as somebody looked it up before."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What an event did to the ledger, and whether there is something to attribute anew."""

    entries: Sequence[Entry]
    is_dirty: bool


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is known of the orders that an event can change, what it tells included."""

    facts: Mapping[str, Sequence[Fact]]
    booked: Mapping[str, Mapping[Slot, Booked]]
    orders: Mapping[str, Order]
    hints: Mapping[str, Sequence[OrderHint]]
    erased: frozenset[str] = frozenset()


def book(
    work: Work,
    cause: Cause,
    event: CanonicalEvent,
    *,
    received_at: datetime | None = None,
    receipt: Receipt | None = None,
) -> Booking:
    """Book an event; with the instant of its receipt keep the event too, and its delivery if it came by one.

    Booking it again, or again without the facts that it told before, changes nothing. Raises
    DeliveredBefore for a delivery that is known, and EndpointChanged; roll back then. A Transaction
    must have begun with `first_locks`, and ends with this.
    """
    scope = _lock(work, cause, event)
    told = _told(cause, event, received_at=received_at, receipt=receipt)
    known = _tell(work, told, scope)
    if event.privacy is not None:
        privacy_requests.add(work, cause, event)
    entries = {
        order_id: differences(targets(known.facts.get(order_id, ())), known.booked.get(order_id, {}))
        for order_id in scope
    }
    now = _settled(known, scope)
    dirty = _dirty(entries, known.orders, now)
    changed = [order for order in now.values() if order != known.orders.get(order.order_id)]
    if dirty or changed or any(entries.values()):
        document = {
            "entries": ledger.rows(cause, entries),
            "orders": orders.rows(cause.tenant_id, changed),
            "marks": dirty_marks.rows(dirty),
        }
        finish(work, _BOOK, document)
    return Booking([entry for booked in entries.values() for entry in booked], is_dirty=bool(dirty))


def first_locks(tenant_id: UUID, event: CanonicalEvent) -> list[int]:
    """Return the first locks that booking an event takes, so that its transaction can begin with them."""
    if event.order_key is None:
        return []
    names = _names(event)
    return ledger.lock_numbers(tenant_id, "name" if names else "order", names or {event.order_key})


def _names(event: CanonicalEvent) -> set[str]:
    """Return the names of payments that an event uses."""
    own = {event.order_key} if event.order_key and event.authority == "processor" else set()
    linked = {link.payment_key for link in event.links}
    return own | linked | {key for told in event.aliases for key in (told.alias, told.payment_key)}


def _lock(work: Work, cause: Cause, event: CanonicalEvent) -> list[str]:
    """Lock the names that the event uses, then their payments, then the orders these may belong to.

    Whoever adds a name to a payment, or a link to any of its names, holds the payment's lock. A payment
    stands as an order of its own while no link is known, and somebody's link may name it as one.
    Returns the orders that the event can change.
    """
    if event.order_key is None:
        return []
    names, own = _names(event), {event.order_key}
    has_first = isinstance(work, Transaction)
    scope = own
    if names:
        if not has_first:
            ledger.lock(work, cause.tenant_id, "name", names)
        known = payments.name(work, cause.event_id, event.aliases, names)
        ledger.lock(work, cause.tenant_id, "payment", known)
        scope = own | payments.link(work, cause.event_id, event, known)
    if names or not has_first:
        ledger.lock(work, cause.tenant_id, "order", scope)
    return sorted(scope)


def _told(
    cause: Cause, event: CanonicalEvent, *, received_at: datetime | None, receipt: Receipt | None
) -> dict[str, list[dict[str, object]]]:
    return {
        "endpoints": [receipt.endpoint.row()] if receipt else [],
        "deliveries": [deliveries.row(receipt.delivery, receipt.words)] if receipt else [],
        "events": [events.row(cause.event_id, event, received_at)] if received_at else [],
        "facts": facts.rows(cause.tenant_id, cause.event_id, event.facts),
        "hints": order_hints.rows(cause.tenant_id, cause.event_id, hint_of(event)),
    }


def _tell(work: Work, told: Mapping[str, Sequence[object]], scope: Sequence[str]) -> _Known:
    """Tell what there is to tell; return what is known then of the orders that it may change."""
    given, same, known = send_document(work, _TELL, {**told, "order_keys": scope}) or (0, 0, "")
    if told["endpoints"] and not same:
        raise EndpointChanged
    if not given:
        raise DeliveredBefore
    return _read(known)


def _read(document: str) -> _Known:
    aliases, claims, told, hints, booked, found, erased = orjson.loads(document)
    paid = payments.settled(aliases, claims)
    return _Known(
        facts.by_order(told, paid),
        ledger.by_order(booked),
        orders.known(found),
        order_hints.by_order(hints, paid),
        frozenset(erased),
    )


def _settled(known: _Known, scope: Sequence[str]) -> dict[str, Order]:
    """Derive each order from all that is told of it; one that lost its facts to another hints at nothing.

    An erased order keeps its journey: a payment linked to it since may tell of the one it had.
    """
    settled = {order_id: replace(order, origin=None) for order_id, order in known.orders.items()}
    for order_id in scope:
        if told := known.facts.get(order_id):
            settled[order_id] = settle(order_id, told, known.hints.get(order_id, ()))
    for order_id in known.erased & known.orders.keys() & settled.keys():
        settled[order_id] = replace(settled[order_id], journey_id=known.orders[order_id].journey_id)
    return settled


def _dirty(
    entries: Mapping[str, Sequence[Entry]], before: Mapping[str, Order], now: Mapping[str, Order]
) -> dict[str, datetime]:
    """Return the journeys to attribute anew, each with the earliest instant that changed."""
    instants: dict[str, list[datetime]] = defaultdict(list)
    for order_id, booked in entries.items():
        order = now.get(order_id)
        if order and booked:
            effective = [entry.slot.effective_at for entry in booked]
            instants[order.journey_id] += [order.ordered_at, *effective]
        if order and order != before.get(order_id):
            for changed in filter(None, (before.get(order_id), order)):
                instants[changed.journey_id].append(changed.ordered_at)
    return {journey_id: min(found) for journey_id, found in instants.items()}
