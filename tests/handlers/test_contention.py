"""Many clients tell of few orders at once: nobody is turned away, and everything is counted once."""

import json
from collections.abc import Iterator
from random import Random

import pytest
from starlette.types import ASGIApp

from skeldir.app import create_app
from skeldir.domain import money
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.chaos.clients import Delivery, Storm, truth
from tests.conftest import Database
from tests.handlers.desk import Desk, replay_all
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
    told = deliveries(shop)
    sent = told * REPETITIONS
    Random(3).shuffle(sent)
    storm = Storm(wire.port, len(sent))

    storm.begin(sent, CLIENTS)
    storm.wait_for(len(sent), seconds=120)

    assert storm.statuses == {200: len(sent)}
    assert shop.counts()["deliveries"] == len(storm.receipts) == len(told)
    assert sum(row[0] for row in shop.rows("SELECT redeliveries FROM deliveries")) == len(sent) - len(told)
    assert shop.sums() == truth(told)


def test_a_replay_and_deliveries_of_the_same_orders_do_not_disturb_each_other(
    wire: Wire, app: ASGIApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of what is told became dead letters; it is replayed while all of it is delivered again."""
    desk = Desk(Api(app))
    told = deliveries(desk.shop)
    Random(4).shuffle(told)
    with monkeypatch.context() as broken:
        broken.setattr(money, "EXPONENTS", {})
        for one in told[::2]:
            assert one.sender.deliver(desk.shop, one.topic, one.body).status_code == 200
    assert desk.shop.sums() == {}
    storm = Storm(wire.port, len(told))

    storm.begin(told, CLIENTS // 2)
    replayed = replay_all(desk, dry_run=False, limit=20)
    storm.wait_for(len(told), seconds=120)

    assert storm.statuses == {200: len(told)}
    resolved = sum(one["resolved_count"] for one in replayed)
    assert desk.shop.rows("SELECT status, count(*) FROM dead_letters GROUP BY 1") == [("resolved", resolved)]
    assert desk.shop.sums() == truth(told)
    assert desk.shop.rows("SELECT count(*) FROM events") == [(len(told),)]


def deliveries(shop: Shop) -> list[Delivery]:
    """Return the lives of a few orders that shop and processor both tell of."""
    return [
        Delivery(shop, sender, topic, json.dumps(payload).encode())
        for sender in SENDERS
        for number in range(0, 3 * ORDERS, 3)
        for topic, payload in sender.life(number)
    ]
