"""A million allocations as a file over HTTP, beside an endpoint that fetches them all and writes them out.

What counts is how much more memory the answering process takes during an export than before it, after a
first one in the same format; that the bytes are those of the manifest; and that the sums are the API's.
"""

import hashlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psutil
import psycopg

from skeldir import janitor
from skeldir.commands import provisioning
from skeldir.db import migrate
from skeldir.db.engine import bootstrap_url, dispose_engines, get_engine, get_url
from skeldir.db.session import tenant_session
from skeldir.repository import summaries
from skeldir.settings import adopt
from tests.bench.export_rows import FILL, VERSION
from tests.bench.ingestion import HOST, free_port, wait_for
from tests.bench.rows import Row
from tests.identity import log_in, make_user

TREE = Path(__file__).parents[2]
FORMATS = ("csv", "json", "ndjson", "parquet", "xlsx")
PEERS = frozenset({"csv", "json", "parquet"})
MEGABYTES_MAX = 50.0
SAMPLE_SECONDS = 0.01
READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Taken:
    """What one download was."""

    seconds: float
    first_byte_seconds: float
    megabytes: float
    grown_megabytes: float
    digest: str
    export_id: str


@dataclass(frozen=True)
class Server:
    """A process that answers, and how it is asked."""

    port: int
    process: psutil.Process
    token: str = ""

    def take(self, path: str) -> Taken:
        """Download a file, watching the process's resident memory."""
        before, peak, done = self.process.memory_info().rss, [0], threading.Event()

        def watch() -> None:
            while not done.wait(SAMPLE_SECONDS):
                peak[0] = max(peak[0], self.process.memory_info().rss)

        watcher = threading.Thread(target=watch)
        watcher.start()
        digest, count, started = hashlib.sha256(), 0, time.perf_counter()
        response = self._ask(path)
        first = 0.0
        while part := response.read1(READ_BYTES):
            first = first or time.perf_counter() - started
            digest.update(part)
            count += len(part)
        seconds = time.perf_counter() - started
        done.set()
        watcher.join()
        grown = max(0, peak[0] - before) / 2**20
        told = response.getheader("Export-Id", "")
        return Taken(seconds, first, count / 10**6, grown, digest.hexdigest(), told)

    def json(self, path: str) -> dict[str, object]:
        """Ask for a document."""
        found: dict[str, object] = json.loads(self._ask(path).read())
        return found

    def _ask(self, path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=600)
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        return response


def run(*, quick: bool) -> list[Row]:
    """Export a million rows in each format; quick: a hundred thousand."""
    count = 100_000 if quick else 1_000_000
    rows: list[Row] = []
    with ExitStack() as stack:
        tenant_id, token = stack.enter_context(_world(count))
        ours = stack.enter_context(_server(["-m", "skeldir", "api"], "/api/health/ready", token))
        peer = stack.enter_context(_server(["-m", "tests.bench.export_fastapi", str(tenant_id)], "/docs"))
        channels = _exported(ours)
        for form in FORMATS:
            path = f"/api/export/allocations?format={form}"
            ours.take(path)
            taken = ours.take(path)
            _prove(ours, taken, count, channels)
            theirs = None
            if form in PEERS:
                peer.take(f"/{form}")
                theirs = peer.take(f"/{form}")
            rows += _rows(form, count, taken, theirs)
    return rows


def _rows(form: str, count: int, taken: Taken, theirs: Taken | None) -> Iterator[Row]:
    title = f"{count:,} allocations as {form}"
    memory, rate, first = (taken.grown_megabytes, count / taken.seconds, taken.first_byte_seconds)
    others = theirs and (theirs.grown_megabytes, count / theirs.seconds, theirs.first_byte_seconds)
    their_memory, their_rate, their_first = others or (None, None, None)
    yield Row(f"{title}, memory grown", memory, their_memory, "MB", MEGABYTES_MAX)
    yield Row(f"{title}, rows", rate, their_rate, "rows/s", None, more_is_better=True)
    yield Row(f"{title}, bytes", taken.megabytes / taken.seconds, None, "MB/s", None, more_is_better=True)
    yield Row(f"{title}, first byte", first, their_first, "s")


def _prove(ours: Server, taken: Taken, count: int, channels: dict[str, int]) -> None:
    """Hold the bytes against their manifest, and its sums against the report."""
    manifest = ours.json(f"/api/export/manifests/{taken.export_id}")
    assert (manifest["status"], manifest["sha256"]) == ("complete", taken.digest)
    assert manifest["row_count"] == count
    currencies = manifest["currencies"]
    assert isinstance(currencies, list)
    assert {one["currency"]: one["exported_cents"] for one in currencies} == channels


def _exported(ours: Server) -> dict[str, int]:
    report = ours.json("/api/attribution/channels")["currencies"]
    assert isinstance(report, list)
    return {one["currency"]: sum(channel["revenue_cents"] for channel in one["channels"]) for one in report}


@contextmanager
def _world(count: int) -> Iterator[tuple[UUID, str]]:
    """Start a database with one tenant and so many allocations, summarised as the worker does it."""
    folder = Path(tempfile.mkdtemp(prefix="skeldir-bench-"))
    folder.chmod(0o711)  # root's database server, another user, must pass through it
    adopt({"SKELDIR_DATA_DIR": str(folder), "SKELDIR_LOG_LEVEL": "warning"})
    with janitor.tidying_behind(folder, remove=True):
        migrate.upgrade()
        tenant_id = provisioning.create_tenant("Bench", []).tenant_id
        token = log_in(make_user(tenant_id, "viewer")).tokens.access.token
        url = bootstrap_url().set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as superuser:
            for statement in FILL:
                superuser.execute(statement.format(tenant_id=tenant_id, version=VERSION, count=count))
        with tenant_session(tenant_id, engine=get_engine("app_worker")) as session:
            summaries.rebuild(session, VERSION)
        yield tenant_id, token
        dispose_engines()


@contextmanager
def _server(command: list[str], ready: str, token: str = "") -> Iterator[Server]:
    port = free_port()
    url = get_url("app_user").set(drivername="postgresql").render_as_string(hide_password=False)
    environ = os.environ | {"PYTHONPATH": str(TREE), "PEER_URL": url, "SKELDIR_ACCESS_TOKEN_SECONDS": "3600"}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", *command, "--port", str(port)],
        cwd=TREE,
        env=environ,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, ready)
        yield Server(port, psutil.Process(process.pid), token)
    finally:
        process.terminate()
        process.wait(30)
