"""Distinct requests for one server, sent over a few connections by a process of its own."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import uvloop

TREE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Sent:
    """What came of a load: how many answers, in how long, and the latencies that half and 95 % keep."""

    count: int
    seconds: float
    p50_ms: float
    p95_ms: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.count / self.seconds


def send_all(host: str, port: int, requests: Sequence[bytes], connections: int) -> Sent:
    """Send every request once; raises when anything but 200 comes back."""
    with tempfile.NamedTemporaryFile("wb") as file:
        file.write(b"".join(b"%d\n%b" % (len(request), request) for request in requests))
        file.flush()
        command = [sys.executable, "-m", "tests.bench.ingestion_load", host, str(port), file.name]
        output = subprocess.run(
            [*command, str(connections)], check=True, capture_output=True, cwd=TREE
        ).stdout
    told = json.loads(output)
    if told["failed"]:
        raise RuntimeError(f"{told['failed']} of {len(requests)} answers were not 200: {told['sample']}")
    return Sent(len(requests), told["seconds"], told["p50"] * 1e3, told["p95"] * 1e3)


class _Connection(asyncio.Protocol):
    """Sends the next request whenever the answer to the last one is complete."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.latencies: list[float] = []
        self.failed: list[str] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            return
        self._begun = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]) if end else 0
        if not end or len(body) < length:
            return
        self.latencies.append(time.perf_counter() - self._begun)
        if not head.startswith(b"HTTP/1.1 200"):
            self.failed.append(self._buffer[:1000].decode())
        self._buffer = b""
        self._next()

    def connection_lost(self, _: Exception | None) -> None:
        self.done.set_result(None)


async def _load(host: str, port: int, requests: list[bytes], count: int) -> dict[str, object]:
    loop, begun, queue = asyncio.get_running_loop(), time.perf_counter(), iter(requests)
    made = [await loop.create_connection(lambda: _Connection(queue), host, port) for _ in range(count)]
    connections = [connection for _, connection in made]
    await asyncio.gather(*(connection.done for connection in connections))
    seconds = time.perf_counter() - begun
    latencies = [latency for connection in connections for latency in connection.latencies]
    failed = [text for connection in connections for text in connection.failed]
    missing = len(requests) - len(latencies)
    percentiles = quantiles(latencies, n=100)
    return {
        "seconds": seconds,
        "p50": percentiles[49],
        "p95": percentiles[94],
        "failed": len(failed) + missing,
        "sample": failed[:1],
    }


def _read(file: Path) -> list[bytes]:
    rest, requests = file.read_bytes(), []
    while rest:
        length, _, rest = rest.partition(b"\n")
        requests.append(rest[: int(length)])
        rest = rest[int(length) :]
    return requests


if __name__ == "__main__":
    host, port, path, count = sys.argv[1:]
    print(json.dumps(uvloop.run(_load(host, int(port), _read(Path(path)), int(count)))))
