"""Certificates and signatures as PayPal makes them, by an authority of the test's own."""

import base64
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from skeldir.vendors import paypal_certificates
from skeldir.vendors.paypal_certificates import Certificates

NAME = "messageverificationcerts.paypal.com"
URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1a5f47cb"
DAY = timedelta(days=1)


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """Return the key of PayPal's leaf."""
    return rsa.generate_private_key(65537, 2048)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    """A root and an authority below it, which certifies PayPal's keys."""

    def __init__(self) -> None:
        self._root_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        now = datetime.now(UTC)
        self.root = self._ca("Root", self._root_key, "Root", self._root_key, now)
        self._own = self._ca("Issuing", self._key, "Root", self._root_key, now)

    def document(self, name: str = NAME, since: timedelta = -2 * DAY, until: timedelta = 30 * DAY) -> bytes:
        """Return the certificate of PayPal's key, and who vouches for it, as it is fetched."""
        now = datetime.now(UTC)
        leaf = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named("Issuing"))
            .public_key(signing_key().public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + since)
            .not_valid_after(now + until)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        chain = (leaf, self._own)
        return b"".join(part.public_bytes(serialization.Encoding.PEM) for part in chain)

    @staticmethod
    def _ca(
        name: str,
        key: ec.EllipticCurvePrivateKey,
        issuer: str,
        issuer_key: ec.EllipticCurvePrivateKey,
        now: datetime,
    ) -> x509.Certificate:
        usage = dict.fromkeys(
            (
                "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
                "key_agreement", "encipher_only", "decipher_only",
            ),
            False,
        )  # fmt: skip
        return (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 300 * DAY)
            .not_valid_after(now + 900 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
            )
            .sign(issuer_key, hashes.SHA256())
        )


@dataclass
class Post:
    """Where certificates are fetched: what stands at an address, and who asked for it."""

    documents: dict[str, bytes | Exception]
    asked: list[str] = field(default_factory=list)

    def fetch(self, url: str) -> bytes | None:
        """Answer in place of PayPal."""
        self.asked.append(url)
        found = self.documents.get(url)
        if isinstance(found, Exception):
            raise found
        return found


@cache
def authority() -> Authority:
    """Return the authority that tests trust."""
    return Authority()


@contextmanager
def trusted() -> Iterator[Post]:
    """Let the service trust the test's authority, and fetch from it, and from nowhere else."""
    post = Post({URL: authority().document()})
    certificates = Certificates([authority().root], post.fetch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paypal_certificates, "get_certificates", lambda: certificates)
        yield post


def signed(body: bytes, webhook_id: bytes, at: datetime | None = None) -> dict[str, str]:
    """Return the headers that PayPal sends."""
    sent_at = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    transmission_id = str(uuid4())
    message = f"{transmission_id}|{sent_at}|".encode() + webhook_id + f"|{zlib.crc32(body)}".encode()
    signature = signing_key().sign(message, padding.PKCS1v15(), hashes.SHA256())
    return {
        "PAYPAL-TRANSMISSION-ID": transmission_id,
        "PAYPAL-TRANSMISSION-TIME": sent_at,
        "PAYPAL-TRANSMISSION-SIG": base64.b64encode(signature).decode(),
        "PAYPAL-CERT-URL": URL,
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        "PAYPAL-AUTH-VERSION": "v2",
    }
