"""An export that does not come to its end says so, and holds nothing."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from handlers import export_stream
from handlers.export_stream import Format
from skeldir.app import create_app
from skeldir.formats.tables import Encode, Table
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.export_world import Bookkeeper
from tests.handlers.webhooks import open_shop
from tests.wire import Wire, served
from tests.workers.conftest import eventually

DEADLINE_SECONDS = 30.0


@pytest.fixture(scope="module")
def books(database: Database) -> Bookkeeper:
    api = Api(create_app(get_settings()))
    return Bookkeeper(api, database, open_shop(api).tenant_id)


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch, encode: Encode, **settings: object) -> Iterator[Wire]:
    """Serve the whole application, with a CSV writer that does as the test wants."""
    monkeypatch.setitem(export_stream.FORMATS, "csv", Format("text/csv", encode))
    with served(create_app(get_settings().model_copy(update=settings))) as wire:
        yield wire


def ask(wire: Wire, books: Bookkeeper) -> http.client.HTTPResponse:
    """Ask for allocations on a connection of its own, and read the head."""
    connection = socket.create_connection(("127.0.0.1", wire.port), DEADLINE_SECONDS)
    head = f"GET /api/export/allocations HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {books.token}\r\n\r\n"
    connection.sendall(head.encode())
    response = http.client.HTTPResponse(connection)
    response.begin()
    connection.close()  # the response holds it open
    return response


def has_ended(books: Bookkeeper, database: Database, export_id: str | None) -> bool:
    """Tell whether a manifest says aborted, and no connection is held any more."""
    status = books.get(f"manifests/{export_id}").json()["status"]
    pool = database.engine("app_user").pool
    return status == "aborted" and pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_client_that_hangs_up_leaves_an_aborted_manifest_and_a_free_connection(
    books: Bookkeeper, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(table: Table) -> Iterator[bytes]:
        for _ in table.batches:
            while True:
                yield b"x" * 65_536

    with serving(monkeypatch, endless) as wire:
        response = ask(wire, books)
        export_id = response.getheader("Export-Id")
        assert books.get(f"manifests/{export_id}").json()["status"] == "streaming"
        response.close()
        eventually(lambda: has_ended(books, database, export_id) or None)
    assert "sha256" not in books.get(f"manifests/{export_id}").json()


def test_what_fails_between_the_rows_breaks_the_transfer_off(
    books: Bookkeeper, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever read it so far knows that it is not whole, by HTTP and by the manifest."""

    def failing(table: Table) -> Iterator[bytes]:
        for number, batch in enumerate(table.batches):
            assert number == 0, "the second batch is one too many"
            yield str(batch[0]).encode()

    with serving(monkeypatch, failing) as wire, ask(wire, books) as response:
        with pytest.raises(http.client.IncompleteRead):
            response.read()
        eventually(lambda: has_ended(books, database, response.getheader("Export-Id")) or None)


def test_an_export_that_takes_too_long_is_aborted(
    books: Bookkeeper, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot that is held for ever would keep the whole database from cleaning up."""

    def slow(table: Table) -> Iterator[bytes]:
        for _ in table.batches:
            yield b"begun"
            while True:
                yield b""

    with serving(monkeypatch, slow, export_seconds_max=1.0) as wire, ask(wire, books) as response:
        with pytest.raises(http.client.IncompleteRead):
            response.read()
        eventually(lambda: has_ended(books, database, response.getheader("Export-Id")) or None)
