"""Signatures are checked as the vendors make them, and nothing near a right one passes."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skeldir.vendors.signatures import verify_base64_hmac, verify_stripe, wordpress_key

BODY = b'{"id": 1}'
NOW = 1_800_000_000


def shopify(secret: bytes, body: bytes = BODY) -> str:
    """Sign as Shopify does."""
    return base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()


def stripe(secret: bytes, body: bytes = BODY, at: int = NOW) -> str:
    """Sign as Stripe does, without the header's name for it."""
    return hmac.new(secret, f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def test_either_active_secret_signs_a_shopify_body() -> None:
    assert verify_base64_hmac(BODY, shopify(b"old"), [b"new", b"old"])
    assert not verify_base64_hmac(BODY, shopify(b"older"), [b"new", b"old"])


@pytest.mark.parametrize(
    "signature", [None, "", "AAAA", "not base64!", "é", " " + shopify(b"s"), shopify(b"s") + "\n"]
)
def test_what_is_not_the_signature_is_refused(signature: str | None) -> None:
    assert not verify_base64_hmac(BODY, signature, [b"s"])


def test_another_spelling_of_the_same_bytes_is_refused() -> None:
    signature = shopify(b"s")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet.index(signature[-2])
    respelled = signature[:-2] + alphabet[last ^ 1] + "="

    assert base64.b64decode(respelled) == base64.b64decode(signature)
    assert not verify_base64_hmac(BODY, respelled, [b"s"])


def test_stripe_may_send_several_signatures_while_a_secret_is_rolled() -> None:
    header = f"t={NOW},v1={stripe(b'new')},v1={stripe(b'old')},v0={'0' * 64}"

    assert verify_stripe(BODY, header, [b"old"], NOW)
    assert verify_stripe(BODY, header, [b"other", b"new"], NOW)
    assert not verify_stripe(BODY, header, [b"other"], NOW)


@pytest.mark.parametrize(("age", "accepted"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_stripes_timestamp_is_good_for_five_minutes_both_ways(age: int, accepted: bool) -> None:  # noqa: FBT001
    header = f"t={NOW},v1={stripe(b's')}"

    assert verify_stripe(BODY, header, [b"s"], NOW + age) is accepted


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=,v1=",
        f"v1={stripe(b's')}",
        f"t={NOW}",
        f"t={NOW},v0={stripe(b's')}",
        f"t={NOW},t={NOW},v1={stripe(b's')}",
        f"t=+{NOW},v1={stripe(b's')}",
        f"t={NOW},v1={stripe(b's').upper()}",
        f"t=٣{NOW},v1={stripe(b's')}",
    ],
)
def test_a_malformed_stripe_header_is_refused(header: str | None) -> None:
    assert not verify_stripe(BODY, header, [b"s"], NOW)


@given(st.data())
def test_a_flipped_bit_of_body_or_header_is_refused(data: st.DataObject) -> None:
    header = f"t={NOW},v1={stripe(b's')}".encode()
    whole = bytearray(BODY + header)
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    body, altered = bytes(whole[: len(BODY)]), bytes(whole[len(BODY) :]).decode("latin-1")

    assert not verify_stripe(body, altered, [b"s"], NOW)


@given(header=st.text(max_size=200), body=st.binary(max_size=50))
def test_no_header_makes_a_check_fail_otherwise_than_by_refusing(header: str, body: bytes) -> None:
    assert not verify_stripe(body, header, [b"s"], NOW)
    assert not verify_base64_hmac(body, header, [b"s"])


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        (b"plain", b"plain"),
        (b"a&amp;b&lt;c&gt;d&quot;e&#039;f&#39;g", b"a&b<c>d\"e'f'g"),
        (b"&#38;&#00038;&#x26;&#X026;&#60;&#062;&#34;&#x22;&#x27;&#X27;", b"&&&&<>\"\"''"),
        (b"&amp;lt;", b"&lt;"),
        (b"&apos;&AMP;&nbsp;&#x3c;&#x3E;&#40;&amp &;", b"&apos;&AMP;&nbsp;&#x3c;&#x3E;&#40;&amp &;"),
        ("ü&amp;".encode(), "ü&".encode()),
        (b"\xff&amp;", b"\xff&"),
    ],
)
def test_a_secret_is_decoded_as_wordpress_does_and_no_further(secret: bytes, key: bytes) -> None:
    assert wordpress_key(secret) == key
