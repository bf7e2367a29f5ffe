"""Celery over our queue, beside kombu's SQLAlchemy transport, Redis and RabbitMQ: the same tasks, in one run.

Each broker gets the same workers of two processes. Redis is started for the run, without persistence;
RabbitMQ is measured where one answers; who is missing is left out with a word.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil
import psycopg
from celery import Celery

from skeldir import janitor
from skeldir.broker import store
from skeldir.broker.channel import LANE_HEADER
from skeldir.db import migrate
from skeldir.db.engine import bootstrap_url, dispose_engines, get_url
from skeldir.settings import adopt
from tests.bench.rows import Row

TREE = Path(__file__).parents[2]
SQLA_MARK, LATENCY_MARK_MS, FLAT_MARK = 5.0, 15.0, 1.2
DEADLINE_SECONDS = 600.0
TASK = "tests.bench.queue_tasks.stamp"


@dataclass(frozen=True)
class Contestant:
    """A broker with its address, and where its tasks write down when they ran."""

    name: str
    url: str
    log: Path

    def sender(self) -> Celery:
        """Return an application that sends to it."""
        app = Celery(self.name, broker=self.url)
        app.conf.update(task_default_queue="bench", task_ignore_result=True, broker_pool_limit=2)
        return app

    def ran(self) -> list[tuple[str, float, float]]:
        """Return what ran: whose it was, when it was sent, when it ran."""
        if not self.log.exists():
            return []
        found = (line.split() for line in self.log.read_text().splitlines())
        return [(who, float(sent_at), float(ran_at)) for who, sent_at, ran_at in found]

    def wait_for(self, count: int) -> list[tuple[str, float, float]]:
        """Wait until so many tasks ran."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(found := self.ran()) < count:
            assert time.monotonic() < deadline, f"{self.name}: {len(found)} of {count} tasks ran"
            time.sleep(0.1)
        return found


@dataclass(frozen=True)
class Figures:
    """What was measured of one broker."""

    rates: dict[int, float]
    sent_per_second: float
    latencies_ms: Sequence[float]
    idle_cpu_ppm: float
    backlog_rate: float | None


def run(*, quick: bool) -> list[Row]:
    """Measure everybody; quick: fewer tasks, no long backlog."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="skeldir-queue-"))
        contestants = list(_contestants(stack, folder))
        found = {one.name: _measure(one, quick=quick) for one in contestants}
        rows = _rows(found)
        rows += _fairness(contestants[0], 2_000 if quick else 10_000)
        rows.append(_flatness(100_000 if quick else 1_000_000))
        dispose_engines()
    return rows


def _rows(found: dict[str, Figures]) -> list[Row]:
    ours, rows = found.pop("ours"), []
    for name, peer in found.items():
        mark = SQLA_MARK if name == "sqla" else 1.0
        for workers, rate in ours.rates.items():
            title = f"{workers} worker{'s' if workers > 1 else ''}, beside {name}"
            wanted = mark if workers == 1 or name == "sqla" else None
            rows.append(Row(title, rate, peer.rates[workers], "tasks/s", wanted, True, mark_is_ratio=True))
        rows.append(
            Row(f"sending, beside {name}", ours.sent_per_second, peer.sent_per_second, "tasks/s", None, True)
        )
        rows.append(
            Row(
                f"idle latency p50, beside {name}", median(ours.latencies_ms), median(peer.latencies_ms), "ms"
            )
        )
        rows.append(Row(f"idle latency p95, beside {name}", _p95(ours), _p95(peer), "ms", LATENCY_MARK_MS))
        rows.append(Row(f"idle processor time, beside {name}", ours.idle_cpu_ppm, peer.idle_cpu_ppm, "ppm"))
        if ours.backlog_rate and peer.backlog_rate:
            title = f"a backlog of 100,000, beside {name}"
            rows.append(Row(title, ours.backlog_rate, peer.backlog_rate, "tasks/s", None, True))
    return rows


def _p95(figures: Figures) -> float:
    return quantiles(figures.latencies_ms, n=20)[-1]


def _measure(one: Contestant, *, quick: bool) -> Figures:
    count = 3_000 if quick else 10_000
    app, rates = one.sender(), {}
    sent_per_second = 0.0
    for workers in (1, 2):
        sent_per_second = _send(app, count)
        with _workers(one, workers):
            rates[workers] = _rate(one.wait_for(count))
        one.log.unlink()
    with _workers(one, 1) as processes:
        _send(app, 1)
        one.wait_for(1)
        time.sleep(1)
        latencies = _latencies(one, app, 20 if quick else 60)
        idle = _idle(processes, 3 if quick else 10)
    one.log.unlink()
    backlog = None
    if not quick and one.name != "sqla":
        _send(app, 100_000)
        with _workers(one, 2):
            backlog = _rate(one.wait_for(20_000)[:20_000])
        app.control.purge()
        one.log.unlink()
    return Figures(rates, sent_per_second, latencies, idle, backlog)


def _send(app: Celery, count: int, who: str = "a") -> float:
    started = time.monotonic()
    for _ in range(count):
        app.send_task(
            "tests.bench.queue_tasks.stamp",
            args=(who, time.time()),
            queue="bench",
            headers={LANE_HEADER: who},
        )
    return count / (time.monotonic() - started)


def _rate(ran: list[tuple[str, float, float]]) -> float:
    """Return tasks per second between the first and the last tenth."""
    at = sorted(ran_at for *_, ran_at in ran)
    low, high = len(at) // 10, len(at) * 9 // 10
    return (high - low) / (at[high] - at[low])


def _latencies(one: Contestant, app: Celery, count: int) -> list[float]:
    before = len(one.ran())
    for _ in range(count):
        _send(app, 1)
        time.sleep(0.15)
    found = one.wait_for(before + count)[before:]
    return [1000 * (ran_at - sent_at) for _, sent_at, ran_at in found]


def _idle(processes: Sequence[psutil.Process], seconds: int) -> float:
    def used() -> float:
        family = [child for process in processes for child in (process, *process.children(recursive=True))]
        return sum(sum(one.cpu_times()[:2]) for one in family)

    before = used()
    time.sleep(seconds)
    return 1e6 * (used() - before) / seconds


def _fairness(ours: Contestant, many: int) -> list[Row]:
    """Let one tenant send many tasks, then another a few: how long these wait, beside all of the many."""
    app = ours.sender()
    _send(app, many, "many")
    _send(app, 10, "few")
    with _workers(ours, 1):
        ran = ours.wait_for(many + 10)
    first = min(ran_at for *_, ran_at in ran)
    few = max(ran_at for who, _, ran_at in ran if who == "few") - first
    every = max(ran_at for *_, ran_at in ran) - first
    ours.log.unlink()
    return [
        Row(
            f"ten tasks behind another tenant's {many:,}, beside waiting for all",
            few,
            every,
            "s",
            10.0,
            mark_is_ratio=True,
        )
    ]


def _flatness(total: int) -> Row:
    """Pass messages through the queue, never more than 1,000 at once: what its tables and indexes grow to."""
    url = get_url("app_worker").set(drivername="postgresql").render_as_string(hide_password=False)
    superuser = bootstrap_url().set(drivername="postgresql").render_as_string(hide_password=False)
    sizes: list[int] = []
    with (
        psycopg.connect(url, autocommit=True) as consumer,
        psycopg.connect(superuser, autocommit=True) as owner,
    ):
        consumer.execute("SET synchronous_commit = off")
        lease, settled, passed = store.take_lease(consumer), [], 0
        store.declare_queue(consumer, "flat", None)
        while passed < total:
            owner.execute(
                """INSERT INTO skeldir_broker.messages (queue, priority, lane, body)
                   SELECT 'flat', 0, n % 7, repeat('x', 900) FROM generate_series(1, 500) AS n"""
            )
            claimed = store.claim(consumer, lease, ["flat"], 500, settled, 0)
            settled = [message.message_id for message in claimed]
            passed += len(claimed)
            if passed in (total // 10, total):
                row = owner.execute("SELECT pg_total_relation_size('skeldir_broker.messages')").fetchone()
                sizes.append(int(row[0]) if row else 0)
        store.claim(consumer, lease, [], 0, settled, 0)
    title = f"size after {total:,} messages, in sizes after {total // 10:,}"
    return Row(title, sizes[-1] / sizes[0], None, "x", FLAT_MARK)


@contextmanager
def _workers(one: Contestant, count: int) -> Iterator[list[psutil.Process]]:
    environment = os.environ | {"BENCH_BROKER": one.url, "BENCH_LOG": str(one.log), "PYTHONPATH": str(TREE)}
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "celery",
        "-A",
        "tests.bench.queue_tasks",
        "worker",
        "-c",
        "2",
    ]
    command += ["-Q", "bench", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    processes = [
        subprocess.Popen(
            [*command, "-n", f"w{number}@bench"], cwd=TREE, env=environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for number in range(count)
    ]  # fmt: skip
    try:
        yield [psutil.Process(process.pid) for process in processes]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


def _contestants(stack: ExitStack, folder: Path) -> Iterator[Contestant]:
    """Start whom we can start, ourselves first."""
    folder.chmod(0o711)  # root's database server, another user, must pass through it
    adopt({"SKELDIR_DATA_DIR": str(folder), "SKELDIR_LOG_LEVEL": "warning"})
    stack.enter_context(janitor.tidying_behind(folder, remove=True))
    migrate.upgrade()
    url = get_url("app_worker").set(drivername="postgresql").render_as_string(hide_password=False)
    yield Contestant("ours", f"pg+{url}", folder / "ours.log")
    superuser = bootstrap_url().set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    yield Contestant("sqla", f"sqla+{superuser}", folder / "sqla.log")
    for name, find in (("Redis", _redis), ("RabbitMQ", _rabbitmq)):
        found = find(stack, folder)
        if found is None:
            print(f"{name} is left out: no server here")
        else:
            yield Contestant(name, found, folder / f"{name}.log")


def _redis(stack: ExitStack, folder: Path) -> str | None:
    program = shutil.which("redis-server")
    try:
        import redis  # noqa: F401, PLC0415 - only this benchmark knows it
    except ImportError:
        return None
    if program is None:
        return None
    port = _free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    stack.callback(_end, process)
    _wait_for(port)
    return f"redis://127.0.0.1:{port}/0"


def _rabbitmq(_stack: ExitStack, _folder: Path) -> str | None:
    url = os.environ.get("BENCH_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")
    app: Any = Celery("probe", broker=url)
    try:
        with app.connection() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
    except Exception:  # noqa: BLE001 - whatever keeps it from answering
        return None
    return url


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(10)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("a server did not start in time")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
