"""One flipped bit of what was signed, and nothing of a delivery is believed or kept."""

import json
import string
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
from tests.wire import Header, Wire, plain, served

BODY_BITS = 200
TOKEN = string.ascii_letters.encode() + string.digits.encode() + b"+/="
VENDORS = pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.vendor)


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


def flipped(value: bytes, bit: int) -> bytes:
    """Return a value of which one bit is another."""
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def delivery(sender: Sender, shop: Shop, number: int = 0) -> tuple[bytes, dict[str, str]]:
    """Return a body of the vendor's that tells money, and its headers."""
    topic, payload = list(sender.life(number))[-1]
    body = json.dumps(payload).encode()
    return body, sender.sign(shop, body, topic)


def post(wire: Wire, sender: Sender, shop: Shop, body: bytes, headers: list[Header]) -> int:
    """Send a delivery as it is written here."""
    target = sender.path(shop).encode()
    return wire.send(b"POST", target, [(b"Content-Type", b"application/json"), *headers], body).status


@VENDORS
def test_a_flipped_bit_of_the_body_is_refused_and_nothing_is_kept(
    wire: Wire, shop: Shop, sender: Sender
) -> None:
    body, headers = delivery(sender, shop)
    for bit in Random(sender.vendor).sample(range(8 * len(body)), BODY_BITS):
        assert post(wire, sender, shop, flipped(body, bit), plain(headers)) == 401, bit

    assert shop.counts() == {}
    assert post(wire, sender, shop, body, plain(headers)) == 200


@VENDORS
def test_a_flipped_bit_of_a_signed_header_is_refused_and_nothing_is_kept(
    wire: Wire, shop: Shop, sender: Sender
) -> None:
    """Every bit. Some make a line that is no header any more: those the server refuses as such."""
    body, sent = delivery(sender, shop)
    headers = plain(sent)
    statuses = set()
    for name in sender.signed_headers:
        place = next(index for index, (known, _) in enumerate(headers) if known == name.encode())
        for bit in range(8 * len(headers[place][1])):
            altered = [*headers]
            altered[place] = (name.encode(), flipped(headers[place][1], bit))
            status = post(wire, sender, shop, body, altered)
            statuses.add(status)
            assert status in {400, 401}, (name, bit)

    assert 401 in statuses
    assert shop.counts() == {}
    assert post(wire, sender, shop, body, headers) == 200


@VENDORS
def test_a_flipped_bit_of_the_key_in_the_address_is_refused_and_nothing_is_kept(
    wire: Wire, shop: Shop, sender: Sender
) -> None:
    """Every bit but those that make a line which is no request, or another address."""
    body, headers = delivery(sender, shop)
    before, _, key = sender.path(shop).encode().rpartition(b"/")
    for bit in range(8 * len(key)):
        answer = wire.send(b"POST", before + b"/" + flipped(key, bit), plain(headers), body)
        assert answer.status in {400, 401, 404}, bit

    assert shop.counts() == {}


@pytest.mark.parametrize(
    ("vendor", "name", "version", "between"),
    [("stripe", "Stripe-Signature", b"v1=", b","), ("custom", "webhook-signature", b"v1,", b" ")],
)
def test_of_several_signatures_one_good_one_is_enough(  # noqa: PLR0917 - a table's columns
    wire: Wire, shop: Shop, vendor: str, name: str, version: bytes, between: bytes
) -> None:
    """While a secret is rolled both sign, so what spoils one of the signatures does no harm."""
    sender = next(sender for sender in SENDERS if sender.vendor == vendor)
    body, sent = delivery(sender, shop)
    others = plain({known: value for known, value in sent.items() if known != name})
    start, _, digest = sent[name].encode().partition(version)
    for bit in range(0, 8 * len(digest), 37):
        spoilt = bytes(byte if byte in TOKEN else ord("-") for byte in flipped(digest, bit))
        for signatures in ((digest, spoilt), (spoilt, digest)):
            header = start + between.join(version + one for one in signatures)
            assert post(wire, sender, shop, body, [*others, (name.encode(), header)]) == 200
        alone = [*others, (name.encode(), start + version + spoilt)]
        assert post(wire, sender, shop, body, alone) == 401

    assert shop.counts()["deliveries"] == 1
