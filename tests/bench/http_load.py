"""Load for one address: by wrk where it is installed, else by a generator of our own in another process."""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import uvloop

CONNECTIONS = 16
TREE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Request:
    """What is sent again and again."""

    method: str
    host: str
    port: int
    target: str
    headers: Mapping[str, str]
    body: str = ""

    def raw(self) -> bytes:
        """Return it as it travels."""
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*lines, "", self.body]).encode()


def requests_per_second(request: Request, seconds: float) -> float:
    """Load the address with a few connections; raises when anything but 200 comes back."""
    return _wrk(request, seconds) if shutil.which("wrk") else _own(request, seconds)


def _wrk(request: Request, seconds: float) -> float:
    headers = "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in request.headers.items())
    if request.body:
        headers += f'wrk.headers["Content-Type"] = "application/json"\nwrk.body = [==[{request.body}]==]\n'
    tell = "done = function(s) io.write(s.requests, ' ', s.duration, ' ', s.errors.status, '\\n') end\n"
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f'wrk.method = "{request.method}"\n{headers}{tell}')
        script.flush()
        url = f"http://{request.host}:{request.port}{request.target}"
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", script.name, url]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    count, microseconds, failed = (float(word) for word in output.splitlines()[-1].split())
    return _rate(count, microseconds / 1e6, failed)


def _own(request: Request, seconds: float) -> float:
    told = json.dumps({**asdict(request), "seconds": seconds})
    command = [sys.executable, "-m", "tests.bench.http_load", told]
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=TREE).stdout
    return _rate(*json.loads(output))


def _rate(count: float, seconds: float, failed: float) -> float:
    if failed or not count:
        raise RuntimeError(f"{failed:.0f} of {count:.0f} answers were not 200")
    return count / seconds


class _Connection(asyncio.Protocol):
    """Sends the same request whenever its answer is complete; all answers are equally long."""

    def __init__(self, request: bytes, deadline: float) -> None:
        self.count = self.failed = self._length = 0
        self._request, self._deadline, self._buffer = request, deadline, b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._length:
            head, end, _ = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            told = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self._length = len(head) + len(end) + int(told)
        if len(self._buffer) < self._length:
            return
        self.count += 1
        self.failed += not self._buffer.startswith(b"HTTP/1.1 200")
        self._buffer = b""
        if time.perf_counter() < self._deadline:
            self._transport.write(self._request)
        else:
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self.done.set_result(None)


async def _load(request: Request, seconds: float) -> tuple[int, float, int]:
    loop, begun = asyncio.get_running_loop(), time.perf_counter()
    raw, deadline = request.raw(), begun + seconds
    connections = [
        (await loop.create_connection(lambda: _Connection(raw, deadline), request.host, request.port))[1]
        for _ in range(CONNECTIONS)
    ]
    await asyncio.gather(*(connection.done for connection in connections))
    took = time.perf_counter() - begun
    return sum(one.count for one in connections), took, sum(one.failed for one in connections)


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    duration = options.pop("seconds")
    print(json.dumps(uvloop.run(_load(Request(**options), duration))))
