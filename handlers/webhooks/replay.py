"""Replays dead letters: what was kept takes the way of a new delivery, for good or only to see.

Each dead letter is booked in a transaction of its own, since two that touch the same orders in
another order than the ingress would wait for each other. Only a dry run books several in one: its
figures are those of all together, it gives way to whoever books in earnest, and it is taken back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from handlers.webhooks import intake
from handlers.webhooks.contracts import contract_digest
from skeldir.db.faults import may_be_repeated
from skeldir.db.session import tenant_session
from skeldir.domain.errors import DeadLetterResolved, NotFound, PayloadNotKept, ReplayInProgress
from skeldir.domain.ids import fact_id, uuid7
from skeldir.domain.ledger import Entry
from skeldir.domain.refusals import PII_REFUSED, Refusal
from skeldir.repository import (
    booking,
    dead_letter_attempts,
    dead_letters,
    deliveries,
    ledger,
    pii_wall,
)
from skeldir.repository.dead_letter_attempts import Attempt
from skeldir.repository.dead_letters import DeadLetter, Status
from skeldir.repository.deliveries import Outcome
from skeldir.repository.ledger import Cause
from skeldir.vendors.kept import Kept, read_again

Result = TypeVar("Result")

TRIES: Final = 3
REPLAYED: Final = "booked by a replay"
WAITING: Final[tuple[Status, ...]] = ("pending", "abandoned")


@dataclass(frozen=True, slots=True)
class Actor:
    """Whose replay it is."""

    tenant_id: UUID
    user_id: UUID | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a dead letter: its event and entries, or why there still are none."""

    dead_letter_id: UUID
    event_id: UUID
    refusal: Refusal | None = None
    entries: Sequence[Entry] = ()


def take(session: Session, dead_letter_id: UUID, at: datetime) -> DeadLetter:
    """Take a dead letter to replay it; raises what stands against it."""
    letter = dead_letters.take(session, dead_letter_id, WAITING, at)
    if letter is None:
        refuse(dead_letters.get(session, dead_letter_id))
        raise ReplayInProgress
    refuse(letter)
    return letter


def refuse(letter: DeadLetter | None) -> None:
    """Raise what stands against replaying a dead letter, as it is."""
    if letter is None:
        raise NotFound("There is no such dead letter.")
    if letter.status == "resolved":
        raise DeadLetterResolved
    if letter.payload is None:
        raise PayloadNotKept


def replay(session: Session, actor: Actor, letter: DeadLetter, at: datetime) -> Replayed:
    """Book a dead letter that was taken, or put it back with its new reason."""
    done, is_dirty = _book(session, actor, letter)
    if done.refusal is None:
        dead_letters.resolve(session, letter.dead_letter_id, REPLAYED, at)
    else:
        dead_letters.fail(session, letter.dead_letter_id, done.refusal, contract_digest(letter.vendor))
        _settle(session, letter, done.refusal)
    dead_letter_attempts.add(session, [_attempt(actor, done, at, is_dry_run=False)])
    if is_dirty:
        intake.wake_up(session, actor.tenant_id)
    return done


def rehearse(session: Session, actor: Actor, letter_ids: Sequence[UUID], at: datetime) -> list[Replayed]:
    """Book dead letters together to see what that does, and take it back; taken ones are left out."""
    ledger.give_way(session)
    trial = session.begin_nested()
    taken = [dead_letters.take(session, letter_id, WAITING, at) for letter_id in letter_ids]
    done = [_book(session, actor, letter)[0] for letter in taken if letter is not None]
    trial.rollback()
    dead_letter_attempts.add(session, [_attempt(actor, one, at, is_dry_run=True) for one in done])
    return done


def replay_each(actor: Actor, letter_ids: Sequence[UUID]) -> list[Replayed]:
    """Replay each in its own transaction; those that somebody else has taken, or replayed, are left out."""
    done = [_in_own_transaction(actor, partial(_one, actor, letter_id)) for letter_id in letter_ids]
    return [one for one in done if one is not None]


def rehearse_all(actor: Actor, letter_ids: Sequence[UUID]) -> list[Replayed]:
    """Rehearse dead letters together, in a transaction of their own."""
    return _in_own_transaction(actor, lambda session: rehearse(session, actor, letter_ids, intake.now()))


def _one(actor: Actor, dead_letter_id: UUID, session: Session) -> Replayed | None:
    at = intake.now()
    letter = dead_letters.take(session, dead_letter_id, ("pending",), at)
    return None if letter is None else replay(session, actor, letter, at)


def _in_own_transaction(actor: Actor, work: Callable[[Session], Result]) -> Result:
    """Do work in a transaction, anew where it only met another one at the wrong moment."""
    tries = TRIES
    while True:
        try:
            with tenant_session(actor.tenant_id) as session:
                return work(session)
        except Exception as error:  # raised again, unless another try may help
            tries -= 1
            if tries == 0 or not may_be_repeated(error):
                raise


def _book(session: Session, actor: Actor, letter: DeadLetter) -> tuple[Replayed, bool]:
    """Book a dead letter as the ingress would have, under the same ids; True when that dirtied something."""
    letter_id = letter.dead_letter_id
    event_id = letter.event_id or fact_id(actor.tenant_id, "event", "dead_letter", str(letter_id))
    try:
        event = read_again(_kept(letter))
        with session.begin_nested():
            cause = Cause(actor.tenant_id, event_id, letter.vendor)
            booked = booking.book(session, cause, event, received_at=letter.received_at)
            if letter.delivery_id is not None:
                outcome: Outcome = "booked" if event.facts else "recorded"
                deliveries.settle(session, letter.delivery_id, outcome, event_id=event_id)
    except Refusal as refusal:
        return Replayed(letter_id, event_id, refusal), False
    except pii_wall.ERRORS as error:
        if not pii_wall.is_refusal(error):
            raise
        return Replayed(letter_id, event_id, Refusal(PII_REFUSED)), False
    return Replayed(letter_id, event_id, None, booked.entries), booked.is_dirty


def _kept(letter: DeadLetter) -> Kept:
    return Kept(letter.vendor, letter.topic, letter.payload or {}, letter.vendor_event_id, letter.received_at)


def _settle(session: Session, letter: DeadLetter, refusal: Refusal) -> None:
    if letter.delivery_id is not None:
        deliveries.settle(
            session,
            letter.delivery_id,
            "dead_lettered",
            reason_code=refusal.reason_code,
            reason_field=refusal.field,
        )


def _attempt(actor: Actor, done: Replayed, at: datetime, *, is_dry_run: bool) -> Attempt:
    refusal = done.refusal
    return Attempt(
        attempt_id=uuid7(),
        dead_letter_id=done.dead_letter_id,
        attempted_at=at,
        user_id=actor.user_id,
        is_dry_run=is_dry_run,
        outcome="still_failing" if refusal else "resolved",
        reason_code=refusal.reason_code if refusal else None,
        reason_field=refusal.field if refusal else None,
    )
