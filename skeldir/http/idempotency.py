"""`Idempotency-Key`: a request that is sent again is answered as the first time, and does nothing more."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from skeldir.db.session import tenant_session
from skeldir.domain.errors import IdempotencyKeyInUse, IdempotencyKeyReused, SkeldirError, Unauthorized
from skeldir.http.answers import Header, HttpAnswer
from skeldir.http.exchange import Exchange
from skeldir.repository import idempotency
from skeldir.repository.idempotency import KeyedRequest, StoredAnswer
from skeldir.security.hashing import key_hash

KEY_HEADER: Final = b"idempotency-key"
REPLAYED: Final[Header] = (b"idempotency-replayed", b"true")

CLAIM_PATIENCE: Final = timedelta(minutes=5)
"""Longer than a request takes. A key whose process died can be used again after this."""

# Who is told to prove himself, or to wait, is to send the same again.
_NOT_STORED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS})

Answer = Callable[[Session | None], HttpAnswer]
Refuse = Callable[[SkeldirError], HttpAnswer]


def keyed_request(exchange: Exchange, body: bytes) -> KeyedRequest | None:
    """Return the request by its key, if its operation takes one and it has one.

    The key is its user's alone, or that of those who hold the tenant's key.
    """
    key = exchange.headers.get(KEY_HEADER) if exchange.plan.takes_idempotency_key else None
    if key is None:
        return None
    principal = exchange.principal
    if principal is None:
        raise Unauthorized
    operation = exchange.plan.operation_id
    whose = f"{principal.kind}\x00{principal.user_id or ''}"
    hashed = key_hash("idempotency-key", f"{whose}\x00{operation}\x00{key.decode('latin-1')}")
    sent = hashlib.sha256()
    for part in (b"\x00".join(exchange.segments), exchange.scope["query_string"], body):
        sent.update(len(part).to_bytes(8) + part)
    return KeyedRequest(hashed, operation, sent.digest())


def in_transaction(session: Session, request: KeyedRequest, answer: Answer, refuse: Refuse) -> HttpAnswer:
    """Serve a request whose effects are the session's; the answer is stored with them.

    Raises IdempotencyKeyInUse while another one is at work, without waiting for it, and
    IdempotencyKeyReused for a key that came with something else.
    """
    if not idempotency.take_turn(session, request):
        raise IdempotencyKeyInUse
    known = _known(session, request)
    if known is not None:
        return known
    idempotency.mark(session)
    try:
        given = answer(session)
    except SkeldirError as error:
        if not _is_stored(error.status):
            raise
        idempotency.go_back(session)
        given = refuse(error)
    if _is_stored(given.status):
        idempotency.store(session, request, _stored(given))
    return given


def across_transactions(tenant_id: UUID, request: KeyedRequest, answer: Answer, refuse: Refuse) -> HttpAnswer:
    """Serve a request that opens transactions of its own: its key is claimed before and settled after.

    If the process dies in between, the claim ends by itself and the request can be sent again: it must
    then do what is left to do. Raises like `in_transaction`.
    """
    with tenant_session(tenant_id) as session:
        claimed_until = idempotency.claim(session, request, CLAIM_PATIENCE)
        if claimed_until is None:
            known = _known(session, request)
            if known is None:  # given up just now
                raise IdempotencyKeyInUse
            return known
    try:
        given = _given(answer, refuse)
    except Exception:  # whatever failed took no effect: the key is free for another try
        with tenant_session(tenant_id) as session:
            idempotency.release(session, request, claimed_until)
        raise
    with tenant_session(tenant_id) as session:
        if _is_stored(given.status):
            idempotency.settle(session, request, claimed_until, _stored(given))
        else:
            idempotency.release(session, request, claimed_until)
    return given


def _given(answer: Answer, refuse: Refuse) -> HttpAnswer:
    try:
        return answer(None)
    except SkeldirError as error:
        if not _is_stored(error.status):
            raise
        return refuse(error)


def _known(session: Session, request: KeyedRequest) -> HttpAnswer | None:
    """Return the answer that a key was given before; raises if it has none yet or meant something else."""
    known = idempotency.find(session, request)
    if known is None:
        return None
    if known.fingerprint != request.fingerprint:
        raise IdempotencyKeyReused
    if known.answer is None:
        raise IdempotencyKeyInUse
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in known.answer.headers]
    return HttpAnswer(known.answer.status, [*headers, REPLAYED], known.answer.body)


def _is_stored(status: int) -> bool:
    return status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _NOT_STORED


def _stored(answer: HttpAnswer) -> StoredAnswer:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers]
    return StoredAnswer(int(answer.status), headers, answer.body)
