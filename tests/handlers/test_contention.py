"""Many clients tell of few orders at once: nobody is turned away, and everything is counted once."""

import json
from collections.abc import Iterator
from random import Random

import pytest
from starlette.types import ASGIApp

from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.chaos.clients import Delivery, Storm, truth
from tests.conftest import Database
from tests.handlers.senders import SENDERS
from tests.handlers.webhooks import Shop, open_shop
from tests.vendors import paypal_authority
from tests.wire import Wire, served

ORDERS, REPETITIONS, CLIENTS = 12, 3, 10


@pytest.fixture(scope="module")
def app(database: Database) -> ASGIApp:  # noqa: ARG001  (the settings point to it)
    return create_app(get_settings())


@pytest.fixture(scope="module")
def wire(app: ASGIApp) -> Iterator[Wire]:
    with paypal_authority.trusted(), served(app) as wire:
        yield wire


@pytest.fixture
def shop(app: ASGIApp) -> Shop:
    return open_shop(Api(app))


def test_the_same_orders_told_by_everybody_at_once_turn_nobody_away(wire: Wire, shop: Shop) -> None:
    """No two transactions wait for each other: a deadlock would be answered with 503."""
    told = [
        Delivery(shop, sender, topic, json.dumps(payload).encode())
        for sender in SENDERS
        for number in range(0, 3 * ORDERS, 3)  # those that shop and processor both tell
        for topic, payload in sender.life(number)
    ]
    sent = told * REPETITIONS
    Random(3).shuffle(sent)
    storm = Storm(wire.port, len(sent))

    storm.begin(sent, CLIENTS)
    storm.wait_for(len(sent), seconds=120)

    assert storm.statuses == {200: len(sent)}
    assert shop.counts()["deliveries"] == len(storm.receipts) == len(told)
    assert sum(row[0] for row in shop.rows("SELECT redeliveries FROM deliveries")) == len(sent) - len(told)
    assert shop.sums() == truth(told)
