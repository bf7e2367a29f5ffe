"""Keyed hashes of what rows are looked up by, and the keys that we hand out.

HMAC with a key that PostgreSQL never sees: a stolen table can neither be searched for a known
e-mail address nor be used to recognise a key.
"""

import hmac
import secrets
import unicodedata
from typing import Literal

from skeldir.security.keys import KeyRing, get_key_ring

KEY_BYTES = 32

Purpose = Literal["tenant-key", "endpoint-key", "login", "idempotency-key"]
KeyPrefix = Literal["skt", "ske"]


def key_hash(purpose: Purpose, value: str, *, ring: KeyRing | None = None) -> bytes:
    """Return the hash that a key or a login is stored and found by.

    The purpose is hashed too, so that a tenant key never equals an endpoint key of the same text.
    """
    pepper = (ring or get_key_ring()).pepper
    return hmac.digest(pepper, f"{purpose}\x00{value}".encode(), "sha256")


def login_hash(email: str, *, ring: KeyRing | None = None) -> bytes:
    """Return the hash of an e-mail address, the same for every way of writing it."""
    return key_hash("login", unicodedata.normalize("NFKC", email).strip().lower(), ring=ring)


def new_key(prefix: KeyPrefix) -> str:
    """Make a key of 256 random bits; the prefix lets people and secret scanners recognise it."""
    return f"{prefix}_{secrets.token_urlsafe(KEY_BYTES)}"
