"""Requests that no vendor's library makes: headers, methods and addresses that are odd in every way."""

import json
import os
from collections.abc import Iterator
from random import Random

import pytest
from starlette.types import ASGIApp

from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.senders import SENDERS, Sender
from tests.handlers.webhooks import Shop, open_shop
from tests.vendors import paypal_authority
from tests.wire import Answer, Header, Wire, plain, served

IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
CASES = 4_000 if IS_LONG else 250
VENDORS = pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.vendor)

VALUES = (
    b"", b" ", b"\xff\xfe", b"\xc3\xa9", "é€".encode(), b"a" * 60_000, b"=" * 44, b",", b"t=,v1=", b"v1,",
    b"\t", b"%00", b'"', b"0", b"-1", b"9" * 40, b"NaN", b"*/*;q=nan", b"application/json;q=1e999",
    b"application/xml", b";;;=", b"text/html;charset=\xff", b"application/json; charset=utf-7",
    b"multipart/form-data", b"https://x.paypal.com/", b"https://169.254.169.254/latest/meta-data",
    b"2026-11-20T10:00:00Z", b"SHA1withRSA",
)  # fmt: skip
NAMES = (
    b"Accept", b"Accept-Encoding", b"Authorization", b"Content-Type", b"Content-Encoding",
    b"Content-Language", b"Cookie", b"Expect", b"Forwarded", b"Host", b"If-None-Match", b"Idempotency-Key",
    b"Origin", b"Range", b"X-Correlation-ID", b"X-Forwarded-For", b"X-HTTP-Method-Override",
    b"X-Skeldir-Tenant-Key", b"X-Shopify-Topic", b"X-Shopify-Event-Id", b"X-WC-Webhook-Topic",
    b"X-WC-Webhook-Source",
)  # fmt: skip
METHODS = (b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"PROPFIND", b"M-SEARCH")
SEGMENTS = (
    b"", b"%00", b"%FF", b"%2F", b"%2e%2e", b"..", b"%", b"%zz", b"a" * 20_000, "ключ".encode(), b"?",
    b"?a=%ff&a", b"?" + b"&" * 3_000, b";x=1", b"%C0%AF", b"+", b"'", b"ske_", b"{endpoint_key}",
    b"%E2%80%AE", b"\\",
)  # fmt: skip


@pytest.fixture(scope="module")
def app(database: Database) -> ASGIApp:  # noqa: ARG001  (the settings point to it)
    return create_app(get_settings().model_copy(update={"validate_responses": True}))


@pytest.fixture(scope="module")
def wire(app: ASGIApp) -> Iterator[Wire]:
    with paypal_authority.trusted(), served(app) as wire:
        yield wire


@pytest.fixture
def shop(app: ASGIApp) -> Shop:
    return open_shop(Api(app))


def signed(sender: Sender, shop: Shop, number: int) -> tuple[bytes, list[Header]]:
    """Return a good delivery's body and headers."""
    topic, payload = list(sender.life(number))[1 if sender.vendor != "paypal" else 0]
    body = json.dumps(payload).encode()
    return body, [(b"Content-Type", b"application/json"), *plain(sender.sign(shop, body, topic))]


@VENDORS
def test_odd_headers_are_ignored_or_refused_and_never_a_fault(wire: Wire, shop: Shop, sender: Sender) -> None:
    random = Random(sender.vendor)
    for number in range(CASES):
        body, headers = signed(sender, shop, number)
        for _ in range(random.choice((1, 1, 2, 4))):
            _spoil(random, headers)
        answer = wire.send(b"POST", sender.path(shop).encode(), headers, body)
        assert answer.status < 500, (answer, headers)
        if answer.status == 200:
            assert json.loads(answer.body)["outcome"] in {"booked", "recorded", "dead_lettered"}, headers

    assert_works(wire, sender, shop)


@VENDORS
def test_odd_addresses_and_methods_are_refused_and_never_a_fault(
    wire: Wire, shop: Shop, sender: Sender
) -> None:
    random = Random(sender.vendor)
    body, headers = signed(sender, shop, 1)
    path = sender.path(shop).encode()
    for _ in range(CASES):
        odd, method = random.choice(SEGMENTS), random.choice((*METHODS, b"POST", b"POST", b"POST"))
        before, _, key = path.rpartition(b"/")
        targets = (
            path + odd, path + b"/" + odd, before + b"/" + odd, before + odd + b"/" + key, b"/" + odd + path,
            before + b"/" + key[:-1] + odd, b"http://skeldir.test" + path + odd,
        )  # fmt: skip
        target = random.choice(targets)
        answer = wire.send(method, target, headers, body)
        assert answer.status < 500, (method, target, answer)
        if answer.status >= 400 and answer.body:
            assert_no_secret(answer, key)

    assert_works(wire, sender, shop)


@VENDORS
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_body_in_chunks_is_the_same_delivery(wire: Wire, shop: Shop, sender: Sender, size: int) -> None:
    body, headers = signed(sender, shop, 1)
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    lines = [b"POST %s HTTP/1.1" % sender.path(shop).encode(), b"Host: skeldir.test"]
    lines += [b"%s: %s" % header for header in (*headers, (b"Transfer-Encoding", b"chunked"))]

    first = wire.raw(b"\r\n".join([*lines, b"", chunks + b"0\r\n\r\n"]))
    second = wire.send(b"POST", sender.path(shop).encode(), headers, body)

    assert (first.status, first.body) == (200, second.body)
    assert shop.counts()["deliveries"] == 1


@VENDORS
def test_a_signature_sent_twice_is_no_signature(wire: Wire, shop: Shop, sender: Sender) -> None:
    """Which of two headers counts is something that two programs may disagree on.

    Only the Standard Webhooks' signatures are a list anyway, of which one is enough.
    """
    body, headers = signed(sender, shop, 1)
    names = {name.encode() for name in sender.signed_headers if name != "webhook-signature"}
    for again in [header for header in headers if header[0] in names]:
        assert wire.send(b"POST", sender.path(shop).encode(), [again, *headers], body).status == 401, again

    assert shop.counts() == {}
    assert_works(wire, sender, shop)


def _spoil(random: Random, headers: list[Header]) -> None:
    """Change, repeat, remove or add a header."""
    deed = random.random()
    place = random.randrange(len(headers)) if headers else 0
    if deed < 0.2 and headers:
        del headers[place]
    elif deed < 0.4 and headers:
        headers.insert(0, (headers[place][0], random.choice((headers[place][1], *VALUES))))
    elif deed < 0.6 and headers:
        headers[place] = (headers[place][0], random.choice(VALUES))
    else:
        headers.append((random.choice(NAMES), random.choice(VALUES)))


def assert_works(wire: Wire, sender: Sender, shop: Shop) -> None:
    """Show that a good delivery is booked as ever."""
    for topic, payload in sender.life(1_000_000):
        body = json.dumps(payload).encode()
        headers = [(b"Content-Type", b"application/json"), *plain(sender.sign(shop, body, topic))]
        answer = wire.send(b"POST", sender.path(shop).encode(), headers, body)
        assert answer.status == 200, answer
        assert json.loads(answer.body)["outcome"] != "dead_lettered", answer


def assert_no_secret(answer: Answer, key: bytes) -> None:
    """Show that a refusal does not repeat the endpoint's key."""
    assert key not in answer.body, answer
