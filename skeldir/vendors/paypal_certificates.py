"""PayPal's signing certificates: where they may be, who must vouch for them, kept while they are good."""

import re
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Final, TypeAlias

import certifi
import httpx
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from skeldir.domain.errors import Unavailable
from skeldir.settings import get_settings

BYTES_MAX: Final = 65_536
FETCH_SECONDS_MAX: Final = 5.0
FETCHES_AT_ONCE_MAX: Final = 4  # whoever knows an address can make us fetch, but not with every thread
KEPT_MAX: Final = 32
RETRY_SECONDS: Final = 30
DOMAIN: Final = ".paypal.com"

# The whole text is matched, so no two parsers can disagree on which host it names.
_URL: Final = re.compile(
    r"(https://(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,4}paypal\.com)(?::443)?"
    r"(/v1/notifications/certs/[A-Za-z0-9_-]{1,200})"
)
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_TEMPORARY: Final = frozenset((408, 425, 429))
_BROKEN: Final = (
    ValueError,
    VerificationError,
    UnsupportedAlgorithm,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)

Fetch: TypeAlias = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class _Trusted:
    """A key that a chain of certificates vouches for, from its latest beginning to its earliest end."""

    key: RSAPublicKey
    since: datetime
    until: datetime


class Certificates:
    """The keys of PayPal's certificates by their address; a certificate's successor has another one."""

    def __init__(self, roots: Sequence[x509.Certificate], fetch: Fetch) -> None:
        """Keep whom to trust, and how to get a certificate that is not known yet."""
        self._store = Store(list(roots))
        self._fetch = fetch
        self._lock = Lock()
        self._kept: OrderedDict[str, _Trusted] = OrderedDict()
        self._under_way: dict[str, Future[_Trusted | None]] = {}

    def key(self, url: str, now: datetime) -> RSAPublicKey | None:
        """Return the key of the certificate at an address, or None if it is not to be trusted.

        Raises Unavailable while the certificate cannot be fetched.
        """
        written = _URL.fullmatch(url)
        if written is None:
            return None
        trusted = self._trusted("".join(written.groups()), now)
        return trusted.key if trusted and trusted.since <= now <= trusted.until else None

    def _trusted(self, url: str, now: datetime) -> _Trusted | None:
        """Return what is kept of an address; of several that miss it one fetches and the others wait."""
        with self._lock:
            if url in self._kept:
                self._kept.move_to_end(url)
                return self._kept[url]
            others = self._under_way.get(url)
            if others is None:
                if len(self._under_way) >= FETCHES_AT_ONCE_MAX:
                    raise _unavailable()
                own = self._under_way[url] = Future()
        if others is not None:
            return others.result()
        try:
            found = self._fetched(url, now)
        except BaseException as error:  # those who wait are told the same, or would wait for ever
            self._end(url, None)
            own.set_exception(error)
            raise
        self._end(url, found)
        own.set_result(found)
        return found

    def _fetched(self, url: str, now: datetime) -> _Trusted | None:
        try:
            document = self._fetch(url)
        except httpx.HTTPError:
            raise _unavailable() from None
        try:
            return _verified(document or b"", self._store, now)
        except _BROKEN:
            return None

    def _end(self, url: str, found: _Trusted | None) -> None:
        with self._lock:
            del self._under_way[url]
            if found is not None:
                self._kept[url] = found
                if len(self._kept) > KEPT_MAX:
                    self._kept.popitem(last=False)


def fetch(
    url: str, transport: httpx.BaseTransport | None = None, clock: Callable[[], float] = time.monotonic
) -> bytes | None:
    """Return the document at an address, or None where there is no certificate.

    Raises httpx.HTTPError when another attempt may succeed.
    """
    deadline = clock() + FETCH_SECONDS_MAX
    headers = {"Accept-Encoding": "identity"}  # what is sent is what counts against the limit
    with (
        httpx.Client(timeout=FETCH_SECONDS_MAX / 2, follow_redirects=False, transport=transport) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        if response.status_code in _TEMPORARY or response.is_server_error:
            raise httpx.TransportError("PayPal does not answer now")
        if response.status_code != httpx.codes.OK:
            return None  # a redirect, too: a certificate is where it is said to be, or nowhere
        document = bytearray()
        for chunk in response.iter_raw(BYTES_MAX):
            document += chunk
            if len(document) > BYTES_MAX:
                return None
            if clock() > deadline:
                raise httpx.ReadTimeout("PayPal answers too slowly")
    return bytes(document)


@cache
def get_certificates() -> Certificates:
    """Return this process's certificates, with the authorities that the settings name."""
    authorities = get_settings().certificate_authorities or Path(certifi.where())
    return Certificates(_readable(authorities.read_bytes()), fetch)


def _readable(document: bytes) -> list[x509.Certificate]:
    """Read a list of authorities, leaving out those whose own certificates break the rules."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        for written in _PEM.findall(document):
            with suppress(CryptographyDeprecationWarning, *_BROKEN):
                found.append(x509.load_pem_x509_certificate(written))
    return found


def _verified(document: bytes, store: Store, now: datetime) -> _Trusted | None:
    """Return the key of the first certificate, if a chain from it to a root is valid for a name of PayPal's.

    Raises one of _BROKEN when the document is anything else.
    """
    leaf, *others = x509.load_pem_x509_certificates(document)
    key = leaf.public_key()
    name = _name(leaf)
    if name is None or not isinstance(key, RSAPublicKey):
        return None
    verifier = PolicyBuilder().store(store).time(now).build_server_verifier(x509.DNSName(name))
    chain = verifier.verify(leaf, others)
    return _Trusted(
        key,
        since=max(certificate.not_valid_before_utc for certificate in chain),
        until=min(certificate.not_valid_after_utc for certificate in chain),
    )


def _name(leaf: x509.Certificate) -> str | None:
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    told = names.get_values_for_type(x509.DNSName)
    return next((name for name in told if name.endswith(DOMAIN) and "*" not in name), None)


def _unavailable() -> Unavailable:
    return Unavailable(
        "The certificate of the signature cannot be fetched.", headers={"Retry-After": str(RETRY_SECONDS)}
    )
