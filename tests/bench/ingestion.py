"""Signed webhooks over HTTP, beside a hand-written FastAPI endpoint and beside pgbench.

The three take turns on one server with the durability of production, and write the same rows for each
paid order: ours with its rules, the peers as plain inserts. Two processes answer, as there are two cores.
"""

import base64
import hmac
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

import httpx

from skeldir import janitor
from skeldir.commands import provisioning
from skeldir.db import migrate
from skeldir.db.binaries import find_installation
from skeldir.db.engine import dispose_engines, get_url
from skeldir.settings import adopt
from tests.bench import ingestion_rows
from tests.bench.ingestion_load import Sent, send_all
from tests.bench.rows import Row
from tests.vendors.payloads import shopify_order

TREE = Path(__file__).parents[2]
HOST, WORKERS = "127.0.0.1", 2
RATE_MARK, P95_MARK_MS, FASTAPI_MARK = 700.0, 50.0, 0.9
READY_SECONDS = 60.0


@dataclass(frozen=True)
class Contest:
    """Where the deliveries go, and how each is signed."""

    tenant_id: str
    path: str
    secret: bytes
    numbers: Iterator[int]

    def deliveries(self, amount: int) -> list[bytes]:
        """Make requests that nobody has seen before, as Shopify sends them."""
        return [self._delivery(next(self.numbers)) for _ in range(amount)]

    def _delivery(self, order_id: int) -> bytes:
        labels = {"utm_source": "google", "utm_medium": "cpc", "journey_id": f"j{order_id}"}
        attributes = [{"name": name, "value": value} for name, value in labels.items()]
        body = json.dumps(shopify_order(order_id, note_attributes=attributes)).encode()
        head = (
            f"POST {self.path} HTTP/1.1",
            f"Host: {HOST}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"X-Shopify-Hmac-SHA256: {base64.b64encode(hmac.digest(self.secret, body, 'sha256')).decode()}",
            "X-Shopify-Topic: orders/paid",
        )
        return "\r\n".join((*head, "", "")).encode() + body


def run(*, quick: bool) -> list[Row]:
    """Let the three take turns with 1 and with 16 clients; quick: one short round."""
    rounds, amounts = (1, {1: 200, 16: 1_500}) if quick else (3, {1: 1_000, 16: 6_000})
    with ExitStack() as stack:
        contest = stack.enter_context(_contest())
        ours = stack.enter_context(_ours())
        fastapi = stack.enter_context(_fastapi(contest))
        for port in (ours, fastapi):
            send_all(HOST, port, contest.deliveries(400), 16)  # every process prepares its statements
        rows: list[Row] = []
        for clients, amount in amounts.items():
            sent: dict[str, list[Sent]] = {"ours": [], "FastAPI": []}
            pgbench: list[float] = []
            for _ in range(rounds):
                for name, port in (("ours", ours), ("FastAPI", fastapi)):
                    sent[name].append(send_all(HOST, port, contest.deliveries(amount), clients))
                pgbench.append(_pgbench(contest.tenant_id, clients, 2 if quick else 5))
            rows += _rows(clients, sent, pgbench)
    return rows


def _rows(clients: int, sent: dict[str, list[Sent]], pgbench: Sequence[float]) -> list[Row]:
    def middle(name: str, of: Callable[[Sent], float]) -> float:
        return median(of(one) for one in sent[name])

    title = f"{clients} client{'s' if clients > 1 else ''}"
    rate = middle("ours", lambda one: one.rate)
    beside = [
        Row(f"{title}, beside FastAPI", rate, middle("FastAPI", lambda one: one.rate), "deliveries/s",
            FASTAPI_MARK, True, mark_is_ratio=True),
        Row(f"{title}, beside pgbench", rate, median(pgbench), "deliveries/s", None, True),
    ]  # fmt: skip
    p50, p95 = (middle("ours", of) for of in (lambda one: one.p50_ms, lambda one: one.p95_ms))
    theirs = [middle("FastAPI", of) for of in (lambda one: one.p50_ms, lambda one: one.p95_ms)]
    if clients == 1:
        return [*beside, Row(f"{title}, p95", p95, theirs[1], "ms")]
    return [
        *beside,
        Row(title, rate, None, "deliveries/s", RATE_MARK, True),
        Row(f"{title}, p50", p50, theirs[0], "ms"),
        Row(f"{title}, p95", p95, theirs[1], "ms", P95_MARK_MS),
    ]


@contextmanager
def _contest() -> Iterator[Contest]:
    """Start a server of production's durability, with one tenant."""
    folder = Path(tempfile.mkdtemp(prefix="skeldir-bench-"))
    folder.chmod(0o711)  # root's database server, another user, must pass through it
    adopt({"SKELDIR_DATA_DIR": str(folder), "SKELDIR_LOG_LEVEL": "warning"})
    with janitor.tidying_behind(folder, remove=True):
        migrate.upgrade()
        made = provisioning.create_tenant("Bench", ["shopify"])
        endpoint = made.endpoints[0]
        path, secret = endpoint.endpoint.path(), endpoint.secret.encode()
        yield Contest(str(made.tenant_id), path, secret, count(1_000_000_000))
        dispose_engines()


@contextmanager
def _ours() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "skeldir", "api", "--port", str(port)]
    with _process([*command, "--workers", str(WORKERS)], {}):
        wait_for(port, "/api/health/ready")
        yield port


@contextmanager
def _fastapi(contest: Contest) -> Iterator[int]:
    port = free_port()
    told = {
        "url": _plain_url(),
        "tenant_id": contest.tenant_id,
        "secret": contest.secret.decode(),
    }
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.ingestion_fastapi", str(port), str(WORKERS)]
    with _process(command, {"PEER": json.dumps(told)}):
        wait_for(port, "/docs")
        yield port


def _pgbench(tenant_id: str, clients: int, seconds: int) -> float:
    """Run the inserts in pgbench, prepared, over as many connections as there are clients."""
    lines = ["\\set number random(1, 9000000000000000)"]
    begin = ingestion_rows.BEGIN.format(tenant_id=tenant_id).split("; ")
    order = "CAST(:number AS text)"
    statements = [*begin, *(one.format(order_id=order) for one in ingestion_rows.INSERTS), "COMMIT"]
    lines += [" ".join(statement.split()) + ";" for statement in statements]
    program = find_installation(None).program("pgbench")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write("\n".join(lines))
        file.flush()
        command = [program, "-n", "-M", "prepared", "-f", file.name, "-c", str(clients), "-j", "1"]
        done = subprocess.run(
            [*command, "-T", str(seconds), _plain_url()], check=True, capture_output=True, text=True
        )
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert "failed transactions: 0" in done.stdout, done.stdout
    return float(found.group(1))


def _plain_url() -> str:
    return get_url("app_user").set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def _process(command: list[str], more: dict[str, str]) -> Iterator[None]:
    environ = os.environ | {"PYTHONPATH": str(TREE)} | more
    process = subprocess.Popen(command, cwd=TREE, env=environ, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def wait_for(port: int, path: str) -> None:
    """Wait until a server answers; raises RuntimeError when it does not."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://{HOST}:{port}{path}", timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("a server did not become ready in time")


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port
