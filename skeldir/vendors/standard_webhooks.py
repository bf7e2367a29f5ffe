"""Signatures as the Standard Webhooks specification makes them: HMAC-SHA256 (v1) and Ed25519 (v1a)."""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from skeldir.vendors.signatures import decoded_base64

TOLERANCE_SECONDS: Final = 300
SIGNATURES_MAX: Final = 10
"""More than anybody rotates through; each costs us a verification under every secret."""

SYMMETRIC_PREFIX: Final = "whsec_"
PUBLIC_PREFIX: Final = "whpk_"
_SYMMETRIC_BYTES: Final = range(24, 65)
_PUBLIC_BYTES: Final = 32

_OF_NOBODY: Final = b"\x01" + bytes(63)  # the neutral point, and nothing times the base point
_TRIALS: Final = 256

# Without a full stop, which ends the id in what is signed.
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Message:
    """One attempt to deliver a message, as its headers tell it."""

    message_id: str
    sent_at: str
    signatures: tuple[tuple[str, bytes], ...] = field(repr=False)
    """Each with its version."""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Message":
        """Read the headers, whose names are in lower case; what is missing is empty."""
        told = [part.partition(",") for part in headers.get("webhook-signature", "").split(" ") if part]
        return cls(
            headers.get("webhook-id", ""),
            headers.get("webhook-timestamp", ""),
            tuple((version, decoded_base64(signature)) for version, _, signature in told),
        )

    def may_be_good(self, now: float) -> bool:
        """Tell whether the headers are such as the specification wants, and sent within five minutes."""
        return (
            bool(_ID.fullmatch(self.message_id))
            and bool(_TIMESTAMP.fullmatch(self.sent_at))
            and abs(now - int(self.sent_at)) <= TOLERANCE_SECONDS
            and 1 <= len(self.signatures) <= SIGNATURES_MAX
        )

    def is_of(self, body: bytes, secrets: Sequence[bytes], now: float) -> bool:
        """Tell whether one of the secrets signed this body under this id and time.

        Every secret is tried in both ways, whichever it is for: how long that takes depends on the
        headers alone, not on whose secrets they are.
        """
        signed = b".".join((self.message_id.encode(), self.sent_at.encode(), body))
        signatures = self.signatures[:SIGNATURES_MAX]
        matches = [
            is_good
            for secret in secrets
            for is_good in (_is_mac(secret, signed, signatures), _is_signature(secret, signed, signatures))
        ]
        return any(matches) and self.may_be_good(now)


def symmetric_key(secret: str) -> bytes | None:
    """Return the key that a `whsec_` secret stands for; None for what is no such secret."""
    key = _decoded(secret, SYMMETRIC_PREFIX)
    return key if len(key) in _SYMMETRIC_BYTES else None


def public_key(secret: str) -> Ed25519PublicKey | None:
    """Return the key that a `whpk_` text stands for; None for what is no such key."""
    key = _decoded(secret, PUBLIC_PREFIX)
    return Ed25519PublicKey.from_public_bytes(key) if len(key) == _PUBLIC_BYTES else None


def is_forgeable(key: Ed25519PublicKey) -> bool:
    """Tell whether anybody can sign for a key: for a point of small order this signature is often right.

    It is for one message in eight at least, so one of so many tells; no other key lets it pass.
    """
    return any(_verifies(key, _OF_NOBODY, str(number).encode()) for number in range(_TRIALS))


def _is_mac(secret: bytes, signed: bytes, signatures: Sequence[tuple[str, bytes]]) -> bool:
    key = symmetric_key(secret.decode())
    expected = hmac.digest(key or b"nobody's", signed, "sha256")
    given = [signature for version, signature in signatures if version == "v1"]
    matches = [hmac.compare_digest(expected, signature) for signature in given]
    return any(matches) and key is not None


def _is_signature(secret: bytes, signed: bytes, signatures: Sequence[tuple[str, bytes]]) -> bool:
    key = public_key(secret.decode())
    given = [signature for version, signature in signatures if version == "v1a"]
    verifier = key or Ed25519PublicKey.from_public_bytes(_nobodys_key())
    matches = [_verifies(verifier, signature, signed) for signature in given]
    return any(matches) and key is not None


def _verifies(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


@cache
def _nobodys_key() -> bytes:
    """Return a key to verify with where there is none: it is as much work, and nobody can sign for it."""
    return Ed25519PrivateKey.generate().public_key().public_bytes_raw()


def _decoded(secret: str, prefix: str) -> bytes:
    """Decode what follows the prefix; some write base64 without the padding at its end."""
    encoded = secret.removeprefix(prefix)
    if encoded == secret:
        return b""
    return decoded_base64(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4))
