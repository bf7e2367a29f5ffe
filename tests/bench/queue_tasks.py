"""The task of the queue's benchmark, over the broker that BENCH_BROKER names: it writes down when it ran."""

import os
import time

from celery import Celery

import skeldir.broker  # noqa: F401 - makes the transport known

app = Celery("bench", broker=os.environ["BENCH_BROKER"])
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_acks_late=True,
    task_ignore_result=True,
    task_default_queue="bench",
    worker_prefetch_multiplier=16,
    broker_connection_retry_on_startup=True,
    broker_pool_limit=2,
)
LOG = os.open(os.environ["BENCH_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


@app.task
def stamp(who: str, sent_at: float) -> None:
    """Write down whose task it was, when it was sent and when it ran."""
    os.write(LOG, f"{who} {sent_at!r} {time.time()!r}\n".encode())
