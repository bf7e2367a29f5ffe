"""Whose secret a text can be is told by its form, and what is wrong is told without repeating it."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from skeldir.repository.endpoints import VENDORS
from skeldir.vendors.secrets import can_be_generated, fault_of, new_secret

PUBLIC = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw()
# Points of small order, for which whoever likes can sign: 0, 1, -1 and two of order eight.
FORGEABLE = [
    bytes(32),
    b"\x01" + bytes(31),
    b"\xec" + b"\xff" * 30 + b"\x7f",
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
]
GOOD = [
    ("shopify", "shpss_0123456789abcdef0123456789abcdef"),
    ("shopify", "hush0123456789ab"),
    ("stripe", "whsec_0123456789abcdefABCDEF0123456789"),
    ("stripe", "whsec_" + "0f" * 32),
    ("woocommerce", "e-4nE%$|aW=7 <>&'\"[Q}~"),
    ("woocommerce", "müßig und lang"),
    ("paypal", "0EH40505U7160970P"),
    ("custom", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("custom", "whsec_" + b64encode(bytes(64)).decode()),
    ("custom", "whsec_" + b64encode(bytes(32)).decode().rstrip("=")),
    ("custom", "whpk_" + b64encode(PUBLIC).decode()),
]
BAD = [
    ("shopify", "short"),
    ("shopify", "with a space in the middle"),
    ("stripe", "sk_live_0123456789abcdefABCDEF0123456789"),
    ("stripe", "whsec_short"),
    ("stripe", "whsec_0123456789abcdefABCDEF0123456789\n"),
    ("woocommerce", "seven77"),
    ("woocommerce", " with spaces around "),
    ("woocommerce", "with a \x00 in it"),
    ("woocommerce", "with half \ud800 a letter"),
    ("paypal", "0eh40505u7160970p"),
    ("paypal", "WH-0EH40505U7160970P"),
    ("custom", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("custom", "whsec_" + b64encode(bytes(23)).decode()),
    ("custom", "whsec_" + b64encode(bytes(65)).decode()),
    ("custom", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS*"),
    ("custom", "whsec_" + b64encode(bytes(32)).decode()[:-2] + "B="),
    ("custom", "whpk_" + b64encode(bytes(33)).decode()),
    ("custom", "whsk_" + b64encode(PUBLIC).decode()),
    *(("custom", "whpk_" + b64encode(key).decode()) for key in FORGEABLE),
]


@pytest.mark.parametrize(("vendor", "secret"), GOOD)
def test_what_a_vendor_shows_is_taken(vendor: str, secret: str) -> None:
    assert fault_of(vendor, secret) is None


@pytest.mark.parametrize(("vendor", "secret"), BAD)
def test_what_is_not_the_vendors_is_told_and_not_repeated(vendor: str, secret: str) -> None:
    fault = fault_of(vendor, secret)

    assert fault is not None
    assert secret not in fault


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_we_make_is_what_we_take_and_is_never_the_same(vendor: str) -> None:
    made = {new_secret(vendor) for _ in range(50)}

    assert len(made) == 50
    assert [fault_of(vendor, secret) for secret in made] == [None] * 50


def test_a_secret_is_made_only_where_the_vendor_takes_the_one_it_is_told() -> None:
    assert [vendor for vendor in VENDORS if can_be_generated(vendor)] == ["woocommerce", "custom"]


@given(vendor=st.sampled_from(VENDORS), text=st.text(max_size=300))
def test_whatever_is_taken_can_be_sealed(vendor: str, text: str) -> None:
    if fault_of(vendor, text) is None:
        assert text.encode()
