"""One authentic delivery on its way in, whoever the vendor: book it, or keep it as a dead letter.

Whatever it says, it is answered with a receipt: vendors stop delivering to addresses that keep refusing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from generated.models.common_deliveries import DeliveryReceipt
from handlers.webhooks.authentication import Sender
from handlers.webhooks.contracts import contract_digest
from skeldir.db.session import tenant_session, tenant_transaction
from skeldir.db.statements import Work
from skeldir.domain.errors import Unavailable
from skeldir.domain.facts import CanonicalEvent
from skeldir.domain.ids import fact_id
from skeldir.domain.pii_trail import NOTHING_PERSONAL, Trail
from skeldir.domain.refusals import INVALID_JSON, PII_REFUSED, TENANT_SUSPENDED, Refusal
from skeldir.http.json_text import UnreadableJson, read_json
from skeldir.queue.messages import attribute_marked, fulfil_privacy_requests
from skeldir.queue.sending import enqueue, send_after_commit
from skeldir.repository import booking, dead_letters, deliveries, endpoints, erasures, pii_wall
from skeldir.repository.booking import Booking, DeliveredBefore, Receipt
from skeldir.repository.dead_letters import DeadLetter
from skeldir.repository.deliveries import Delivery
from skeldir.repository.endpoints import Endpoint, EndpointChanged, Vendor
from skeldir.repository.ledger import Cause
from skeldir.settings import get_settings
from skeldir.vendors.kept import keys_in, without_labels

UNKNOWN_TOPIC: Final = "unknown"
TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Parcel:
    """An authentic delivery, read: what makes it the same one again, what may be kept, what it means."""

    vendor: Vendor
    identity: str
    topic: str
    stored: Mapping[str, Any]
    told: CanonicalEvent | Refusal
    trail: Trail = NOTHING_PERSONAL
    vendor_event_id: str | None = None
    """The event's id where only a header tells it."""


def now() -> datetime:
    """Return the time; tests put another clock here."""
    return datetime.now(UTC)


def parse(body: bytes) -> object:
    """Read a body as JSON; raises Refusal, also where it is nested too deep or holds too large a number."""
    try:
        parsed: object = read_json(body)
    except UnreadableJson:
        raise Refusal(INVALID_JSON) from None
    return parsed


def accept(sender: Sender, parcel: Parcel) -> DeliveryReceipt:
    """Book a delivery, or keep it as a dead letter; a repeated one gets its first receipt."""
    endpoint = sender.endpoint
    for _ in range(TRIES):
        try:
            return _accept(endpoint, parcel)
        except EndpointChanged:
            endpoint = sender.look_up()
    raise Unavailable("The endpoint is being changed.")


def _accept(endpoint: Endpoint, parcel: Parcel) -> DeliveryReceipt:
    """Quarantine what a suspended tenant is sent if nothing else is wrong with it: it can be booked later."""
    if isinstance(parcel.told, Refusal):
        return _bury(endpoint, parcel, parcel.told)
    try:
        if endpoint.is_suspended:
            return _bury_with(endpoint, parcel, Refusal(TENANT_SUSPENDED), parcel.stored)
        return _book(endpoint, parcel, parcel.told)
    except pii_wall.ERRORS as error:
        if not pii_wall.is_refusal(error):
            raise
        return _bury(endpoint, replace(_refused(parcel, error), stored={}), Refusal(PII_REFUSED))


def _book(endpoint: Endpoint, parcel: Parcel, event: CanonicalEvent) -> DeliveryReceipt:
    """Store the delivery, its event, facts, entries and marks in one transaction."""
    tenant_id, event_id = endpoint.tenant_id, _id(endpoint, "event", parcel)
    delivery = Delivery(
        delivery_id=_id(endpoint, "delivery", parcel),
        endpoint_id=endpoint.endpoint_id,
        vendor=parcel.vendor,
        topic=parcel.topic,
        outcome="booked" if event.facts else "recorded",
        event_id=event_id,
        personal_data=parcel.trail.told(),
        received_at=now(),
    )
    receipt = _receipt(delivery)
    cause, words = Cause(tenant_id, event_id, parcel.vendor), receipt.model_dump(mode="json")
    try:
        with tenant_transaction(tenant_id, locks=booking.first_locks(tenant_id, event)) as transaction:
            at, told = delivery.received_at, Receipt(delivery, words, endpoint)
            booked = booking.book(transaction, cause, event, received_at=at, receipt=told)
            _announce(transaction, cause, event, booked)
    except DeliveredBefore:
        return _book_again(cause, delivery, event)
    return receipt


def _book_again(cause: Cause, delivery: Delivery, event: CanonicalEvent) -> DeliveryReceipt:
    """Book what a repeated delivery may add; its answer is the first one's."""
    with tenant_session(cause.tenant_id) as session:
        receipt = DeliveryReceipt.model_validate(deliveries.first_receipt(session, delivery.delivery_id))
        news = _news(event, receipt)
        _announce(session, cause, news, booking.book(session, cause, news))
        # Last, as the first delivery came last: who holds it waits for no order.
        deliveries.repeat(session, delivery.delivery_id, delivery.received_at)
    return receipt


def _news(event: CanonicalEvent, receipt: DeliveryReceipt) -> CanonicalEvent:
    """Return what a repeated delivery may add: hints and links that the first one lacked, never money.

    A privacy request is asked again: a shop that came back can leave again with the very same words.
    """
    if receipt.outcome == "dead_lettered":
        return replace(event, order_key=None, facts=(), privacy=None)
    if not (event.links or event.hints.journey or event.hints.names_origin):
        return replace(event, order_key=None, facts=())
    return replace(event, facts=())


def _announce(work: Work, cause: Cause, event: CanonicalEvent, booked: Booking) -> None:
    """Send for workers to do, once the transaction is committed, what follows from an event."""
    if booked.is_dirty:
        wake_up(work, cause.tenant_id)
    if event.privacy is not None:
        enqueue(work, fulfil_privacy_requests(tenant_id=cause.tenant_id))


def wake_up(work: Work, tenant_id: UUID) -> None:
    """Wake a worker once the transaction is committed; the sweep makes up for a lost wake-up."""
    rest = get_settings().attribution_debounce_seconds
    message = attribute_marked(tenant_id=tenant_id, delay_seconds=rest)
    send_after_commit(work, message, at_most_every_seconds=rest)


def _bury(endpoint: Endpoint, parcel: Parcel, refusal: Refusal) -> DeliveryReceipt:
    """Keep what may be kept of a delivery that cannot be booked, and say why."""
    try:
        return _bury_with(endpoint, parcel, refusal, parcel.stored or None)
    except pii_wall.ERRORS as error:
        if not pii_wall.is_refusal(error):
            raise
        return _bury_with(endpoint, _refused(parcel, error), refusal, None)


def _refused(parcel: Parcel, error: Exception) -> Parcel:
    """Add to a delivery's trail where the database's wall found something."""
    return replace(parcel, trail=replace(parcel.trail, refused=pii_wall.refused_path(error)))


def _bury_with(
    endpoint: Endpoint, parcel: Parcel, refusal: Refusal, payload: Mapping[str, Any] | None
) -> DeliveryReceipt:
    delivery = Delivery(
        delivery_id=_id(endpoint, "delivery", parcel),
        endpoint_id=endpoint.endpoint_id,
        vendor=parcel.vendor,
        topic=parcel.topic,
        outcome="dead_lettered",
        dead_letter_id=_id(endpoint, "dead_letter", parcel),
        reason_code=refusal.reason_code,
        reason_field=refusal.field,
        personal_data=parcel.trail.told(),
        received_at=now(),
    )
    letter = DeadLetter(
        dead_letter_id=_id(endpoint, "dead_letter", parcel),
        delivery_id=delivery.delivery_id,
        vendor=parcel.vendor,
        topic=parcel.topic,
        reason_code=refusal.reason_code,
        reason_field=refusal.field,
        payload=payload,
        received_at=delivery.received_at,
        event_id=_id(endpoint, "event", parcel),
        vendor_event_id=parcel.vendor_event_id,
        contract_digest=contract_digest(parcel.vendor),
    )
    receipt = _receipt(delivery)
    with tenant_session(endpoint.tenant_id) as session:
        endpoints.confirm(session, endpoint)
        if not deliveries.claim(session, delivery, receipt.model_dump(mode="json")):
            deliveries.repeat(session, delivery.delivery_id, delivery.received_at)
            return DeliveryReceipt.model_validate(deliveries.first_receipt(session, delivery.delivery_id))
        if payload and erasures.is_erased(session, keys_in(payload)):
            letter = replace(letter, payload=without_labels(payload))
        dead_letters.add(session, letter)
    return receipt


def _id(endpoint: Endpoint, what: str, parcel: Parcel) -> UUID:
    return fact_id(endpoint.tenant_id, what, parcel.vendor, parcel.identity)


def _receipt(delivery: Delivery) -> DeliveryReceipt:
    told = {
        "event_id": delivery.event_id,
        "dead_letter_id": delivery.dead_letter_id,
        "reason_code": delivery.reason_code,
        "reason_field": delivery.reason_field,
    }
    given = {name: value for name, value in told.items() if value is not None}
    fixed = {"received": True, "delivery_id": delivery.delivery_id, "outcome": delivery.outcome}
    return DeliveryReceipt.model_validate(fixed | given)
