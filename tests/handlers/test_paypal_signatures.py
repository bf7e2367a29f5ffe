"""PayPal's signatures on the wire: what is refused, what is fetched for them, and what a refusal tells."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from handlers.webhooks import intake
from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop
from tests.vendors.paypal_authority import URL, Authority, Post, authority, trusted
from tests.vendors.paypal_payloads import captured


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture(autouse=True)
def post() -> Iterator[Post]:
    with trusted() as post:
        yield post


@pytest.fixture
def shop(api: Api) -> Shop:
    return open_shop(api)


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (timedelta(days=3, hours=23), 200),
        (timedelta(days=4, minutes=1), 401),
        (timedelta(minutes=-4), 200),
        (timedelta(minutes=-6), 401),
    ],
)
def test_a_replayed_or_future_time_is_refused(shop: Shop, age: timedelta, status: int) -> None:
    body = json.dumps(captured()).encode()
    headers = shop.by_paypal(body, intake.now() - age)

    assert shop.post(f"/api/webhooks/paypal/in/{shop.key('paypal')}", body, headers).status_code == status


@pytest.mark.parametrize(
    ("header", "change"),
    [
        *((name, lambda value: value[:-1] + chr(ord(value[-1]) ^ 1))
          for name in ("ID", "TIME", "SIG")),
        *((name, lambda value: chr(ord(value[0]) ^ 1) + value[1:]) for name in ("ID", "TIME", "SIG")),
        *((name, lambda _: "") for name in ("ID", "TIME", "SIG")),
        ("SIG", lambda value: value + "\t\n".strip() + "="),
        ("ID", lambda value: value + "|"),
        ("TIME", lambda value: value.replace("Z", "+00:00")),
    ],
)  # fmt: skip
def test_every_signed_header_counts(shop: Shop, header: str, change: Any) -> None:
    body, name = json.dumps(captured()).encode(), f"PAYPAL-TRANSMISSION-{header}"
    headers = shop.by_paypal(body)

    reply = shop.paypal(body, **headers | {name: change(headers[name])})

    assert reply.status_code == 401
    assert shop.counts() == {}


def test_no_other_algorithm_and_no_header_less_will_do(shop: Shop) -> None:
    body = json.dumps(captured()).encode()
    for name in ("ID", "TIME", "SIG"):
        headers = shop.by_paypal(body)
        del headers[f"PAYPAL-TRANSMISSION-{name}"]
        path = f"/api/webhooks/paypal/in/{shop.key('paypal')}"
        assert shop.post(path, body, headers).status_code == 401
    for algorithm in ("", "SHA1withRSA", "sha256withrsa", "none"):
        assert shop.paypal(body, **{"PAYPAL-AUTH-ALGO": algorithm}).status_code == 401


def test_a_flipped_bit_of_the_body_is_refused(shop: Shop) -> None:
    body = json.dumps(captured()).encode()
    headers = shop.by_paypal(body)
    path = f"/api/webhooks/paypal/in/{shop.key('paypal')}"
    for bit in range(0, len(body) * 8, len(body) * 8 // 40):
        flipped = bytearray(body)
        flipped[bit // 8] ^= 1 << bit % 8
        assert shop.post(path, bytes(flipped), headers).status_code == 401

    assert shop.counts() == {}


@pytest.mark.parametrize(
    "url",
    [
        URL.replace("https", "http"),
        URL.replace("api.paypal.com", "api.paypal.com.evil.example"),
        URL.replace("api.paypal.com", "169.254.169.254"),
        URL.replace("api.paypal.com", "api.paypal.com:8080"),
        URL.replace("api.paypal.com", "api.paypal.com@evil.example"),
        URL.replace("/v1/notifications/certs", "/redirect"),
        "",
    ],
)
def test_a_certificate_elsewhere_is_refused_and_never_fetched(shop: Shop, post: Post, url: str) -> None:
    post.documents[url] = authority().document()

    assert shop.paypal(captured(), **{"PAYPAL-CERT-URL": url}).status_code == 401
    assert post.asked == []


@pytest.mark.parametrize(
    "document",
    [Authority().document(), authority().document(until=timedelta(hours=-1)), b"<html>"],
    ids=["foreign", "expired", "no certificate"],
)
def test_a_certificate_that_nobody_vouches_for_is_refused(shop: Shop, post: Post, document: bytes) -> None:
    post.documents[URL] = document

    assert shop.paypal(captured()).status_code == 401
    assert shop.counts() == {}


def test_while_the_certificate_cannot_be_fetched_paypal_is_told_to_come_again(shop: Shop, post: Post) -> None:
    post.documents[URL] = httpx.ConnectTimeout("slow")
    reply = shop.paypal(captured())
    assert (reply.status_code, shop.counts()) == (503, {})
    assert int(reply.headers["Retry-After"]) > 0

    post.documents[URL] = authority().document()
    assert [shop.paypal(captured(name)).status_code for name in ("WH-1", "WH-2")] == [200, 200]
    assert post.asked == [URL, URL]  # the one that failed, and the one that is kept


def test_an_unknown_key_and_a_wrong_signature_get_the_same_answer(shop: Shop) -> None:
    body = json.dumps(captured()).encode()
    replies = [
        shop.post("/api/webhooks/paypal/in/nobody", body, shop.by_paypal(body)),
        shop.paypal(body, **{"PAYPAL-TRANSMISSION-SIG": "AAAA"}),
    ]
    told = [reply.json() for reply in replies]
    for problem in told:
        for name in ("correlation_id", "instance", "timestamp"):
            problem.pop(name, None)

    assert told[0] == told[1]
    assert {reply.status_code for reply in replies} == {401}
