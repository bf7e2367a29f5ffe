"""The Celery application of the workers: `celery -A workers.app worker`, or `skeldir worker`."""

from typing import Final

from celery.signals import setup_logging

from skeldir.observability.logging import configure_logging
from skeldir.queue.broker import WorkerApplication
from skeldir.queue.results import OPTIONS
from skeldir.settings import get_settings
from workers.relay import Relay
from workers.reporting import Reporting
from workers.schedule import BEAT_SCHEDULE

TASK_MODULES: Final = (
    "workers.attribution",
    "workers.recomputing",
    "workers.summaries",
    "workers.performance",
    "workers.ledger",
    "workers.models",
    "workers.channels",
    "workers.maintenance",
    "workers.retention",
    "workers.privacy",
    "workers.audits",
    "workers.uncertainty",
    "workers.housekeeping",
)
"""The llm queue is consumed like the others; its first tasks come with the explanations."""

# Above the statement timeout of the attribution job, so that Postgres ends a statement before Celery
# ends the task.
SOFT_LIMIT_SECONDS: Final = 240
HARD_LIMIT_SECONDS: Final = 300


@setup_logging.connect  # type: ignore[untyped-decorator]
def _log(**_: object) -> None:
    """Have workers and the schedule log as the API does, instead of Celery's way, which quotes."""
    configure_logging(get_settings())


app = WorkerApplication(
    "skeldir",
    "app_worker",
    include=TASK_MODULES,
    result_backend="skeldir.queue.results:Results",
    beat_schedule=BEAT_SCHEDULE,
    beat_scheduler="workers.beat:LeadingScheduler",
    beat_max_loop_interval=1,
    broker_connection_retry_on_startup=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_soft_time_limit=SOFT_LIMIT_SECONDS,
    task_time_limit=HARD_LIMIT_SECONDS,
    task_store_errors_even_if_ignored=False,
    worker_consumer="workers.consuming:ParkingConsumer",
    worker_prefetch_multiplier=1,
    worker_max_memory_per_child=250_000,
    worker_send_task_events=False,
    **OPTIONS,
)
app.steps["consumer"].add(Reporting)
app.steps["worker"].add(Relay)
