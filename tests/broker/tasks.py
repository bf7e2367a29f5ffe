"""Tasks whose effects tests look for in the database; an application of their own, with any broker."""

import os
import time
from functools import partial
from typing import Any, Final

import psycopg
from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded

import skeldir.broker  # noqa: F401 - makes the transport known
from skeldir.queue.results import OPTIONS

BROKER: Final = os.environ["TEST_BROKER_URL"]
DATABASE: Final = os.environ["TEST_DATABASE_URL"]

app = Celery("tests", broker=BROKER, backend=os.environ.get("TEST_RESULT_BACKEND"))
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=False,
    task_default_queue="tests",
    worker_prefetch_multiplier=int(os.environ.get("TEST_PREFETCH", "4")),
    broker_connection_retry_on_startup=True,
    broker_transport_options={"silent_seconds_max": int(os.environ.get("TEST_SILENT_SECONDS", "600"))},
    **OPTIONS,
)
if tries := os.environ.get("TEST_UNLOCK_TRIES"):
    app.conf.task_annotations = {"celery.chord_unlock": {"max_retries": int(tries)}}
task: Final = partial(app.task, shared=False)  # else the service's own application would have these as well


def _write(key: str, value: str) -> None:
    with psycopg.connect(DATABASE, autocommit=True) as connection:
        connection.execute("INSERT INTO broker_tests.effects (key, value) VALUES (%s, %s)", (key, value))


@task
def effect(*, key: str, value: str = "", seconds: float = 0.0) -> str:
    """Take a while, then leave a row."""
    time.sleep(seconds)
    _write(key, value)
    return value


@task(ignore_result=True)
def noop() -> None:
    """Do nothing."""


@task
def add(x: int, y: int) -> int:
    return x + y


@task
def total(numbers: list[int]) -> int:
    return sum(numbers)


@task(bind=True, max_retries=5)
def at_the_third_try(self: Any, *, key: str) -> int:
    _write(key, str(self.request.retries))
    if self.request.retries < 2:
        raise self.retry(countdown=0.1)
    return int(self.request.retries)


@task(soft_time_limit=0.5, time_limit=5)
def too_long(*, key: str) -> None:
    try:
        time.sleep(4)
    except SoftTimeLimitExceeded:
        _write(key, "stopped")


@task(time_limit=0.5)
def far_too_long() -> None:
    time.sleep(30)


@task(rate_limit="5/s", ignore_result=True)
def limited(*, key: str) -> None:
    _write(key, str(time.time()))


@task
def end_the_worker() -> None:
    os.kill(os.getpid(), 9)
