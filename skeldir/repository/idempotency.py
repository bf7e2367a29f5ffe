"""Requests that may be sent twice: who is at work on one, and what it was answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.sql import bindparam

TRY_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(:lock)")

FIND: Final = text("""
    SELECT fingerprint, status, headers, body FROM idempotency_keys WHERE key_hash = :key_hash
""")

STORE: Final = text("""
    INSERT INTO idempotency_keys (key_hash, operation, fingerprint, status, headers, body)
    VALUES (:key_hash, :operation, :fingerprint, :status, :headers, :body)
""").bindparams(bindparam("headers", type_=JSONB))

# A claim whose time is over belongs to a process that died: whoever asks the same takes it over.
CLAIM: Final = text("""
    INSERT INTO idempotency_keys AS k (key_hash, operation, fingerprint, claimed_until)
    VALUES (:key_hash, :operation, :fingerprint, clock_timestamp() + :patience)
    ON CONFLICT (tenant_id, key_hash) DO UPDATE SET claimed_until = EXCLUDED.claimed_until
     WHERE k.claimed_until < clock_timestamp() AND k.fingerprint = EXCLUDED.fingerprint
    RETURNING claimed_until
""")

SETTLE: Final = text("""
    UPDATE idempotency_keys
       SET claimed_until = NULL, status = :status, headers = :headers, body = :body
     WHERE key_hash = :key_hash AND claimed_until = :claimed_until
""").bindparams(bindparam("headers", type_=JSONB))

RELEASE: Final = text("""
    DELETE FROM idempotency_keys WHERE key_hash = :key_hash AND claimed_until = :claimed_until
""")

FORGET: Final = text("""
    DELETE FROM idempotency_keys
     WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency_keys
                             WHERE created_at < clock_timestamp() - CAST(:age AS interval) LIMIT :rows_max))
""")

SAVEPOINT: Final = text("SAVEPOINT before_effects")
ROLLBACK: Final = text("ROLLBACK TO SAVEPOINT before_effects")


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request by the hash of its key, and by what must be the same when it is sent again."""

    key_hash: bytes
    operation: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a request was answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """A key that was used before; without an answer its request is still at work."""

    fingerprint: bytes
    answer: StoredAnswer | None


def take_turn(session: Session, request: KeyedRequest) -> bool:
    """Be the only one at work on a request until the transaction ends; False if somebody else is."""
    lock = int.from_bytes(request.key_hash[:8], signed=True)
    return bool(session.execute(TRY_LOCK, {"lock": lock}).scalar_one())


def find(session: Session, request: KeyedRequest) -> Known | None:
    """Return what is known of a request's key."""
    row = session.execute(FIND, {"key_hash": request.key_hash}).one_or_none()
    if row is None:
        return None
    if row.status is None:
        return Known(bytes(row.fingerprint), None)
    headers = [(name, value) for name, value in row.headers]
    return Known(bytes(row.fingerprint), StoredAnswer(row.status, headers, bytes(row.body)))


def store(session: Session, request: KeyedRequest, answer: StoredAnswer) -> None:
    """Keep the answer to a request that has just been served in this transaction."""
    session.execute(STORE, _request(request) | _answer(answer))


def claim(session: Session, request: KeyedRequest, patience: timedelta) -> datetime | None:
    """Note that a request is at work; returns until when that is believed, None if its key is known."""
    until: datetime | None = session.execute(
        CLAIM, _request(request) | {"patience": patience}
    ).scalar_one_or_none()
    return until


def settle(session: Session, request: KeyedRequest, claimed_until: datetime, answer: StoredAnswer) -> None:
    """Keep the answer to a claimed request, unless the claim was taken over."""
    told = {"key_hash": request.key_hash, "claimed_until": claimed_until}
    session.execute(SETTLE, told | _answer(answer))


def release(session: Session, request: KeyedRequest, claimed_until: datetime) -> None:
    """Give a claim up, so that the request can be sent again."""
    session.execute(RELEASE, {"key_hash": request.key_hash, "claimed_until": claimed_until})


def mark(session: Session) -> None:
    """Remember where the transaction stands."""
    session.execute(SAVEPOINT)


def go_back(session: Session) -> None:
    """Undo what was done since the mark."""
    session.execute(ROLLBACK)


def forget(session: Session, age: timedelta, rows_max: int) -> int:
    """Delete some keys that were first used longer ago than that; returns how many."""
    return int(session.execute(FORGET, {"age": age, "rows_max": rows_max}).rowcount)  # type: ignore[attr-defined]


def _request(request: KeyedRequest) -> dict[str, Any]:
    return {
        "key_hash": request.key_hash,
        "operation": request.operation,
        "fingerprint": request.fingerprint,
    }


def _answer(answer: StoredAnswer) -> dict[str, Any]:
    return {"status": answer.status, "headers": answer.headers, "body": answer.body}
