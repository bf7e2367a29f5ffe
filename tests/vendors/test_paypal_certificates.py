"""Which of PayPal's certificates are believed, and what is fetched for that."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event

import httpx
import pytest

from skeldir.domain.errors import Unavailable
from skeldir.vendors import paypal_certificates
from skeldir.vendors.paypal_certificates import BYTES_MAX, FETCHES_AT_ONCE_MAX, KEPT_MAX, Certificates, fetch
from tests.vendors.paypal_authority import DAY, URL, Authority, Post, authority, signing_key

CERTS = "/v1/notifications/certs/CERT-1"


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def asking(document: bytes | Exception) -> tuple[Certificates, Post]:
    """Return certificates that trust the test's authority, and what is fetched for them."""
    post = Post({URL: document})
    return Certificates([authority().root], post.fetch), post


def test_a_certificate_is_fetched_once_and_then_kept() -> None:
    certificates, post = asking(authority().document())

    for _ in range(3):
        assert certificates.key(URL, now()) == signing_key().public_key()
    assert certificates.key(URL.replace(".com/", ".com:443/"), now())
    assert post.asked == [URL]


def test_of_many_deliveries_that_miss_a_certificate_one_fetches_it() -> None:
    started, go = Barrier(9), Event()
    asked: list[str] = []

    def slowly(url: str) -> bytes:
        asked.append(url)
        assert go.wait(30)
        return authority().document()

    certificates = Certificates([authority().root], slowly)

    def ask() -> object:
        started.wait(30)
        return certificates.key(URL, now())

    with ThreadPoolExecutor(8) as deliveries:
        answers = [deliveries.submit(ask) for _ in range(8)]
        started.wait(30)
        go.set()
        assert all(answer.result(30) for answer in answers)
    assert asked == [URL]


def test_no_more_than_a_few_certificates_are_fetched_at_once() -> None:
    arrived, go = Barrier(FETCHES_AT_ONCE_MAX + 1), Event()

    def slowly(_: str) -> None:
        arrived.wait(30)
        assert go.wait(30)

    certificates = Certificates([authority().root], slowly)
    with ThreadPoolExecutor(FETCHES_AT_ONCE_MAX) as strangers:
        for number in range(FETCHES_AT_ONCE_MAX):
            strangers.submit(certificates.key, f"{URL}{number}", now())
        arrived.wait(30)
        with pytest.raises(Unavailable):
            certificates.key(URL, now())
        go.set()


def test_only_so_many_certificates_are_kept() -> None:
    urls = [f"{URL}{number}" for number in range(KEPT_MAX + 1)]
    post = Post(dict.fromkeys(urls, authority().document()))
    certificates = Certificates([authority().root], post.fetch)
    for url in (*urls, urls[-1], urls[0]):
        certificates.key(url, now())

    assert post.asked == [*urls, urls[0]]


@pytest.mark.parametrize(
    "url",
    [
        "",
        f"http://api.paypal.com{CERTS}",
        f"https://paypal.com{CERTS}",
        f"https://api.paypal.com.evil.example{CERTS}",
        f"https://evil.example/api.paypal.com{CERTS}",
        f"https://apipaypal.com{CERTS}",
        f"https://api.paypal.com:8443{CERTS}",
        f"https://api.paypal.com:{CERTS}",
        f"https://me@api.paypal.com{CERTS}",
        f"https://api.paypal.com@evil.example{CERTS}",
        f"https://evil.example#.paypal.com{CERTS}",
        f"https://evil.example\\.paypal.com{CERTS}",
        f"https://127.0.0.1{CERTS}",
        f"https://API.PAYPAL.COM{CERTS}",
        f"https://api.paypal.com.{CERTS}",
        f"https://\u0430pi.paypal.com{CERTS}",
        f"https://api.paypal.com{CERTS}?to=https://evil.example",
        f"https://api.paypal.com{CERTS}#x",
        f"https://api.paypal.com{CERTS}/../../x",
        f"https://api.paypal.com{CERTS}\n",
        f" https://api.paypal.com{CERTS}",
        "https://api.paypal.com/v1/notifications/certs/",
        "https://api.paypal.com/v1/notifications/certs/..",
        "https://api.paypal.com/other/CERT-1",
    ],
)
def test_an_address_that_is_not_paypals_is_never_fetched(url: str) -> None:
    certificates, post = asking(authority().document())
    post.documents[url] = authority().document()

    assert certificates.key(url, now()) is None
    assert post.asked == []


@pytest.mark.parametrize(
    "document",
    [
        Authority().document(),
        authority().document("api.evil.example"),
        authority().document("paypal.com.evil.example"),
        authority().document("evilpaypal.com"),
        authority().document("*.paypal.com"),
        authority().document(until=timedelta(hours=-1)),
        authority().document(since=timedelta(hours=1)),
        b"",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"\x00" * 100,
    ],
    ids=["foreign", "host", "suffix", "no dot", "wildcard", "expired", "early", "empty", "broken", "bytes"],
)
def test_a_certificate_that_nobody_vouches_for_is_not_believed(document: bytes) -> None:
    certificates, post = asking(document)

    assert certificates.key(URL, now()) is None
    assert post.asked == [URL]


def test_a_kept_certificate_ends_when_it_expires() -> None:
    certificates, _ = asking(authority().document(until=DAY))

    assert certificates.key(URL, now())
    assert certificates.key(URL, now() + 2 * DAY) is None


def test_what_cannot_be_fetched_now_is_asked_for_again() -> None:
    certificates, post = asking(httpx.ConnectError("no route"))
    with pytest.raises(Unavailable) as refused:
        certificates.key(URL, now())
    post.documents[URL] = authority().document()

    assert refused.value.headers["Retry-After"]
    assert certificates.key(URL, now())


@pytest.mark.parametrize(
    ("status", "content", "found"),
    [(200, b"pem", b"pem"), (404, b"pem", None), (200, b"x" * (BYTES_MAX + 1), None)],
)
def test_what_stands_at_the_address_is_read_up_to_a_limit(
    status: int, content: bytes, found: bytes | None
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=iter([content])))

    assert fetch(URL, transport) == found


def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"Location": "http://169.254.169.254/"})

    assert fetch(URL, httpx.MockTransport(answer)) is None
    assert asked == [URL]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_paypal_is_asked_again_later(status: int) -> None:
    with pytest.raises(httpx.HTTPError):
        fetch(URL, httpx.MockTransport(lambda _: httpx.Response(status)))


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    ticks = iter((0.0, 100.0))
    slowly = httpx.MockTransport(lambda _: httpx.Response(200, content=iter([b"a" * 40_000, b"a" * 25_600])))

    with pytest.raises(httpx.HTTPError):
        fetch(URL, slowly, lambda: next(ticks))


def test_the_authorities_are_mozillas_unless_a_file_is_named() -> None:
    assert paypal_certificates.get_certificates() is paypal_certificates.get_certificates()
