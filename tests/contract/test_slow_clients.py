"""A client may be slow, for a while: then its connection ends, and nobody else has noticed."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.conftest import Database
from tests.wire import Wire
from tests.workers.conftest import eventually

TREE = Path(__file__).parents[2]
DEADLINE_SECONDS = 60.0
PAUSE_SECONDS = 0.05
LIMITS = {
    "SKELDIR_REQUEST_HEAD_SECONDS_MAX": "1",
    "SKELDIR_REQUEST_BODY_SECONDS_MAX": "4",
    "SKELDIR_KEEP_ALIVE_SECONDS_MAX": "3",
    "SKELDIR_DATABASE_POOL_SIZE": "3",
    "SKELDIR_BODY_BYTES_MAX": "100000",
}
LOGIN = b"POST /api/auth/login HTTP/1.1\r\nHost: skeldir.test\r\nContent-Type: application/json\r\n"


@dataclass(frozen=True)
class Server:
    """A running API process."""

    port: int
    process: psutil.Process

    def get(self, path: bytes) -> int:
        """Ask on a connection of its own; return the status."""
        with closing(Wire(self.port, DEADLINE_SECONDS)) as wire:
            return wire.send(b"GET", path).status

    def serves(self, connection: socket.socket) -> bool:
        """Tell whether the process still holds its end of a connection."""
        peer = connection.getsockname()
        return any(held.raddr == peer for held in self.process.net_connections("tcp"))


@pytest.fixture(scope="module")
def server(database: Database) -> Iterator[Server]:  # noqa: ARG001  (the settings point to it)
    """Start an API process with short deadlines."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        descriptor = listener.fileno()
        process = subprocess.Popen(
            [sys.executable, "-m", "skeldir", "api", "--fd", str(descriptor)],
            cwd=TREE,
            env=os.environ | LIMITS,
            pass_fds=[descriptor],
            stderr=subprocess.DEVNULL,
        )
        try:
            running = Server(listener.getsockname()[1], psutil.Process(process.pid))
            assert running.get(b"/api/health/ready") == 200
            yield running
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def port(server: Server) -> int:
    return server.port


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), DEADLINE_SECONDS)


def dribble(connection: socket.socket, piece: bytes, over: threading.Event) -> None:
    """Send a piece again and again, until there is nobody to send it to."""
    with suppress(OSError):
        while not over.wait(PAUSE_SECONDS):
            connection.sendall(piece)


def dribbled(port: int, begun: bytes, piece: bytes) -> bytes:
    """Begin to send something that never ends; return all that is answered until the connection ends."""
    over = threading.Event()
    with connect(port) as connection:
        connection.sendall(begun)
        sender = threading.Thread(target=dribble, args=(connection, piece, over))
        sender.start()
        answered = b""
        try:
            while received := connection.recv(65_536):
                answered += received
        except ConnectionResetError:
            pass
        finally:
            over.set()
            sender.join()
    return answered


def problem(answered: bytes) -> tuple[int, str]:
    """Return status and code of the one problem that was answered."""
    head, _, body = answered.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert b"connection: close" in head
    told = json.loads(body)
    assert head.startswith(f"HTTP/1.1 {told['status']} ".encode())
    assert told["correlation_id"].encode() in head
    return told["status"], told["code"]


@pytest.mark.parametrize(
    ("begun", "piece"),
    [
        (b"GET /api/health/live HTTP/1.1\r\n", b"X-More: 1\r\n"),
        (b"G", b"E"),
        (b"GET /", b"a"),
        (b"", b"\r\n"),
        (LOGIN + b"Content-Length: 5000\r\n\r\n", b" "),
        (LOGIN + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (LOGIN + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: 1\r\n"),
    ],
    ids=["headers", "a method", "a path", "empty lines", "a body", "chunks", "trailers"],
)
def test_what_never_ends_is_answered_with_408_and_the_end(port: int, begun: bytes, piece: bytes) -> None:
    answered = dribbled(port, begun, piece)

    if begun[:1] == b"G" and len(begun) == 1:  # not even the beginning of HTTP
        assert answered.startswith(b"HTTP/1.1 400 ")
    else:
        assert problem(answered) == (408, "request_timeout")


def test_a_connection_on_which_nothing_is_said_ends_without_a_word(port: int) -> None:
    with connect(port) as connection:
        assert connection.recv(1) == b""


def test_a_connection_may_rest_between_two_requests_but_not_for_ever(port: int) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)) as connection:
        for _ in range(2):
            connection.request("GET", "/api/health/live")
            rested = connection.sock
            assert connection.getresponse().read()
        assert connection.sock is rested
        assert rested.recv(1) == b""


@pytest.mark.parametrize("piece", [b"\r\n", b" "], ids=["empty lines", "the rest of a body"])
def test_what_dribbles_after_an_answer_ends_too(port: int, piece: bytes) -> None:
    """A path that does not exist is answered before its body is read."""
    length = b"" if piece == b"\r\n" else b"Content-Length: 5000\r\n"
    begun = b"POST /nowhere HTTP/1.1\r\nHost: skeldir.test\r\n" + length + b"\r\n"

    assert dribbled(port, begun, piece).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("piece", [b"X-More: " + b"x" * 8_000 + b"\r\n", b"x" * 8_000], ids=["many", "one"])
def test_a_head_has_an_end(port: int, piece: bytes) -> None:
    answered = dribbled(port, b"GET /api/health/live HTTP/1.1\r\nX-First: 1", piece)

    assert problem(answered) == (431, "head_too_large")


def test_a_body_without_a_length_is_counted_as_it_comes(port: int) -> None:
    chunks = b"8000\r\n" + b" " * 0x8000 + b"\r\n"

    with closing(Wire(port)) as wire:
        answered = wire.raw(LOGIN + b"Transfer-Encoding: chunked\r\n\r\n" + 4 * chunks + b"0\r\n\r\n")

    assert answered.status == 413


def test_others_are_served_while_many_are_slow(server: Server) -> None:
    """Two handler threads serve a hundred slow clients and a quick one: none of them waits for bytes."""
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(server.port)) for _ in range(100)]
        for connection in slow:
            connection.sendall(LOGIN + b"Content-Length: 5000\r\n\r\n{")

        assert server.get(b"/api/health/ready") == 200
        assert any(server.serves(connection) for connection in slow)


def test_who_takes_nothing_of_an_answer_is_cut_off(server: Server) -> None:
    """Megabytes that wait for him are given up with his connection."""
    ask = b"GET /docs/assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: skeldir.test\r\n\r\n"
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(8 * ask)
        eventually(lambda: server.serves(connection) or None)
        eventually(lambda: None if server.serves(connection) else True)
