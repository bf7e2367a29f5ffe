"""A contract-validated GET and POST without database: ours beside FastAPI doing the same.

Each server is a process of its own, of one worker, on the same uvicorn with uvloop and httptools.
Rounds go around the servers, so that what else the machine does falls on all; the median counts.
The processor time per request tells most where the load takes turns with the server on few cores.
"""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from tests.bench.http_contract import HEADERS, JOB_ID, QUERY, RAW_BODY
from tests.bench.http_load import Request, requests_per_second
from tests.bench.rows import Row

TREE = Path(__file__).parents[2]
HOST = "127.0.0.1"
PEERS = {"FastAPI": "http_fastapi", "Connexion AsyncApp": "http_connexion", "Flask": "http_flask"}
READY_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    process: psutil.Process

    def request(self, method: str, prefix: str) -> Request:
        """Return the request that loads it."""
        if method == "GET":
            return Request(method, HOST, self.port, f"{prefix}/items/{JOB_ID}?{QUERY}", HEADERS)
        return Request(method, HOST, self.port, f"{prefix}/items", {}, RAW_BODY.decode())

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


Key = tuple[str, str]
"""A server's name and a method."""


def run(*, quick: bool) -> list[Row]:
    """Measure every server with both methods."""
    rounds, seconds = (1, 1.0) if quick else (5, 3.0)
    rates: dict[Key, list[float]] = defaultdict(list)
    costs: dict[Key, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        ours = stack.enter_context(_serving("http_ours"))
        contestants = {"sync": (ours, "/sync"), "async": (ours, "/async")}
        for name, module in PEERS.items():
            contestants[name] = (stack.enter_context(_serving(module)), "/async")
        for number in range(rounds + 1):
            for name, (server, prefix) in contestants.items():
                for method in ("GET", "POST"):
                    used = server.cpu_seconds()
                    length = seconds if number else 1.0  # the first round warms up and is not counted
                    rate = requests_per_second(server.request(method, prefix), length)
                    if number:
                        rates[name, method].append(rate)
                        costs[name, method].append((server.cpu_seconds() - used) / (rate * length) * 1e6)
    return _rows(
        {key: median(found) for key, found in rates.items()},
        {key: min(found) for key, found in costs.items()},
    )


def _rows(rates: dict[Key, float], costs: dict[Key, float]) -> list[Row]:
    rows = []
    for method in ("GET", "POST"):
        for kind in ("sync", "async"):
            name = f"{method}, {kind} handler, beside "
            ours = rates[kind, method]
            for peer in PEERS:
                mark = 1.0 if peer == "FastAPI" else None
                rows.append(
                    Row(name + peer, ours, rates[peer, method], "requests/s", mark, True, mark_is_ratio=True)
                )
            rows.append(
                Row(
                    f"{method}, {kind} handler, CPU beside FastAPI",
                    costs[kind, method],
                    costs["FastAPI", method],
                    "us/request",
                )
            )
    return rows


@contextmanager
def _serving(module: str) -> Iterator[Server]:
    """Start a server and wait until it answers."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port = listener.getsockname()[1]
    command = [
        sys.executable, "-W", "ignore", "-m", "uvicorn", f"tests.bench.{module}:app",
        "--host", HOST, "--port", str(port), "--loop", "uvloop", "--http", "httptools",
        "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=TREE, stderr=subprocess.DEVNULL)
    try:
        server = Server(port, psutil.Process(process.pid))
        _wait_until_it_answers(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_it_answers(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    asked = server.request("GET", "/async")
    url = f"http://{asked.host}:{asked.port}{asked.target}"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=dict(HEADERS)), timeout=30):
                return
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not answer in time")
