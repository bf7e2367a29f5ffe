"""PayPal's signatures: RSA with SHA-256 over transmission id, time, webhook id and the body's CRC-32."""

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from skeldir.domain.refusals import Refusal
from skeldir.vendors.fields import instant
from skeldir.vendors.signatures import decoded_base64

ALGORITHM: Final = "SHA256withRSA"
# PayPal delivers for three days, and where an attempt repeats the first one's time it must still be good;
# a day more is for its queues. A replay within that time finds its event's id already booked.
AGE_MAX: Final = timedelta(days=4)
AHEAD_MAX: Final = timedelta(minutes=5)
_ID: Final = re.compile(r"[A-Za-z0-9-]{1,100}")


@dataclass(frozen=True, slots=True)
class Transmission:
    """One attempt of PayPal's to deliver, as its headers tell it."""

    transmission_id: str
    sent_at: str
    signature: str
    certificate_url: str
    algorithm: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Transmission":
        """Read the headers, whose names are in lower case; what is missing is empty."""
        return cls(
            headers.get("paypal-transmission-id", ""),
            headers.get("paypal-transmission-time", ""),
            headers.get("paypal-transmission-sig", ""),
            headers.get("paypal-cert-url", ""),
            headers.get("paypal-auth-algo", ""),
        )

    def may_be_good(self, now: datetime) -> bool:
        """Tell whether it is worth looking at the certificate: everything is there, and the time is right."""
        try:
            age = now - instant(self.sent_at)
        except Refusal:
            return False
        return (
            self.algorithm == ALGORITHM
            and bool(_ID.fullmatch(self.transmission_id))
            and bool(decoded_base64(self.signature))
            and -AHEAD_MAX <= age <= AGE_MAX
        )

    def is_of(self, body: bytes, webhook_ids: Sequence[bytes], signer: RSAPublicKey | None) -> bool:
        """Tell whether the signer signed this body for one of the webhooks."""
        signature, checksum = decoded_base64(self.signature), str(zlib.crc32(body)).encode()
        start = f"{self.transmission_id}|{self.sent_at}".encode()
        messages = [b"|".join((start, webhook_id, checksum)) for webhook_id in webhook_ids]
        matches = [signer is not None and _is_signed(signer, signature, message) for message in messages]
        return any(matches)


def _is_signed(signer: RSAPublicKey, signature: bytes, message: bytes) -> bool:
    try:
        signer.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
