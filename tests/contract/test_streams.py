"""What is sent while it is made: whole, or visibly broken off, and held no longer than its client reads."""

import http.client
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from skeldir.domain.errors import Unprocessable
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.security.principal import Principal
from tests.contract.serving import PretendCredentials, contract, operation, serve
from tests.wire import Wire, plain, served

DEADLINE_SECONDS = 30.0
LARGE = b"x" * 262_144
OTHER_TENANT = uuid4()
SCHEME = {
    "type": "oauth2",
    "flows": {"password": {"tokenUrl": "/", "scopes": {"viewer": "", "manager": ""}}},
}


class TwoTenants(PretendCredentials):
    """A manager's token is another tenant's."""

    def of_access_token(self, token: str) -> Principal:
        principal = super().of_access_token(token)
        return replace(principal, tenant_id=OTHER_TENANT) if token == "manager" else principal


class Source:
    """A stream whose progress a test can see and hold up."""

    def __init__(self, *chunks: bytes, fails: bool = False, endless: bool = False) -> None:
        self.made = 0
        self.begun, self.closed, self.go_on = threading.Event(), threading.Event(), threading.Event()
        self._chunks, self._fails, self._endless = chunks, fails, endless
        self.told_complete = False

    def chunks(self) -> Generator[bytes]:
        try:
            self.begun.set()
            for chunk in self._chunks:
                self.made += 1
                yield chunk
            while self._endless:
                self.made += 1
                yield LARGE
            if self._fails:
                raise RuntimeError("the database is gone")
            assert self.go_on.wait(DEADLINE_SECONDS)
            self.told_complete = True
        finally:
            self.closed.set()


@contextmanager
def serving(source: Callable[[], Source], **settings: Any) -> Iterator[Wire]:
    """Serve a contract with one operation that streams."""

    def route(_: Call) -> HttpAnswer:
        return HttpAnswer(200, [(b"content-type", b"text/plain")], chunks=source().chunks())

    told = operation("tell", security=[{"bearer": ["viewer"]}], **{"x-streamed": True})
    document = contract({"/told": {"get": told}}, components={"securitySchemes": {"bearer": SCHEME}})
    with served(serve(document, {"tell": route}, functions=TwoTenants(), **settings)) as wire:
        yield wire


def ask(wire: Wire, token: str = "viewer") -> http.client.HTTPResponse:
    """Ask on a connection of its own, and read no further than the head."""
    connection = socket.create_connection(("127.0.0.1", wire.port), DEADLINE_SECONDS)
    connection.sendall(
        b"GET /told HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer " + token.encode() + b"\r\n\r\n"
    )
    response = http.client.HTTPResponse(connection)
    response.begin()
    connection.close()  # the response holds it open
    return response


def status(wire: Wire, token: str = "viewer") -> int:
    return wire.send(b"GET", b"/told", plain({"Authorization": f"Bearer {token}"})).status


def test_a_stream_arrives_as_it_was_made() -> None:
    """Chunk by chunk, without a length, and the end is the stream's own end."""
    source = Source(b"one,", b"", b"two")
    source.go_on.set()
    with serving(lambda: source) as wire, ask(wire) as response:
        assert response.getheader("content-length") is None
        assert response.getheader("x-correlation-id")
        assert response.read() == b"one,two"
        assert source.told_complete


def test_the_last_chunk_is_out_before_the_stream_is_told_complete() -> None:
    """Whoever pulls again has handed over what came before; the client has it while the end is awaited."""
    source = Source(b"all")
    with serving(lambda: source) as wire, ask(wire) as response:
        assert response.read(3) == b"all"
        assert not source.told_complete
        source.go_on.set()
        assert response.read() == b""


def test_what_breaks_in_the_middle_never_looks_whole() -> None:
    """A client that counts on HTTP alone finds out."""
    with serving(lambda: Source(b"half", fails=True)) as wire:
        with ask(wire) as response, pytest.raises(http.client.IncompleteRead):
            response.read()
        with ask(wire) as response:  # and its place is free again, as often as it happens
            assert response.status == 200


def test_what_fails_before_the_first_byte_is_a_problem() -> None:
    """And holds no place afterwards."""

    def refuse() -> Source:
        raise Unprocessable("No.")

    with serving(refuse, exports_max=1) as wire:
        assert [status(wire) for _ in range(3)] == [422, 422, 422]


def test_a_client_that_hangs_up_ends_its_stream() -> None:
    source = Source(b"begun", endless=True)
    with serving(lambda: source) as wire:
        ask(wire).close()
        assert source.closed.wait(DEADLINE_SECONDS)


def test_a_stream_whose_client_hangs_up_while_nothing_is_sent_ends_too() -> None:
    """Nothing need be written for the service to see that nobody listens."""
    source = Source(*[b""] * 100_000)
    with serving(lambda: source) as wire:
        ask(wire).close()
        assert source.closed.wait(DEADLINE_SECONDS)
        assert not source.told_complete


def test_a_client_that_does_not_read_holds_the_source_up_and_is_cut_off() -> None:
    """Nothing is made that nobody takes, and nobody may take for ever."""
    source = Source(endless=True)
    with serving(lambda: source, export_seconds_max=1.0) as wire, ask(wire) as response:
        assert source.closed.wait(DEADLINE_SECONDS)
        assert source.made * len(LARGE) < 64 * 2**20
        with pytest.raises(http.client.IncompleteRead):
            response.read()


def test_there_is_a_bound_on_the_streams_at_once_and_for_a_tenant_half_of_it() -> None:
    sources = [Source(b"held") for _ in range(4)]
    waiting = list(sources)
    with serving(waiting.pop, exports_max=3) as wire:
        mine = [ask(wire) for _ in range(2)]
        refused = wire.send(b"GET", b"/told", plain({"Authorization": "Bearer viewer"}))
        assert (refused.status, refused.headers["retry-after"]) == (429, "5")
        theirs = ask(wire, "manager")
        refused = wire.send(b"GET", b"/told", plain({"Authorization": "Bearer manager"}))
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")
        for source in sources:
            source.go_on.set()
        assert [response.read() for response in (*mine, theirs)] == [b"held"] * 3
        assert status(wire) == 200
