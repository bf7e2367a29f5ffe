"""Celery over our queue, beside kombu's SQLAlchemy transport, Redis, RabbitMQ, and procrastinate.

All run the same task that only writes down when it ran, in workers of two slots each. Redis and RabbitMQ are
started for the run where they are installed; Redis writes nothing to disk.
"""

import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from skeldir.db.engine import dispose_engines
from tests.bench.queue_growth import growth
from tests.bench.queue_measures import FULL, QUICK, Figures, measure
from tests.bench.queue_servers import contestants
from tests.bench.rows import Row

RATE_MARKS = {"sqla": 5.0, "Redis": 1.0, "RabbitMQ": 1.0}
LATENCY_MS_MAX = 15.0
OVERTAKEN_MAX = 64
"""A tenant's one task waits for what two windows of a worker hold, not for another's thousands."""


def run(*, quick: bool) -> list[Row]:
    """Measure everybody; quick: fewer tasks of everything, and nothing of what the tables grow to."""
    sizes, found = QUICK if quick else FULL, {}
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who is told to end stops the servers too
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="skeldir-queue-"))
        for one in contestants(stack, folder):
            print(f"measuring {one.name} ...", file=sys.stderr, flush=True)
            found[one.name] = measure(one, sizes)
        ours = found.pop("ours")
        rows = [row for name, peer in found.items() for row in _beside(name, ours, peer)]
        if not quick:
            rows.append(growth())
        dispose_engines()
    return rows


def _beside(name: str, ours: Figures, peer: Figures) -> list[Row]:
    mark = RATE_MARKS.get(name)
    rows = [
        Row(f"{name}: {workers} x 2 processes", rate, peer.rates[workers], "tasks/s", mark, True, True)
        for workers, rate in ours.rates.items()
    ]
    return [
        *rows,
        Row(f"{name}: 2 x 2, backlog", ours.backlog_rate, peer.backlog_rate, "tasks/s", mark, True, True),
        Row(f"{name}: first send onto a backlog", ours.backlog_send_ms, peer.backlog_send_ms, "ms"),
        Row(f"{name}: sending", ours.sent_per_second, peer.sent_per_second, "tasks/s", None, True),
        Row(f"{name}: idle latency, p50", ours.latency_p50_ms, peer.latency_p50_ms, "ms"),
        Row(f"{name}: idle latency, p95", ours.latency_p95_ms, peer.latency_p95_ms, "ms", LATENCY_MS_MAX),
        Row(f"{name}: idle, worker and server", ours.idle_percent, peer.idle_percent, "% of a core"),
        Row(f"{name}: run before another's one", ours.overtaken, peer.overtaken, "tasks", OVERTAKEN_MAX),
    ]
