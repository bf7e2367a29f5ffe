"""The whole application behind a real socket, and a client that sends exactly the bytes it is given."""

import http.client
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import uvicorn
from starlette.types import ASGIApp

from skeldir.http.connections import PatientProtocol

Header = tuple[bytes, bytes]


@dataclass(frozen=True)
class Answer:
    """A status, its headers with names in lower case, and a body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Wire:
    """One connection, opened anew when the server has closed it; for one thread."""

    port: int
    seconds_max: float = 60.0
    """How long it waits for anything."""
    _socket: socket.socket | None = field(default=None, repr=False)

    def send(
        self, method: bytes, target: bytes, headers: Iterable[Header] = (), body: bytes | None = None
    ) -> Answer:
        """Send a request as it is, with nothing added but its host and its body's length."""
        length = () if body is None else ((b"Content-Length", str(len(body)).encode()),)
        lines = [b"%s %s HTTP/1.1" % (method, target), b"Host: skeldir.test"]
        lines += [b"%s: %s" % header for header in (*headers, *length)]
        return self.raw(b"\r\n".join([*lines, b"", body or b""]), method)

    def raw(self, message: bytes, method: bytes = b"POST") -> Answer:
        """Send bytes, and read one answer."""
        is_new = self._socket is None
        try:
            return self._exchanged(message, method)
        except (http.client.RemoteDisconnected, ConnectionResetError):
            self.close()
            if is_new:
                raise
            return self._exchanged(message, method)  # it was hung up since: every client tries again
        except BaseException:
            self.close()  # whatever it still answers would be taken for the next answer
            raise

    def _exchanged(self, message: bytes, method: bytes) -> Answer:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), self.seconds_max)
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before it was all read: see below
            self._socket.sendall(message)
        response = http.client.HTTPResponse(self._socket, method=method.decode("latin-1"))
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, headers, response.read())
        is_over = response.will_close
        response.close()
        if is_over:
            self.close()
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def plain(headers: dict[str, str]) -> list[Header]:
    """Write headers as bytes."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


@contextmanager
def served(app: ASGIApp) -> Iterator[Wire]:
    """Serve an application in a thread of this process, so that tests can still reach inside."""
    config = uvicorn.Config(
        app, http=PatientProtocol, lifespan="on", ws="none", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        wire = Wire(listener.getsockname()[1])
        try:
            yield wire
        finally:
            wire.close()
            server.should_exit = True
            thread.join()
