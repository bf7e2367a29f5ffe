"""Secrets of others at rest: AES-256-GCM, bound to the row they belong to."""

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from skeldir.security.keys import KeyRing, get_key_ring

NONCE_BYTES = 12


class UnsealError(Exception):
    """A sealed value cannot be opened: unknown key, altered bytes, or another row's value."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value lives; moved to any other place it does not open."""

    tenant_id: UUID
    purpose: str
    row_id: UUID

    def associated_data(self) -> bytes:
        """Return the bytes that the seal vouches for beside the value."""
        return "\x1f".join((str(self.tenant_id), self.purpose, str(self.row_id))).encode()


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed value: nonce and ciphertext, and the id of the key that opens it."""

    key_id: str
    value: bytes = field(repr=False)


def current_key_id(*, ring: KeyRing | None = None) -> str:
    """Return the id of the key that seals."""
    return (ring or get_key_ring()).sealing.current


def seal(secret: bytes, place: Place, *, ring: KeyRing | None = None) -> Sealed:
    """Seal a secret for one place with the current key."""
    keys = (ring or get_key_ring()).sealing
    nonce = secrets.token_bytes(NONCE_BYTES)
    ciphertext = AESGCM(keys.keys[keys.current]).encrypt(nonce, secret, place.associated_data())
    return Sealed(key_id=keys.current, value=nonce + ciphertext)


def unseal(sealed: Sealed, place: Place, *, ring: KeyRing | None = None) -> bytes:
    """Open a sealed value; raises UnsealError, which never says what was inside."""
    key = (ring or get_key_ring()).sealing.keys.get(sealed.key_id)
    if key is None:
        message = f"the key ring has no sealing key {sealed.key_id!r}"
        raise UnsealError(message)
    nonce, ciphertext = sealed.value[:NONCE_BYTES], sealed.value[NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, place.associated_data())
    except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
        message = f"the sealed {place.purpose} {place.row_id} was altered or moved"
        raise UnsealError(message) from None
