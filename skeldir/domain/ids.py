"""Identifiers: facts get deterministic UUIDv5s, operations time-ordered UUIDv7s.

UUIDv7 follows RFC 9562 §5.7; the standard library has it only from Python 3.14 on.
"""

import secrets
import time
from uuid import UUID, uuid5

FACTS = UUID("6f0c3c2e-9d0b-5d6a-8f55-3f0a7a1f2b11")


def fact_id(tenant_id: UUID, *key: str) -> UUID:
    """Name a fact by its tenant and canonical key; the same fact has the same id everywhere."""
    return uuid5(FACTS, "\x1f".join((str(tenant_id), *key)))


def uuid7() -> UUID:
    """Make an operational id: 48 bits of milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = secrets.randbits(74)
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (random_bits >> 62) << 64
    value |= 0b10 << 62 | random_bits & (1 << 62) - 1
    return UUID(int=value)
