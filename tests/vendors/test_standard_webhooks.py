"""Signatures of the Standard Webhooks specification are checked as it says, and nothing near one passes."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from skeldir.vendors.secrets import new_secret
from skeldir.vendors.standard_webhooks import SIGNATURES_MAX, Message

BODY = b'{"type":"payment.captured"}'
NOW = 1_800_000_000
SECRET, OTHER = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", new_secret("custom").encode()
PRIVATE = Ed25519PrivateKey.generate()
PUBLIC = b"whpk_" + base64.b64encode(PRIVATE.public_key().public_bytes_raw())


def mac(secret: bytes = SECRET, body: bytes = BODY, message_id: str = "msg_1", at: int = NOW) -> str:
    """Sign as the specification's own library does."""
    signer = Webhook(secret.decode())
    return signer.sign(message_id, datetime.fromtimestamp(at, UTC), body.decode())


def signature(body: bytes = BODY, message_id: str = "msg_1", at: int = NOW) -> str:
    """Sign with the private key."""
    signed = PRIVATE.sign(f"{message_id}.{at}.".encode() + body)
    return f"v1a,{base64.b64encode(signed).decode()}"


def headers(signatures: str, message_id: str = "msg_1", at: object = NOW) -> dict[str, str]:
    return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signatures}


def is_good(told: dict[str, str], *secrets: bytes, body: bytes = BODY, now: float = NOW) -> bool:
    return Message.of(told).is_of(body, secrets or (SECRET,), now)


@given(body=st.text(max_size=200), key=st.binary(min_size=24, max_size=64), at=st.integers(10**9, 10**10))
def test_what_the_specifications_library_signs_is_taken(body: str, key: bytes, at: int) -> None:
    secret, raw = b"whsec_" + base64.b64encode(key), body.encode()

    assert is_good(headers(mac(secret, raw, at=at), at=at), secret, body=raw, now=at)
    assert not is_good(headers(mac(secret, raw, at=at), at=at), OTHER, body=raw, now=at)


def test_a_signature_by_the_private_key_is_taken_for_the_public_one() -> None:
    assert is_good(headers(signature()), PUBLIC)
    assert not is_good(headers(signature(b"{}")), PUBLIC)
    assert not is_good(headers(signature()), SECRET)


def test_one_right_signature_among_several_is_enough_for_either_secret() -> None:
    told = headers(f"v1,AAAA {mac(OTHER)} v2,whatever {signature()} {mac()}")

    for secret in (SECRET, OTHER, PUBLIC):
        assert is_good(told, secret)
        assert is_good(told, new_secret("custom").encode(), secret)
    assert not is_good(told, new_secret("custom").encode())


@pytest.mark.parametrize(("age", "accepted"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_a_timestamp_is_good_for_five_minutes_both_ways(age: int, accepted: bool) -> None:  # noqa: FBT001
    assert is_good(headers(mac()), now=NOW + age) is accepted


@pytest.mark.parametrize(
    "told",
    [
        {},
        headers(""),
        headers("v1,"),
        headers(mac().removeprefix("v1,")),
        headers(mac().replace("v1,", "v1a,")),
        headers(mac().replace("v1,", "V1,")),
        headers(mac().rstrip("=")),
        headers(mac() + "="),
        headers(mac().replace(",", ", ")),
        headers(mac(), "msg_2"),
        headers(mac(), at=NOW + 1),
        headers(mac(message_id="a.b"), "a.b"),
        headers(mac(message_id=""), ""),
        headers(mac(), at=f"+{NOW}"),
        headers(mac(), at=f"{NOW}.0"),
        headers(mac(), at=f" {NOW}"),
        headers(" ".join(["v1,AAAA"] * SIGNATURES_MAX + [mac()])),
    ],
)
def test_what_is_not_quite_as_specified_is_refused(told: dict[str, str]) -> None:
    assert not is_good(told)


def test_another_spelling_of_the_same_signature_is_refused() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    good = mac()
    respelled = good[:-2] + alphabet[alphabet.index(good[-2]) ^ 1] + "="

    assert base64.b64decode(respelled[3:]) == base64.b64decode(good[3:])
    assert not is_good(headers(respelled))


def test_no_key_that_stands_in_for_a_missing_one_opens_anything() -> None:
    """A public key is no secret to sign with, nor is what is tried in its stead."""
    for key in (PUBLIC, PUBLIC.removeprefix(b"whpk_"), b"nobody's", bytes(32)):
        wrong = Webhook(key).sign("msg_1", datetime.fromtimestamp(NOW, UTC), BODY.decode())
        assert not is_good(headers(wrong), PUBLIC)
    assert not is_good(headers("v1a," + base64.b64encode(bytes(64)).decode()), SECRET)


@given(header=st.text(max_size=200), message_id=st.text(max_size=50), at=st.text(max_size=20))
def test_no_header_makes_a_check_fail_otherwise_than_by_refusing(
    header: str, message_id: str, at: str
) -> None:
    assert not is_good(headers(header, message_id, at), SECRET, PUBLIC)
