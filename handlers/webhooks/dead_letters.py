"""The operations on dead letters of api-contracts/openapi/v1/webhooks/base.yaml."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from pydantic import MISSING, BaseModel

from generated.models import common_dead_letters as models
from handlers.webhooks import intake, replay
from handlers.webhooks.replay import Actor, Replayed
from skeldir.db.session import tenant_session
from skeldir.domain.errors import (
    DeadLetterAbandoned,
    DeadLetterResolved,
    FieldError,
    MalformedRequest,
    NotFound,
    ReplayInProgress,
    Unprocessable,
)
from skeldir.domain.ids import uuid7
from skeldir.domain.pii import personal_kind
from skeldir.domain.refusals import TENANT_SUSPENDED, ReasonCode
from skeldir.http.context import Context
from skeldir.http.cursors import make_cursor, read_cursor
from skeldir.repository import dead_letter_attempts, dead_letters
from skeldir.repository.dead_letter_attempts import Attempt
from skeldir.repository.dead_letters import DeadLetter, Filter, Lane, Place, Status
from skeldir.repository.endpoints import Vendor

Model = TypeVar("Model", bound=BaseModel)

ATTEMPTS_SHOWN: Final = 100


def list_dead_letters(
    ctx: Context,
    *,
    vendor: Vendor | None,
    reason_code: ReasonCode | None,
    status: Status | None,
    lane: Lane | None,
    received_from: datetime | None,
    received_before: datetime | None,
    limit: int,
    cursor: str | None,
) -> models.DeadLetterPage:
    """List the tenant's dead letters, the newest first."""
    chosen = Filter(vendor, reason_code, status, received_from, received_before, _lane(lane, reason_code))
    after = _place(ctx, "listDeadLetters", chosen.values(), cursor)
    found = dead_letters.newest(ctx.session, chosen, after, limit + 1)
    return models.DeadLetterPage(
        dead_letters=[_letter(letter) for letter in found[:limit]],
        next_cursor=_next(ctx, "listDeadLetters", chosen.values(), found, limit),
    )


def get_dead_letter(ctx: Context, *, dead_letter_id: UUID) -> models.DeadLetterDetail:
    """Return a dead letter with what was kept and what was tried."""
    letter = dead_letters.get(ctx.session, dead_letter_id)
    if letter is None:
        raise NotFound("There is no such dead letter.")
    attempts = dead_letter_attempts.last(ctx.session, dead_letter_id, ATTEMPTS_SHOWN)
    return models.DeadLetterDetail(
        dead_letter=_letter(letter),
        payload=MISSING if letter.payload is None else models.KeptPayload.model_validate(letter.payload),
        attempts=[_filled(models.DeadLetterAttempt, _told(attempt)) for attempt in attempts],
    )


def replay_dead_letter(
    ctx: Context, *, dead_letter_id: UUID, body: models.ReplayRequest
) -> models.ReplayResult:
    """Replay one dead letter, for good or only to see."""
    actor, at = _actor(ctx), intake.now()
    if body.dry_run:
        replay.refuse(dead_letters.get(ctx.session, dead_letter_id))
        rehearsed = replay.rehearse(ctx.session, actor, [dead_letter_id], at)
        if not rehearsed:
            raise ReplayInProgress
        done = rehearsed[0]
    else:
        done = replay.replay(ctx.session, actor, replay.take(ctx.session, dead_letter_id, at), at)
    told = {
        "dead_letter_id": done.dead_letter_id,
        "dry_run": body.dry_run,
        "outcome": "still_failing" if done.refusal else "resolved",
        "event_id": None if done.refusal or body.dry_run else done.event_id,
        "reason_code": done.refusal and done.refusal.reason_code,
        "reason_field": done.refusal and done.refusal.field,
        "ledger_differences": _differences([done]),
    }
    return _filled(models.ReplayResult, told)


def replay_dead_letters(ctx: Context, *, body: models.ReplayBatchRequest) -> models.ReplayBatchResult:
    """Replay a batch of the pending dead letters that a filter names, the oldest first."""
    actor, chosen = _actor(ctx), _filter(body)
    filters = chosen.values() | {"dry_run": body.dry_run}
    try:
        after = _place(ctx, "replayDeadLetters", filters, None if body.cursor is MISSING else body.cursor)
    except MalformedRequest:
        raise _unprocessable("body.cursor", "invalid_cursor", "was not made for this request") from None
    with tenant_session(ctx.tenant_id, read_only=True) as session:
        found = dead_letters.oldest(session, chosen, after, body.limit + 1)
    batch = found[: body.limit]
    readable = [letter.dead_letter_id for letter in batch if letter.payload is not None]
    done = replay.rehearse_all(actor, readable) if body.dry_run else replay.replay_each(actor, readable)
    unreadable = [letter for letter in batch if letter.payload is None]
    return models.ReplayBatchResult(
        dry_run=body.dry_run,
        resolved_count=sum(one.refusal is None for one in done),
        skipped_count=len(readable) - len(done),
        ledger_differences=_differences(done),
        failures=[*_failures(done), *(_unreadable(letter) for letter in unreadable)],
        next_cursor=_next(ctx, "replayDeadLetters", filters, found, body.limit),
    )


def abandon_dead_letter(
    ctx: Context, *, dead_letter_id: UUID, body: models.AbandonRequest
) -> models.DeadLetter:
    """Leave a dead letter for the reason that is given."""
    reason = _reason(body.reason)
    letter = dead_letters.abandon(ctx.session, dead_letter_id, reason)
    if letter is None:
        held = dead_letters.get(ctx.session, dead_letter_id)
        if held is None:
            raise NotFound("There is no such dead letter.")
        refusals = {"resolved": DeadLetterResolved, "abandoned": DeadLetterAbandoned}
        raise refusals.get(held.status, ReplayInProgress)
    attempt = Attempt(
        attempt_id=uuid7(),
        dead_letter_id=dead_letter_id,
        attempted_at=intake.now(),
        user_id=_actor(ctx).user_id,
        is_dry_run=False,
        outcome="abandoned",
        note=reason,
    )
    dead_letter_attempts.add(ctx.session, [attempt])
    return _letter(letter)


def _actor(ctx: Context) -> Actor:
    return Actor(ctx.tenant_id, ctx.principal.user_id if ctx.principal else None)


def _filter(body: models.ReplayBatchRequest) -> Filter:
    reason_code = None if body.reason_code is MISSING else body.reason_code
    return Filter(
        None if body.vendor is MISSING else body.vendor,
        reason_code,
        "pending",
        None if body.received_from is MISSING else body.received_from,
        None if body.received_before is MISSING else body.received_before,
        _lane(None if body.lane is MISSING else body.lane, reason_code),
    )


def _lane(asked: Lane | None, reason_code: ReasonCode | None) -> Lane:
    """Return which lane is meant: what waits for a tenant to be resumed is not what waits for people."""
    return asked or ("quarantine" if reason_code == TENANT_SUSPENDED else "review")


def _reason(sent: str) -> str:
    reason = sent.strip()
    kind = personal_kind(reason)
    if kind is not None:
        raise _unprocessable("body.reason", "personal_data", f"looks like personal data ({kind})")
    if not reason:
        raise _unprocessable("body.reason", "blank", "says nothing")
    return reason


def _unprocessable(field: str, code: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field} {message}", errors=(FieldError(field, code, message),))


def _place(ctx: Context, operation: str, filters: dict[str, object], cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    received_at, dead_letter_id = read_cursor(ctx.tenant_id, operation, filters, cursor)
    return Place(datetime.fromisoformat(received_at), UUID(dead_letter_id))


def _next(
    ctx: Context, operation: str, filters: dict[str, object], found: Sequence[DeadLetter], limit: int
) -> str | None:
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    position = [last.received_at.isoformat(), str(last.dead_letter_id)]
    return make_cursor(ctx.tenant_id, operation, filters, position)


def _differences(done: Iterable[Replayed]) -> list[models.LedgerDifference]:
    effects: dict[str, list[int]] = defaultdict(list)
    for one in done:
        for entry in one.entries:
            effects[entry.slot.currency].append(entry.effect_cents)
    return [
        models.LedgerDifference(currency=currency, effect_cents=sum(cents), entry_count=len(cents))
        for currency, cents in sorted(effects.items())
    ]


def _failures(done: Iterable[Replayed]) -> list[models.ReplayFailure]:
    failed = ((one.dead_letter_id, one.refusal) for one in done if one.refusal is not None)
    return [_failure(letter_id, why.reason_code, why.field, is_replayable=True) for letter_id, why in failed]


def _unreadable(letter: DeadLetter) -> models.ReplayFailure:
    return _failure(letter.dead_letter_id, letter.reason_code, letter.reason_field, is_replayable=False)


def _failure(letter_id: UUID, code: str, field: str | None, *, is_replayable: bool) -> models.ReplayFailure:
    told = {
        "dead_letter_id": letter_id,
        "reason_code": code,
        "reason_field": field,
        "is_replayable": is_replayable,
    }
    return _filled(models.ReplayFailure, told)


def _told(attempt: Attempt) -> dict[str, object]:
    return {name: value for name, value in attempt.values().items() if name != "dead_letter_id"}


def _letter(letter: DeadLetter) -> models.DeadLetter:
    told = {
        "dead_letter_id": letter.dead_letter_id,
        "delivery_id": letter.delivery_id,
        "vendor": letter.vendor,
        "topic": letter.topic,
        "reason_code": letter.reason_code,
        "reason_field": letter.reason_field,
        "lane": letter.lane,
        "status": letter.status,
        "is_replayable": letter.payload is not None,
        "attempt_count": letter.attempts,
        "contract_digest": letter.contract_digest,
        "received_at": letter.received_at,
        "last_attempted_at": letter.last_attempted_at,
        "resolved_at": letter.resolved_at,
        "resolution_note": letter.resolution_note,
        "abandoned_reason": letter.abandoned_reason,
    }
    return _filled(models.DeadLetter, told)


def _filled(model: type[Model], told: Mapping[str, object]) -> Model:
    """Make a model of what is known; what is None is left out."""
    return model.model_validate({name: value for name, value in told.items() if value is not None})
