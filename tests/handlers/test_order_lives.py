"""Whole lives of many orders over the wire, from all vendors at once: the ledger ends at the truth."""

from collections.abc import Iterator
from random import Random

import pytest

from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop
from tests.lives.book import book_of
from tests.lives.lives import life, truth
from tests.lives.told import Told
from tests.vendors.paypal_authority import trusted

LIVES = 40


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings()))


@pytest.fixture(autouse=True)
def _post() -> Iterator[None]:
    with trusted():
        yield


def deliver(shop: Shop, told: Told) -> str:
    """Deliver as the vendor does and return what became of it."""
    send = getattr(shop, told.vendor)
    is_told_by_header = told.vendor in ("shopify", "woocommerce")
    reply = send(told.topic, told.payload) if is_told_by_header else send(told.payload)
    outcome: str = reply.json()["outcome"]
    return outcome


def test_many_orders_told_at_once_end_at_the_truth_to_the_cent(api: Api) -> None:
    shop, chance = open_shop(api), Random(7)
    lives = [life(10_000 + number, str(2_000 + number)) for number in range(LIVES)]
    storm = [told for one in lives for told in one.storm(chance)]
    chance.shuffle(storm)
    outcomes = {deliver(shop, told) for told in storm}
    net = {currency: cents for currency, cents in shop.net().items() if cents}

    assert outcomes <= {"booked", "recorded"}
    assert net == truth(lives)
    assert shop.sums() == book_of(told.event for one in lives for told in one.deliveries).daily_sums()
