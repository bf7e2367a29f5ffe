"""The console on a real server, with a small shop behind it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from skeldir.console import create_console
from skeldir.db.session import tenant_session
from skeldir.domain.ad_spend import Figure, digest
from skeldir.domain.ids import uuid7
from skeldir.repository import ad_spend, deliveries
from skeldir.settings import get_settings
from tests.conftest import Database
from tests.identity import TestUser, make_user
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import Booking, Sale, Visit, World
from workers.attribution import attribute_marked

NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Shop:
    """A tenant with revenue, and somebody who may look at it."""

    tenant_id: UUID
    user: TestUser


def month(order_id: str, crowd: int = 0) -> World:
    """One order of 100.00 EUR led to by an ad and a mail, of which 30.00 went back, and one in yen.

    And a crowd, each with an order of a few euros that a mail or a search led to.
    """
    ordered_at = NOW - timedelta(days=3)
    visits = [
        Visit(uuid4(), "j", ordered_at - timedelta(days=2), "google_search_paid", "brand"),
        Visit(uuid4(), "j", ordered_at - timedelta(hours=2), "email"),
        Visit(uuid4(), "y", ordered_at - timedelta(hours=1), "tiktok_paid"),
    ]
    sales = [Sale(order_id, "j", ordered_at), Sale(f"{order_id}-yen", "y", ordered_at)]
    bookings = [
        Booking(uuid4(), order_id, "captured", 10_000, ordered_at),
        Booking(uuid4(), order_id, "refunded", -3_000, ordered_at + timedelta(days=1)),
        Booking(uuid4(), f"{order_id}-yen", "captured", 4_300, ordered_at, "JPY"),
    ]
    for number in range(crowd):
        at = ordered_at + timedelta(minutes=number)
        channel = "organic" if number % 5 < 2 else "email"
        visits.append(Visit(uuid4(), f"c-{number}", at, channel))
        sales.append(Sale(f"{order_id}-{number}", f"c-{number}", at))
        bookings.append(Booking(uuid4(), f"{order_id}-{number}", "captured", 500 + number * 37 % 900, at))
    return World(visits, sales, bookings)


@pytest.fixture
def make_shop(database: Database, make_tenant: Callable[[str], UUID]) -> Callable[..., Shop]:
    """Return a function that makes a tenant whose month is booked and attributed."""

    def make(name: str = "Fjord Running", crowd: int = 0) -> Shop:
        tenant_id = make_tenant(name)
        booked = month(f"{name}-1001", crowd)
        with database.connect() as connection:
            worlds.store(connection, tenant_id, booked)
            worlds.mark(connection, tenant_id, booked.journeys, 60)
        attribute_marked.apply(kwargs={"tenant_id": str(tenant_id)}, task_id=str(uuid4())).get()
        with tenant_session(tenant_id) as session:
            told = [
                ("orders/paid", "booked", None, None),
                ("products/update", "dead_lettered", "unknown_provider_event", "X-Shopify-Topic"),
            ]
            for topic, outcome, reason, field in told:
                delivery = deliveries.Delivery(
                    uuid4(), "shopify", topic, outcome, NOW, reason_code=reason, reason_field=field  # type: ignore[arg-type]
                )  # fmt: skip
                deliveries.claim(session, delivery, {})
        return Shop(tenant_id, make_user(tenant_id, email=f"{uuid7().hex}@example.test"))

    return make


def spend(shop: Shop) -> None:
    """Have ads cost something in euros, with a return and without, and in a currency without revenue."""
    day = (NOW - timedelta(days=3)).date()
    figures = [
        Figure(day, "google_search_paid", "brand", "EUR", 1_250, 4_000, 25),
        Figure(day, "facebook_paid", "lookalike", "EUR", 500, None, None),
        Figure(day, "facebook_paid", "lookalike", "USD", 700, None, None),
    ]
    with tenant_session(shop.tenant_id) as session:
        ad_spend.take_in(
            session, figures, content_digest=digest(figures), media_type="text/csv", imported_by=None
        )


@pytest.fixture
def shop(make_shop: Callable[[str], Shop]) -> Shop:
    """Return a shop."""
    return make_shop("Fjord Running")


@pytest.fixture
def console(database: Database) -> Flask:
    """Return the console."""
    del database
    return create_console(get_settings())


@pytest.fixture
def client(console: Flask) -> FlaskClient:
    """Return a browser without eyes, at the console itself."""
    return console.test_client()


@pytest.fixture
def base_url(console: Flask) -> Iterator[str]:
    """Serve the console under its path, as the API's process does, and return its address."""
    mounted = DispatcherMiddleware(Response("elsewhere", status=404), {"/console": console})
    server = make_server("127.0.0.1", 0, mounted, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/console"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
