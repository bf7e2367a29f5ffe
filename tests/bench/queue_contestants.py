"""Who is measured in the queue's benchmark: how tasks are sent to each, and how its workers are started."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from skeldir.broker.channel import LANE_HEADER
from tests.bench.queue_tasks import LINE_BYTES, QUEUE, SLOTS, celery_app, procrastinate_app

TREE = Path(__file__).parents[2]
START_SECONDS = 60.0


class Sender(Protocol):
    """How tasks get to a broker."""

    command: list[str]
    """What starts a worker, after the interpreter."""

    def send(self, who: str) -> None:
        """Send one task, durably where the broker can."""

    def fill(self, who: str, count: int) -> None:
        """Send many in whichever way is fast: what is measured is what comes after."""

    def empty(self) -> None:
        """Throw away what waits."""

    def anew(self) -> "Sender":
        """Return one that has not connected yet."""


class CelerySender:
    """Celery, over any broker."""

    def __init__(self, url: str, multiply: Callable[[int], None] | None = None) -> None:
        self.url, self.app = url, celery_app(url)
        self.multiply = multiply
        self.command = ["-m", "celery", "-A", "tests.bench.queue_tasks.app", "worker", "-c", str(SLOTS)]
        self.command += ["-Q", QUEUE, "--without-gossip", "--without-mingle", "--loglevel", "ERROR"]

    def send(self, who: str) -> None:
        self.app.send_task("stamp", args=(who, time.time()), headers={LANE_HEADER: who})

    def fill(self, who: str, count: int) -> None:
        """Have the broker copy the last message where it can, else send one by one."""
        if self.multiply is not None:
            self.send(who)
            self.multiply(count - 1)
        else:
            for _ in range(count):
                self.send(who)

    def empty(self) -> None:
        self.app.control.purge()

    def anew(self) -> "CelerySender":
        return CelerySender(self.url)


class ProcrastinateSender:
    """Procrastinate, in the same database."""

    def __init__(self, url: str, purge: Callable[[], None]) -> None:
        self.command = ["-m", "procrastinate", "--log-level", "error"]
        self.command += ["-a", "tests.bench.queue_tasks.app", "worker", "-q", QUEUE, "-c", str(SLOTS)]
        self.url, self.empty = url, purge
        self.app = procrastinate_app(url).open()

    def send(self, who: str) -> None:
        self.app.tasks["stamp"].defer(who=who, sent_at=time.time())

    def fill(self, who: str, count: int) -> None:
        for first in range(0, count, 1_000):
            several = [{"who": who, "sent_at": 0.0}] * min(1_000, count - first)
            self.app.tasks["stamp"].batch_defer(*several)

    def anew(self) -> "ProcrastinateSender":
        return ProcrastinateSender(self.url, self.empty)


@dataclass
class Contestant:
    """A broker, and where its tasks write down when they ran."""

    name: str
    url: str
    log: Path
    sender: Sender
    server: psutil.Process | None
    """The broker's own process; None when it was there before us."""
    workers: list[psutil.Process] = field(default_factory=list)

    def count(self) -> int:
        """Return how many tasks ran."""
        return self.log.stat().st_size // LINE_BYTES if self.log.exists() else 0

    def ran(self) -> list[tuple[str, float, float]]:
        """Return what ran, in its order: whose it was, when it was sent, when it ran."""
        found = (line.split() for line in self.log.read_text().splitlines())
        return [(who, float(sent_at), float(ran_at)) for who, sent_at, ran_at in found]

    def wait_for(self, count: int, seconds: float) -> None:
        """Wait until so many tasks ran, at most so long after the first."""
        deadline = time.monotonic() + START_SECONDS
        while self.count() == 0:
            assert time.monotonic() < deadline, f"{self.name}: no task ran"
            time.sleep(0.02)
        deadline = time.monotonic() + seconds
        while self.count() < count and time.monotonic() < deadline:
            time.sleep(0.05)

    @contextmanager
    def working(self, count: int) -> Iterator[None]:
        """Run so many workers, each with a process for every slot where it has any; the log begins anew."""
        self.log.unlink(missing_ok=True)
        environment = os.environ | {"BENCH_BROKER": self.url, "BENCH_LOG": str(self.log)}
        environment["PYTHONPATH"] = str(TREE)
        command = [sys.executable, "-W", "ignore", *self.sender.command]
        processes = []
        for number in range(count):
            name = ["-n", f"w{number}@bench"] if "celery" in command else []
            processes.append(
                subprocess.Popen([*command, *name], cwd=TREE, env=environment, stdout=subprocess.DEVNULL)
            )
        self.workers = [psutil.Process(process.pid) for process in processes]
        try:
            yield
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(START_SECONDS)
            self.workers = []

    def processor_seconds(self) -> float:
        """Return what the workers and the server have used so far."""
        roots = [*self.workers, *([self.server] if self.server else [])]
        family = [one for root in roots for one in (root, *root.children(recursive=True))]
        return sum(sum(one.cpu_times()[:2]) for one in family)
