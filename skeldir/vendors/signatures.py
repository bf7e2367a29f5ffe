"""Signatures as vendors make them, checked on the raw bytes and in constant time."""

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from typing import Final

STRIPE_TOLERANCE_SECONDS: Final = 300
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_HEX_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
# What WordPress decodes: by name in lower case only, by number with any padding, < and > not in hex.
_ENTITY: Final = re.compile(
    rb"&(?:(?P<ampersand>amp|#0*38|#[xX]0*26)|(?P<less>lt|#0*60)|(?P<greater>gt|#0*62)"
    rb"|(?P<double>quot|#0*34|#[xX]0*22)|(?P<single>#0*39|#[xX]0*27));"
)
_CHARACTERS: Final = {"ampersand": b"&", "less": b"<", "greater": b">", "double": b'"', "single": b"'"}


def verify_base64_hmac(body: bytes, signature: str | None, secrets: Sequence[bytes]) -> bool:
    """Tell whether base64(HMAC-SHA256(secret, body)) is the signature, for any of the secrets."""
    given = decoded_base64(signature or "")
    matches = [hmac.compare_digest(hmac.digest(secret, body, "sha256"), given) for secret in secrets]
    return any(matches)


def wordpress_key(secret: bytes) -> bytes:
    """Return the key that a WordPress plugin makes of a secret: with its HTML entities decoded, once.

    As wp_specialchars_decode(ENT_QUOTES) does it, these few and no others; html.unescape knows 2,000 more.
    """
    return _ENTITY.sub(lambda found: _CHARACTERS[found.lastgroup or ""], secret)


def verify_stripe(body: bytes, header: str | None, secrets: Sequence[bytes], now: float) -> bool:
    """Tell whether one of the header's v1 signatures is HMAC-SHA256 of "t.body" and t is recent.

    While a secret is rolled Stripe signs with both, so several v1 values may stand there. An instant
    in the future is refused too: whoever holds an old signed body cannot have one.
    """
    pairs = [part.partition("=") for part in (header or "").split(",")]
    timestamps = [value for name, _, value in pairs if name.strip() == "t"]
    signatures = [value for name, _, value in pairs if name.strip() == "v1" and _HEX_DIGEST.fullmatch(value)]
    signed_at = timestamps[0] if len(timestamps) == 1 and _TIMESTAMP.fullmatch(timestamps[0]) else None
    message = b"%s.%s" % ((signed_at or "0").encode(), body)
    digests = [hmac.digest(secret, message, "sha256").hex() for secret in secrets]
    matches = [hmac.compare_digest(digest, given) for digest in digests for given in signatures or ["0" * 64]]
    return signed_at is not None and any(matches) and abs(now - int(signed_at)) <= STRIPE_TOLERANCE_SECONDS


def decoded_base64(signature: str) -> bytes:
    """Decode base64 that encodes back to itself; anything else decodes to nothing, which never matches.

    Lenient decoders accept several spellings of one signature: a flipped bit could go unnoticed.
    """
    try:
        decoded = base64.b64decode(signature.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""
    return decoded if base64.b64encode(decoded).decode() == signature else b""
