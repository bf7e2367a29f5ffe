"""How certain the figures are, by the real task in a real worker, beside a numeric library and other ways.

Every journey has one order, credited to 1.6 channels of ten on average. Times of ours are the task's own,
from its start to its commit, with the digest of what it reads; those of the peers are from the first row
read to the last interval, and they store nothing.
"""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg

from skeldir import janitor
from skeldir.db import migrate
from skeldir.db.engine import bootstrap_url, dispose_engines, get_engine
from skeldir.db.session import tenant_session
from skeldir.domain import windows
from skeldir.domain.ids import uuid7
from skeldir.queue import messages
from skeldir.queue.sending import send
from skeldir.repository import channel_intervals, tenants
from skeldir.settings import adopt
from tests.bench import uncertainty_peers as peers
from tests.bench.rows import Row
from tests.bench.worker import Diary, child_megabytes, running
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import Booking, Sale, World

JOURNEYS = (10_000, 100_000)
SECONDS_MAX = {100_000: 10.0}
MEGABYTES_MAX = 100.0
LOOP_JOURNEYS_MAX = 10_000
ROUNDS, ROUNDS_QUICK = 3, 1
DEADLINE_SECONDS = 300.0
START = datetime(2026, 8, 1, tzinfo=UTC)
ALLOCATIONS = """allocations (tenant_id, model_version, entry_id, order_id, channel_code, allocated_cents,
                              currency, effective_at, touch_count)"""


@dataclass(frozen=True)
class Shop:
    """A tenant with allocations, and the estimate that was asked for."""

    tenant_id: UUID
    estimate_id: UUID


class Bench:
    """A server, a worker, and shops."""

    def __init__(self, superuser: psycopg.Connection, worker: psutil.Process, log: Path) -> None:
        self.superuser = superuser
        self.worker = worker
        self._diary = Diary(log)

    def shop(self, journeys: int) -> Shop:
        """Provision a tenant with so many journeys, which the planner has no statistics of."""
        tenant_id = uuid7()
        with tenant_session(tenant_id, engine=get_engine("app_admin")) as session:
            tenants.create(session, "Bench")
        _store(self.superuser, tenant_id, journeys)
        with tenant_session(tenant_id) as session:
            asked = channel_intervals.request(
                session, tenant_id, "linear", peers.VERSION, windows.days(None, None)
            )
        return Shop(tenant_id, asked.estimate_id)

    def estimate(self, shop: Shop, outcome: str) -> float:
        """Have the estimate answered; return how many seconds the task says it took."""
        known = len(self._said())
        send(messages.estimate_intervals(tenant_id=shop.tenant_id, estimate_id=shop.estimate_id))
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(said := self._said()) == known:
            assert time.monotonic() < deadline, self._diary.log.read_text()
            time.sleep(0.02)
        assert said[-1]["outcome"] == outcome
        return float(said[-1]["milliseconds"]) / 1000

    def _said(self) -> list[dict[str, Any]]:
        return self._diary.told("estimated")


def run(*, quick: bool) -> list[Row]:
    """Measure 10,000 and 100,000 journeys; quick: one round instead of the best of three."""
    rows: list[Row] = []
    with _bench() as bench:
        bench.estimate(bench.shop(100), "computed")  # after it the worker's child has imported everything
        for journeys in JOURNEYS:
            rows += _measure(bench, journeys, ROUNDS_QUICK if quick else ROUNDS)
        rows.append(
            Row("peak memory of the worker's child", child_megabytes(bench.worker), None, "MB", MEGABYTES_MAX)
        )
    return rows


def _measure(bench: Bench, journeys: int, rounds: int) -> list[Row]:
    ours, again = [], []
    others: dict[str, list[float]] = {}
    for _ in range(rounds):
        shop = bench.shop(journeys)
        ours.append(bench.estimate(shop, "computed"))
        again.append(bench.estimate(shop, "unchanged"))
        for name, peer in peers.PEERS.items():
            if name != peers.LOOP or journeys <= LOOP_JOURNEYS_MAX:
                others.setdefault(name, []).append(_timed(peer, bench.superuser, shop.tenant_id))
    best, mark = min(ours), SECONDS_MAX.get(journeys)
    told = f"{journeys:,} journeys, 200 draws"
    rows = [Row(f"{told}; peer: {name}", best, min(seconds), "s", mark) for name, seconds in others.items()]
    return [*rows, Row(f"{told}, again: nothing has changed", min(again))]


def _timed(
    peer: Callable[[psycopg.Connection, UUID], int], connection: psycopg.Connection, tenant: UUID
) -> float:
    started = time.perf_counter()
    assert peer(connection, tenant) == len(worlds.CHANNELS), "a peer that finds nothing is no peer"
    return time.perf_counter() - started


def _store(connection: psycopg.Connection, tenant: UUID, journeys: int) -> None:
    """Store orders with their allocations, as the attribution would leave them."""
    chance = random.Random(42)
    world, allocations = World(), []
    for number in range(journeys):
        at = START + timedelta(seconds=chance.randrange(60 * 86_400))
        entry_id, order_id = UUID(int=chance.getrandbits(128)), f"o-{number}"
        channels = chance.sample(worlds.CHANNELS, min(1 + int(chance.expovariate(1)), 4))
        parts = [int(chance.lognormvariate(8.5, 1)) + 1 for _ in channels]
        world.sales.append(Sale(order_id, f"j-{number}", at))
        world.bookings.append(Booking(entry_id, order_id, "captured", sum(parts), at))
        key = (tenant, peers.VERSION, entry_id, order_id)
        allocations += [(*key, *part, "EUR", at, 1) for part in zip(channels, parts, strict=True)]
    worlds.store(connection, tenant, world)
    with connection.cursor() as cursor, cursor.copy(f"COPY {ALLOCATIONS} FROM STDIN") as copy:
        for row in allocations:
            copy.write_row(row)


@contextmanager
def _bench() -> Iterator[Bench]:
    folder = Path(tempfile.mkdtemp(prefix="skeldir-bench-"))
    folder.chmod(0o711)  # root's database server, another user, must pass through it
    adopt({"SKELDIR_DATA_DIR": str(folder)})
    with janitor.tidying_behind(folder, remove=True):
        migrate.upgrade()
        url = bootstrap_url().set(drivername="postgresql").render_as_string(hide_password=False)
        log = folder / "worker.log"
        with psycopg.connect(url, autocommit=True) as superuser, running(log, "maintenance") as process:
            yield Bench(superuser, process, log)
        dispose_engines()
