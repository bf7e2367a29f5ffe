"""Ingestion goes on whatever becomes of the work behind it: a delivery gets its receipt, and is booked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from skeldir.app import create_app
from skeldir.queue import sending
from skeldir.settings import get_settings
from tests import waiting as queue
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop, receipt
from tests.vendors.payloads import shopify_order

ORDERS = 6
WAITING = 20_000


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def shop(api: Api, forget: Callable[[], None]) -> Shop:
    forget()
    return open_shop(api)


@pytest.fixture
def forget(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that forgets what was sent and what failed; the test's own is forgotten after it."""

    def anew() -> None:
        monkeypatch.setattr(sending, "_rest", sending.Rest())
        monkeypatch.setattr(sending, "_throttle", sending.Throttle())

    return anew


@pytest.fixture
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        queue.clear(connection)
        yield connection
        queue.clear(connection)


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """Have somebody hold the broker's tables as a migration would."""
    with database.connect() as connection, connection.transaction():
        connection.execute(
            """LOCK TABLE skeldir_broker.messages, skeldir_broker.scheduled_messages, skeldir_broker.queues
                 IN ACCESS EXCLUSIVE MODE"""
        )
        yield


def deliver(shop: Shop, first: int = 1) -> None:
    """Deliver orders; each gets the normal receipt, and the same one when it is delivered again."""
    for order_id in range(first, first + ORDERS):
        with receipt(shop.shopify("orders/paid", shopify_order(order_id))) as told:
            assert told["outcome"] == "booked"
        with receipt(shop.shopify("orders/paid", shopify_order(order_id))) as again:
            assert again == told


def waiting(superuser: psycopg.Connection) -> int:
    """Return how many messages nobody has taken."""
    return len(queue.headers(superuser))


def test_while_no_worker_runs(shop: Shop, superuser: psycopg.Connection) -> None:
    """One message waits for whoever works some day, and the marks say what there is to do."""
    deliver(shop)

    assert len(shop.entries()) == ORDERS
    assert shop.counts()["dirty_marks"] >= 1
    assert waiting(superuser) == 1


def test_while_the_queue_is_long(shop: Shop, superuser: psycopg.Connection) -> None:
    queue.fill(superuser, "attribution", WAITING)

    deliver(shop)

    assert len(shop.entries()) == ORDERS
    assert waiting(superuser) == WAITING + 1


def test_while_somebody_has_locked_the_queue(
    shop: Shop, superuser: psycopg.Connection, database: Database, forget: Callable[[], None]
) -> None:
    """Nobody waits for the lock: a delivery is committed before a message is sent."""
    with locked(database):
        deliver(shop)

    assert len(shop.entries()) == ORDERS
    assert waiting(superuser) == 0
    forget()
    deliver(shop, first=100)
    assert waiting(superuser) == 1


def test_while_the_queue_cannot_be_written(shop: Shop, superuser: psycopg.Connection) -> None:
    superuser.execute("REVOKE USAGE ON SCHEMA skeldir_broker FROM app_rw")
    try:
        deliver(shop)
    finally:
        superuser.execute("GRANT USAGE ON SCHEMA skeldir_broker TO app_rw")

    assert len(shop.entries()) == ORDERS
    assert waiting(superuser) == 0


def test_while_the_queue_is_gone(shop: Shop, superuser: psycopg.Connection) -> None:
    superuser.execute("ALTER SCHEMA skeldir_broker RENAME TO elsewhere")
    try:
        deliver(shop)
    finally:
        superuser.execute("ALTER SCHEMA elsewhere RENAME TO skeldir_broker")

    assert len(shop.entries()) == ORDERS
