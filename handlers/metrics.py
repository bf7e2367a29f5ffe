"""The operation getMetrics of api-contracts/openapi/v1/health.yaml."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from handlers import watch
from skeldir.http.context import Context

if TYPE_CHECKING:
    from prometheus_client import Metric

STATES = ("ready", "scheduled", "in_flight", "parked")


def get_metrics(ctx: Context) -> str:  # noqa: ARG001 - every handler takes one
    """Return what Prometheus shall keep; asked of the database, so that every process tells the same."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - a slow start else

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(list(_queues())))
    return generate_latest(registry).decode()


class _Collected:
    """Metrics that were worked out before, as the library wants to collect them."""

    def __init__(self, metrics: Iterable["Metric"]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable["Metric"]:
        """Return them."""
        return self._metrics


def _queues() -> Iterator["Metric"]:
    from prometheus_client.metrics_core import GaugeMetricFamily  # noqa: PLC0415 - a slow start else

    messages = GaugeMetricFamily(
        "skeldir_queue_messages", "Messages by queue and state.", labels=["queue", "state"]
    )
    oldest = GaugeMetricFamily(
        "skeldir_queue_oldest_message_age_seconds",
        "How long the oldest message that a worker could take has waited.",
        labels=["queue"],
    )
    for figures in watch.queues():
        for state in STATES:
            messages.add_metric([figures.queue, state], getattr(figures, state))
        oldest.add_metric([figures.queue], figures.oldest_seconds)
    yield from (messages, oldest)
