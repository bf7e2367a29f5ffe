"""Figures in Prometheus' text format. A library of its own, which takes long to load: import it late."""

from collections.abc import Iterable, Iterator
from itertools import accumulate, groupby
from typing import Final

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from handlers.watch import Watched
from skeldir.domain.task_figures import BOUNDS_SECONDS

ALARMING: Final = ("failed",)
"""What may become of a task that somebody is woken up for."""

STATES: Final = ("ready", "scheduled", "in_flight", "parked")


def exposition(watched: Watched) -> str:
    """Return what Prometheus shall keep."""
    registry = CollectorRegistry(auto_describe=False)
    of_tenants = [_shares(watched), *_audits(watched)]
    of_all = [*_queues(watched), *_workers(watched), *_tasks(watched), _schedule(watched)]
    registry.register(_Collected([*of_all, *of_tenants]))
    return generate_latest(registry).decode()


class _Collected:
    """Metrics that were worked out before, as the library wants to collect them."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        return self._metrics


def _queues(watched: Watched) -> Iterator[Metric]:
    messages = GaugeMetricFamily(
        "skeldir_queue_messages", "Messages by queue and state.", labels=["queue", "state"]
    )
    oldest = GaugeMetricFamily(
        "skeldir_queue_oldest_message_age_seconds",
        "How long the oldest message that a worker could take has waited.",
        labels=["queue"],
    )
    for figures in watched.queues:
        for state in STATES:
            messages.add_metric([figures.queue, state], getattr(figures, state))
        oldest.add_metric([figures.queue], figures.oldest_seconds)
    yield from (messages, oldest)


def _workers(watched: Watched) -> Iterator[Metric]:
    alive = GaugeMetricFamily(
        "skeldir_queue_workers_alive", "Workers that consume the queue and were heard of.", labels=["queue"]
    )
    heartbeat = GaugeMetricFamily(
        "skeldir_queue_heartbeat_age_seconds",
        "Since a worker that consumes the queue was last heard of; none when there was none for an hour.",
        labels=["queue"],
    )
    redelivered = CounterMetricFamily(
        "skeldir_queue_redelivered_messages",
        "Messages that workers were given once more, since somebody had begun and not settled them.",
        labels=["queue"],
    )
    expired = CounterMetricFamily(
        "skeldir_queue_expired_messages",
        "Messages that workers threw away, since they had waited for longer than they were worth.",
        labels=["queue"],
    )
    for queue, workers in watched.workers.items():
        alive.add_metric([queue], workers.alive)
        redelivered.add_metric([queue], workers.redelivered)
        expired.add_metric([queue], workers.expired)
        if workers.heartbeat_age_seconds is not None:
            heartbeat.add_metric([queue], workers.heartbeat_age_seconds)
    yield from (alive, heartbeat, redelivered, expired)


def _tasks(watched: Watched) -> Iterator[Metric]:
    runs = CounterMetricFamily(
        "skeldir_task_runs", "Runs of tasks by what became of them.", labels=["task_name", "outcome"]
    )
    durations = HistogramMetricFamily(
        "skeldir_task_duration_seconds", "How long runs of tasks took.", labels=["task_name"]
    )
    for name, outcomes in groupby(watched.tasks, lambda one: one.task_name):
        all_of_it = list(outcomes)
        told = dict.fromkeys(ALARMING, 0)  # from nothing on, or the first would be no increase
        told |= {figures.outcome: sum(figures.bucket_counts) for figures in all_of_it}
        for outcome, count in told.items():
            runs.add_metric([name, outcome], count)
        counts = accumulate(map(sum, zip(*(one.bucket_counts for one in all_of_it), strict=True)))
        bounds = [*map(str, BOUNDS_SECONDS), "+Inf"]
        durations.add_metric(
            [name],
            buckets=list(zip(bounds, counts, strict=True)),
            sum_value=sum(one.duration_seconds for one in all_of_it),
        )
    yield from (runs, durations)


def _schedule(watched: Watched) -> Metric:
    return GaugeMetricFamily(
        "skeldir_schedule_age_seconds",
        "Since the schedule last sent a task, which it does every few seconds; infinite where it never ran.",
        value=watched.schedule_age_seconds,
    )


def _shares(watched: Watched) -> Metric:
    tenants = GaugeMetricFamily(
        "skeldir_unknown_share_tenants",
        "Tenants by how large the part of their touches is that no rule tells apart.",
        labels=["level"],
    )
    for level, count in watched.unknown_shares.items():
        tenants.add_metric([level], count)
    return tenants


def _audits(watched: Watched) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "skeldir_audit_wrong_tenants",
        "Tenants whose last audit of attribution found something wrong.",
        value=watched.audits.wrong_tenant_count,
    )
    yield GaugeMetricFamily(
        "skeldir_audit_oldest_age_seconds",
        "Since the last audit of the tenant that has waited for one longest.",
        value=watched.audits.oldest_seconds,
    )
