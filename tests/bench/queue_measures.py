"""What the queue's benchmark measures of each broker, with the same tasks and the same number of workers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import uniform
from statistics import median, quantiles

from tests.bench.queue_contestants import Contestant


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    waiting: int
    sent: int
    samples: int
    idle_seconds: float
    backlog: int
    seconds_max: float
    """A slow broker's rate is taken over what it did in this time."""


FULL = Sizes(10_000, 1_000, 50, 6.0, 100_000, 6.0)
QUICK = Sizes(3_000, 300, 30, 2.0, 10_000, 3.0)


@dataclass(frozen=True)
class Figures:
    """What was measured of one broker."""

    rates: dict[int, float]
    """Tasks per second, by the number of workers."""
    overtaken: int
    """How many of another tenant's tasks ran before the one task that was sent after them."""
    sent_per_second: float
    latency_p50_ms: float
    latency_p95_ms: float
    idle_percent: float
    """What the workers and the server use of a core while nothing happens."""
    backlog_rate: float
    backlog_send_ms: float
    """How long a new sender takes for its first task on top of the backlog."""


def measure(one: Contestant, sizes: Sizes) -> Figures:
    """Measure one broker; its queue is empty before and after."""
    rates, overtaken = {}, 0
    for workers in (1, 2):
        one.sender.fill("many", sizes.waiting)
        one.sender.send("one")
        ran = _drain(one, workers, sizes.waiting + 1, sizes.seconds_max)
        rates[workers] = _rate(ran)
        overtaken = max(overtaken, _before(ran, "one"))
    sent_per_second = _sending(one, sizes.sent)
    latencies, idle = _at_rest(one, sizes)
    one.sender.fill("many", sizes.backlog)
    started = time.perf_counter()
    one.sender.anew().send("one")
    backlog_send_ms = 1000 * (time.perf_counter() - started)
    backlog_rate = _rate(_drain(one, 2, sizes.backlog + 1, sizes.seconds_max))
    return Figures(
        rates,
        overtaken,
        sent_per_second,
        median(latencies),
        quantiles(latencies, n=20)[-1],
        idle,
        backlog_rate,
        backlog_send_ms,
    )


def _drain(
    one: Contestant, workers: int, count: int, seconds_max: float
) -> Sequence[tuple[str, float, float]]:
    with one.working(workers):
        one.wait_for(count, seconds_max)
        ran = one.ran()
    one.sender.empty()
    return ran


def _rate(ran: Sequence[tuple[str, float, float]]) -> float:
    """Return tasks per second, without the first and the last tenth: workers do not start as one."""
    at = sorted(ran_at for *_, ran_at in ran)
    low, high = len(at) // 10, len(at) * 9 // 10
    return (high - low) / (at[high] - at[low])


def _before(ran: Sequence[tuple[str, float, float]], who: str) -> int:
    """Return how many ran before somebody's first: all, if he still waits at the end."""
    order = sorted(ran, key=lambda task: task[2])
    return next((place for place, task in enumerate(order) if task[0] == who), len(order))


def _sending(one: Contestant, count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        one.sender.send("many")
    rate = count / (time.perf_counter() - started)
    one.sender.empty()
    return rate


def _at_rest(one: Contestant, sizes: Sizes) -> tuple[list[float], float]:
    """Return the milliseconds from sending to running, and the share of a core that doing nothing takes."""
    with one.working(1):
        one.sender.send("warm")
        one.wait_for(1, 0)
        time.sleep(2)
        for _ in range(sizes.samples):
            one.sender.send("one")
            time.sleep(uniform(0.05, 0.15))
        one.wait_for(1 + sizes.samples, sizes.seconds_max)
        latencies = [1000 * (ran_at - sent_at) for _, sent_at, ran_at in one.ran()[1:]]
        before = one.processor_seconds()
        time.sleep(sizes.idle_seconds)
        return latencies, 100 * (one.processor_seconds() - before) / sizes.idle_seconds
