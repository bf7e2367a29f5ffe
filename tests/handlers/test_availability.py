"""Ingestion goes on whatever becomes of the work behind it: a delivery gets its receipt, and is booked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from skeldir.app import create_app
from skeldir.queue import sending
from skeldir.settings import get_settings
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
        connection.execute("DELETE FROM kombu_message")
        yield connection
        connection.execute("DELETE FROM kombu_message")


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """Have somebody hold the broker's tables as a migration would."""
    with database.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE kombu_message, kombu_queue IN ACCESS EXCLUSIVE MODE")
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
    row = superuser.execute("SELECT count(*) FROM kombu_message WHERE visible").fetchone()
    assert row is not None
    return int(row[0])


def test_while_no_worker_runs(shop: Shop, superuser: psycopg.Connection) -> None:
    """One message waits for whoever works some day, and the marks say what there is to do."""
    deliver(shop)

    assert len(shop.entries()) == ORDERS
    assert shop.counts()["dirty_marks"] >= 1
    assert waiting(superuser) == 1


def test_while_the_queue_is_long(shop: Shop, superuser: psycopg.Connection) -> None:
    superuser.execute(
        """INSERT INTO kombu_message (id, visible, payload, version, queue_id)
           SELECT nextval('message_id_sequence'), true, '{}', 0, q.id
             FROM generate_series(1, %s), kombu_queue q WHERE q.name = 'attribution'""",
        [WAITING],
    )

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
    superuser.execute("REVOKE ALL ON kombu_message, kombu_queue FROM app_rw")
    try:
        deliver(shop)
    finally:
        superuser.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON kombu_message, kombu_queue TO app_rw")

    assert len(shop.entries()) == ORDERS
    assert waiting(superuser) == 0


def test_while_the_queue_is_gone(shop: Shop, superuser: psycopg.Connection) -> None:
    superuser.execute("ALTER TABLE kombu_message RENAME TO kombu_message_elsewhere")
    try:
        deliver(shop)
    finally:
        superuser.execute("ALTER TABLE kombu_message_elsewhere RENAME TO kombu_message")

    assert len(shop.entries()) == ORDERS
