"""Realtime revenue on the wire: from the ledger at once, per currency, told again only if it changed."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

import handlers.realtime
from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import open_shop
from tests.identity import log_in, make_user
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import Booking, World

PATH = "/api/v1/revenue/realtime"
LEGACY_PATH = "/api/attribution/revenue/realtime"
NOTHING = {"net_cents": 0, "captured_cents": 0, "reversed_cents": 0, "order_count": 0, "verified": False}


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def viewer(tenant: UUID) -> str:
    return log_in(make_user(tenant, "viewer")).tokens.access.token


def book(database: Database, tenant: UUID, *bookings: Booking, source: str = "shopify") -> None:
    with database.connect() as connection:
        worlds.store(connection, tenant, World([], [], list(bookings)))
        if source != "shopify":
            connection.execute("ALTER TABLE ledger_entries DISABLE TRIGGER append_only")
            ids = [booking.entry_id for booking in bookings]
            connection.execute(
                "UPDATE ledger_entries SET source = %s WHERE entry_id = ANY(%s)", (source, ids)
            )
            connection.execute("ALTER TABLE ledger_entries ENABLE TRIGGER append_only")


def entry(
    number: int, kind: str, cents: int, at: datetime, *, order: str = "o-1", currency: str = "EUR"
) -> Booking:
    return Booking(UUID(int=number), order, kind, cents, at, currency)


def ask(api: Api, token: str, path: str = PATH, tag: str | None = None, **query: str) -> Any:
    headers = {"If-None-Match": tag} if tag else {}
    return api.send("GET", path, token=token, params=query, headers=headers)


def test_each_currency_is_added_up_by_itself_in_each_window(
    api: Api, database: Database, tenant: UUID, viewer: str
) -> None:
    """By the time at which money moved: neither what is older than a day nor what is yet to come counts."""
    now = datetime.now(UTC)
    book(
        database,
        tenant,
        entry(1, "captured", 1_000, now - timedelta(seconds=5)),
        entry(2, "refunded", -300, now - timedelta(seconds=4)),
        entry(3, "captured", 50, now - timedelta(minutes=30), order="o-2"),
        entry(4, "captured", 7, now - timedelta(hours=23), order="o-3"),
        entry(5, "captured", 999_999, now - timedelta(hours=25), order="o-4"),
        entry(6, "captured", 999_999, now + timedelta(hours=1), order="o-5"),
        entry(7, "authorised", 0, now, order="o-6"),
        entry(8, "captured", 300, now - timedelta(minutes=2), order="o-7", currency="JPY"),
    )
    reply = ask(api, viewer)
    assert reply.status_code == 200, reply.text
    euros, yen = reply.json()["currencies"]
    minute = {
        "net_cents": 700,
        "captured_cents": 1_000,
        "reversed_cents": -300,
        "order_count": 1,
        "verified": False,
    }
    assert euros["last_minute"] == minute
    assert euros["last_hour"] == minute | {"net_cents": 750, "captured_cents": 1_050, "order_count": 2}
    day = minute | {"net_cents": 757, "captured_cents": 1_057, "order_count": 3}
    assert euros["last_24_hours"] == day
    assert (yen["currency"], yen["last_hour"]["net_cents"], yen["last_minute"]) == ("JPY", 300, NOTHING)


@pytest.mark.parametrize("at", ["00:00:00", "00:00:30", "00:30:00", "12:00:00", "23:59:59.999999"])
def test_today_begins_at_midnight_utc(  # noqa: PLR0917 - pytest's way
    api: Api, database: Database, tenant: UUID, viewer: str, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Whatever the hour, and whichever window is the longest then: what moved at midnight is today's."""
    now = datetime.fromisoformat(f"2026-11-26T{at}+00:00")
    monkeypatch.setattr(handlers.realtime, "datetime", SimpleNamespace(now=lambda _zone: now))
    midnight = datetime(2026, 11, 26, tzinfo=UTC)
    book(
        database,
        tenant,
        entry(1, "captured", 20, midnight, currency="USD"),
        entry(2, "captured", 1, midnight - timedelta(microseconds=1), order="o-2", currency="USD"),
    )
    [dollars] = ask(api, viewer).json()["currencies"]
    assert dollars["today"] == NOTHING | {"net_cents": 20, "captured_cents": 20, "order_count": 1}
    legacy = ask(api, viewer, LEGACY_PATH).json()
    assert (legacy["total_revenue"], legacy["event_count"]) == (20, 1)


def test_a_capture_that_was_taken_back_in_its_own_slot_is_no_order(
    api: Api, database: Database, tenant: UUID, viewer: str
) -> None:
    """A payment that turned out to be another order's leaves entries that cancel out."""
    at = datetime.now(UTC) - timedelta(minutes=5)
    book(database, tenant, entry(1, "captured", 500, at, order="payment"), entry(2, "captured", 500, at))
    with database.connect() as connection:
        connection.execute(
            """INSERT INTO ledger_entries (tenant_id, entry_id, order_id, kind, reference, correction,
                      amount_cents, effect_cents, currency, effective_at, booked_at, source)
               SELECT tenant_id, %s, order_id, kind, reference, 1, -500, -500, currency, effective_at,
                      booked_at, source
                 FROM ledger_entries WHERE tenant_id = %s AND order_id = 'payment'""",
            (UUID(int=3), tenant),
        )
    [euros] = ask(api, viewer).json()["currencies"]
    assert (euros["last_hour"]["net_cents"], euros["last_hour"]["order_count"]) == (500, 1)


def test_what_a_processor_told_is_verified(api: Api, database: Database, tenant: UUID, viewer: str) -> None:
    """All of it must be a processor's word; one entry that only a shop told is enough to say no."""
    at = datetime.now(UTC) - timedelta(minutes=5)
    book(database, tenant, entry(1, "captured", 500, at), source="stripe")
    assert ask(api, viewer).json()["currencies"][0]["last_hour"]["verified"] is True
    book(database, tenant, entry(2, "captured", 500, at, order="o-2"))
    assert ask(api, viewer).json()["currencies"][0]["last_hour"]["verified"] is False


@pytest.mark.parametrize("path", [PATH, LEGACY_PATH])
def test_the_same_figures_are_told_once(
    api: Api, database: Database, tenant: UUID, viewer: str, path: str
) -> None:
    """Who holds the tag gets 304, with the time at which that was found; a booking changes the tag."""
    at = datetime.now(UTC) - timedelta(hours=2)
    book(database, tenant, entry(1, "captured", 500, at, currency="USD"))
    first = ask(api, viewer, path)
    again = ask(api, viewer, path, first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == "private, max-age=5"
    assert again.headers["Data-Generated-At"] > first.headers["Data-Generated-At"]
    book(database, tenant, entry(2, "captured", 1, datetime.now(UTC), order="o-2", currency="USD"))
    changed = ask(api, viewer, path, first.headers["ETag"])
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("path", [PATH, LEGACY_PATH])
def test_a_delivery_that_books_nothing_changes_no_tag(api: Api, path: str) -> None:
    """Who holds the figures holds them still; only whoever asks without the tag is told the newer age."""
    shop = open_shop(api)
    viewer = log_in(make_user(shop.tenant_id, "viewer")).tokens.access.token
    none = ask(api, viewer, path)
    assert shop.shopify("app/uninstalled", {"id": 1}).status_code == 200
    first = ask(api, viewer, path, none.headers["ETag"])
    assert shop.shopify("app/uninstalled", {"id": 2}).status_code == 200
    again = ask(api, viewer, path, none.headers["ETag"])
    assert [first.status_code, again.status_code] == [304, 304]
    assert "Data-Freshness-Seconds" in again.headers
    told = ask(api, viewer, path)
    assert told.headers["ETag"] == none.headers["ETag"]
    assert told.content != none.content
    assert shop.entries() == []


def test_freshness_is_told_beside_the_figures(
    api: Api, database: Database, tenant: UUID, viewer: str
) -> None:
    """Nothing before the first delivery; then the age of the newest one, in a header."""
    before = ask(api, viewer)
    assert before.json()["data_as_of"] is None
    assert "Data-Freshness-Seconds" not in before.headers
    received = datetime.now(UTC) - timedelta(seconds=90)
    with database.connect() as connection:
        connection.execute(
            """INSERT INTO deliveries (tenant_id, delivery_id, vendor, topic, outcome, receipt, received_at,
                                       last_received_at)
               VALUES (%s, %s, 'stripe', 't', 'recorded', '{}', %s, %s)""",
            (tenant, UUID(int=1), received, received),
        )
    after = ask(api, viewer)
    assert datetime.fromisoformat(after.json()["data_as_of"]) == received
    assert 90 <= int(after.headers["Data-Freshness-Seconds"]) < 150
    legacy = ask(api, viewer, LEGACY_PATH)
    assert datetime.fromisoformat(legacy.json()["last_updated"]) == received
    assert str(legacy.json()["data_freshness_seconds"]) == legacy.headers["Data-Freshness-Seconds"]


def test_the_deprecated_address_answers_in_its_shape_and_names_its_successor(
    api: Api, database: Database, tenant: UUID, viewer: str
) -> None:
    """One currency, whole minor units, and headers that say since when, until when and where to."""
    now = datetime.now(UTC)
    book(
        database,
        tenant,
        entry(1, "captured", 12_999, now, currency="USD"),
        entry(2, "captured", 5, now, order="o-2"),
    )
    reply = ask(api, viewer, LEGACY_PATH)
    body = reply.json()
    assert body | {"last_updated": None} == {
        "tenant_id": str(tenant),
        "currency": "USD",
        "total_revenue": 12_999,
        "event_count": 1,
        "last_updated": None,
        "data_freshness_seconds": 0,
        "verified": False,
        "upgrade_notice": f"Ask GET {PATH}.",
    }
    assert b"." not in reply.content.replace(f"Ask GET {PATH}.".encode(), b"")
    assert ask(api, viewer, LEGACY_PATH, currency="EUR").json()["total_revenue"] == 5
    assert reply.headers["Link"] == f'<{PATH}>; rel="successor-version"'
    assert reply.headers["Deprecation"].startswith("@")
    assert reply.headers["Sunset"].endswith("GMT")
