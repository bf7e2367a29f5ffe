"""Attribution by the real job in a real worker's child process, beside a client and an ORM loop.

An event is a touch or an order. Every round is a fresh tenant that the planner has no statistics of;
peers run between our rounds, on the same server and the same events. Times are the job's own, from
the task's start to its commit; what the message took on its way is not attribution and is not counted.
"""

import json
import random
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from skeldir import janitor
from skeldir.db import migrate
from skeldir.db.engine import bootstrap_url, dispose_engines, get_engine
from skeldir.db.session import tenant_session
from skeldir.domain.ids import uuid7
from skeldir.queue import messages
from skeldir.queue.sending import send
from skeldir.repository import tenants
from skeldir.settings import adopt
from tests.bench import attribution_peers as peers
from tests.bench.rows import Row
from tests.bench.worker import child_megabytes, running
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import Booking, Sale, Visit, World

TREE = Path(__file__).parents[2]
ROUNDS, ROUNDS_QUICK = 3, 1
DEADLINE_SECONDS = 300.0
MARKS = {10_000: 1.0, 100_000: 5.0}
MEGABYTES_MAX = 256.0
ORM_EVENTS_MAX = 10_000
START = datetime(2026, 8, 1, tzinfo=UTC)
PAID = ("google_search_paid", "facebook_paid", "tiktok_paid")


@dataclass(frozen=True)
class Job:
    """What the worker says of a run, and how much memory its child had at its highest."""

    seconds: float
    written: int
    child_megabytes: float


class Bench:
    """A server, a worker, and fresh tenants with the same events."""

    def __init__(self, superuser: psycopg.Connection, worker: psutil.Process, log: Path) -> None:
        self.superuser = superuser
        self._worker = worker
        self._log = log

    def tenant(self, world: World) -> UUID:
        """Provision a tenant with these events."""
        tenant_id = uuid7()
        with tenant_session(tenant_id, engine=get_engine("app_admin")) as session:
            tenants.create(session, "Bench")
        worlds.store(self.superuser, tenant_id, world)
        return tenant_id

    def attribute(self, tenant_id: UUID, world: World) -> Job:
        """Mark every journey, wake the worker up and wait for what it says."""
        worlds.mark(self.superuser, tenant_id, world.journeys)
        known = len(self._said())
        send(messages.attribute_marked(tenant_id=tenant_id))
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(said := self._said()) == known:
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)
        assert said[-1]["outcome"] == "attributed"
        assert said[-1]["journeys"] == len(world.journeys)
        return Job(said[-1]["milliseconds"] / 1000, said[-1]["written"], child_megabytes(self._worker))

    def _said(self) -> list[dict[str, Any]]:
        return [json.loads(found) for found in re.findall(r"attributed (\{.*\})", self._log.read_text())]


def make(seed: int, events: int) -> World:
    """Make journeys as shops see them: geometric length, sticky channels, log-normal amounts, refunds."""
    chance = random.Random(seed)
    world = World()
    journey = 0
    while len(world.visits) + len(world.sales) < events:
        journey += 1
        at = START + timedelta(seconds=chance.randrange(60 * 86_400))
        channel = chance.choice(worlds.CHANNELS)
        while True:
            at += timedelta(seconds=chance.randrange(1, 3 * 86_400))
            channel = chance.choice(worlds.CHANNELS) if chance.random() < 0.6 else channel
            campaign = chance.choice(("", "spring", "brand")) if channel in PAID else ""
            world.visits.append(
                Visit(UUID(int=chance.getrandbits(128)), f"j-{journey}", at, channel, campaign)
            )
            if chance.random() < 0.26:
                break
        if chance.random() < 0.4:
            _sell(world, chance, journey, at + timedelta(hours=1))
    return world


def _sell(world: World, chance: random.Random, journey: int, at: datetime) -> None:
    order_id, cents = f"o-{journey}", int(chance.lognormvariate(8.5, 1)) + 1
    world.sales.append(Sale(order_id, f"j-{journey}", at))
    world.bookings.append(Booking(UUID(int=chance.getrandbits(128)), order_id, "captured", cents, at))
    for number in range(chance.choice((1, 2)) if chance.random() < 0.1 else 0):
        when, part = at + timedelta(days=number + 1), max(1, cents // 3)
        world.bookings.append(Booking(UUID(int=chance.getrandbits(128)), order_id, "refunded", -part, when))


@contextmanager
def _bench() -> Iterator[Bench]:
    folder = Path(tempfile.mkdtemp(prefix="skeldir-bench-"))
    folder.chmod(0o711)  # root's database server, another user, must pass through it
    adopt({"SKELDIR_DATA_DIR": str(folder)})
    with janitor.tidying_behind(folder, remove=True):
        migrate.upgrade()
        url = bootstrap_url().set(drivername="postgresql").render_as_string(hide_password=False)
        log = folder / "worker.log"
        with psycopg.connect(url, autocommit=True) as superuser, running(log, "attribution") as process:
            superuser.execute(peers.BARE_TABLE)
            yield Bench(superuser, process, log)
        dispose_engines()


def run(*, quick: bool) -> list[Row]:
    """Measure 10,000 and 100,000 events; quick: one round instead of the best of three."""
    rows: list[Row] = []
    with _bench() as bench:
        warm_up = make(1, 500)  # after it the worker's child has imported everything
        bench.attribute(bench.tenant(warm_up), warm_up)
        for events, mark in MARKS.items():
            rows += _measure(bench, events, mark, ROUNDS_QUICK if quick else ROUNDS)
    return rows


def _measure(bench: Bench, events: int, mark: float, rounds: int) -> list[Row]:
    world = make(42, events)
    ours, reruns, client, orm = [], [], [], []
    for _ in range(rounds):
        tenant = bench.tenant(world)
        ours.append(bench.attribute(tenant, world))
        reruns.append(bench.attribute(tenant, world))
        assert reruns[-1].written == 0, "a rerun must change nothing"
        client.append(_client(bench, bench.tenant(world), world))
        if events <= ORM_EVENTS_MAX:
            orm.append(_orm(bench, bench.tenant(world), world))
    told = f"{events:,} events ({len(world.bookings):,} entries), 4 models"
    best, in_client = min(job.seconds for job in ours), min(client)
    rows = [Row(f"{told}; peer: Python in the client", best, in_client, "s", mark)]
    if orm:
        rows.append(Row(f"{told}; peer: ORM loop", best, min(orm), "s", mark))
    rows.append(Row(f"{events:,} events again, nothing written", min(job.seconds for job in reruns)))
    peak = max(job.child_megabytes for job in ours + reruns)
    rows.append(Row(f"{events:,} events, peak memory of the worker's child", peak, None, "MB", MEGABYTES_MAX))
    return rows


def _client(bench: Bench, tenant: UUID, world: World) -> float:
    started = time.perf_counter()
    peers.in_the_client(bench.superuser, tenant)
    seconds = time.perf_counter() - started
    _agree(bench, tenant, world)
    return seconds


def _orm(bench: Bench, tenant: UUID, world: World) -> float:
    engine = create_engine(bootstrap_url(), poolclass=NullPool)
    started = time.perf_counter()
    peers.orm_loop(engine, tenant)
    seconds = time.perf_counter() - started
    _agree(bench, tenant, world)
    return seconds


def _agree(bench: Bench, tenant: UUID, world: World) -> None:
    net = world.net_cents()["EUR"]
    assert set(peers.totals(bench.superuser, tenant).values()) == {net}, "a peer that is wrong is no peer"
