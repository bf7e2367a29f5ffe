"""Rate limits per tenant: tokens leased from the database in blocks, charged before a handler runs.

All processes together grant a tenant at most `per_minute` requests at once and as many again per
minute, and beyond that no more than one block per process that still had one.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from math import ceil
from threading import Lock
from time import monotonic
from typing import Final, Literal, Protocol
from uuid import UUID

from skeldir.db.session import tenant_session
from skeldir.domain.errors import TooManyRequests
from skeldir.http.answers import Header
from skeldir.repository import rate_limits
from skeldir.settings import get_settings

Bucket = Literal["api", "webhooks"]

BLOCK_SECONDS: Final = 1
"""A process leases what the bucket gains in this time: so often, at most, does it ask the database."""

LEASE_SECONDS: Final = rate_limits.WINDOW.total_seconds()
"""Tokens that were not spent for so long are forgotten: meanwhile the bucket has filled up again."""

REMEMBERED_MAX: Final = 10_000
"""Leases kept by a process. Forgetting them all costs a block per tenant, and each its next look."""


@dataclass(slots=True)
class _Tokens:
    """What a process holds of one bucket."""

    lock: Lock = field(default_factory=Lock)
    held: int = 0
    beyond: int = 0
    good_until: float = 0.0
    empty_until: float = 0.0


_tokens: dict[tuple[UUID, Bucket], _Tokens] = {}


@dataclass(slots=True)
class Charge:
    """What a request was charged to, and how much of it remains, as this process knows."""

    bucket: Bucket
    per_minute: int
    remaining: int
    next_seconds: int

    def headers(self) -> tuple[Header, Header]:
        """Say it as draft-ietf-httpapi-ratelimit-headers-10 does."""
        limit = f'"{self.bucket}";r={self.remaining};t={self.next_seconds}'
        return (b"ratelimit", limit.encode()), _policy(self.bucket, self.per_minute)


@cache
def _policy(bucket: Bucket, per_minute: int) -> Header:
    return b"ratelimit-policy", f'"{bucket}";q={per_minute};w={LEASE_SECONDS:.0f}'.encode()


class Charged(Protocol):
    """Somebody who is told what a request was charged to."""

    charge: Charge | None


asking: Final[ContextVar[Charged | None]] = ContextVar("asking", default=None)
"""Whose request this code runs for."""


def charge(tenant_id: UUID, bucket: Bucket) -> None:
    """Take one token of a tenant's bucket; raises TooManyRequests when there is none."""
    settings = get_settings()
    per_minute = settings.api_requests_per_minute_max if bucket == "api" else settings.webhooks_per_minute_max
    tokens = _tokens.get((tenant_id, bucket)) or _remember(tenant_id, bucket)
    with tokens.lock:  # who waits here would only ask the database the same
        now = monotonic()
        if (tokens.held == 0 or now >= tokens.good_until) and now >= tokens.empty_until:
            _lease(tokens, tenant_id, bucket, per_minute)
        granted = tokens.held > 0
        tokens.held -= granted
        remaining, wait = tokens.held + tokens.beyond, tokens.empty_until - now
    next_seconds = ceil(LEASE_SECONDS / per_minute) if granted else max(1, ceil(wait))
    told = asking.get()
    if told is not None:
        told.charge = Charge(bucket, per_minute, remaining, next_seconds)
    if not granted:
        detail = f"The limit of {per_minute} requests per minute is used up."
        raise TooManyRequests(detail, headers={"Retry-After": str(next_seconds)})


def forget_leases() -> None:
    """Drop what this process holds, as when it ends."""
    _tokens.clear()


def _lease(tokens: _Tokens, tenant_id: UUID, bucket: Bucket, per_minute: int) -> None:
    """Ask the bucket, in a transaction of its own: what a request costs stays paid when it is rolled back."""
    block = max(1, per_minute * BLOCK_SECONDS // 60)
    with tenant_session(tenant_id, is_durable=False) as session:
        leased = rate_limits.lease(session, bucket, block=block, per_minute=per_minute)
    now = monotonic()
    tokens.held, tokens.beyond, tokens.good_until = leased.tokens, leased.left, now + LEASE_SECONDS
    tokens.empty_until = 0.0 if leased.tokens else now + leased.next_in / timedelta(seconds=1)


def _remember(tenant_id: UUID, bucket: Bucket) -> _Tokens:
    if len(_tokens) >= REMEMBERED_MAX:
        _tokens.clear()
    return _tokens.setdefault((tenant_id, bucket), _Tokens())
