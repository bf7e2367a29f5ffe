"""The tasks of the queue's benchmark: each writes down whose it was, when it was sent and when it ran.

Workers find `app` here, over the broker that BENCH_BROKER names: Celery's, or procrastinate's.
"""

import os
import time
from pathlib import Path
from typing import Any, Final

from celery import Celery
from procrastinate import App, PsycopgConnector

import skeldir.broker  # noqa: F401 - makes the transport known

QUEUE: Final = "bench"
SLOTS: Final = 2
"""How many tasks a worker runs at once."""
LINE: Final = "{who:<4} {sent_at:.6f} {ran_at:.6f}\n"
LINE_BYTES: Final = 41


def celery_app(broker: str) -> Celery:
    """Return the application of those who send and those who work."""
    app: Any = Celery("bench", broker=broker)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=True,
        task_ignore_result=True,
        task_default_queue=QUEUE,
        worker_prefetch_multiplier=16,
        broker_connection_retry_on_startup=True,
        broker_pool_limit=2,
    )
    app.task(name="stamp")(stamp)
    return app  # type: ignore[no-any-return]


def procrastinate_app(url: str) -> App:
    """Return procrastinate's application with the same task."""
    app = App(connector=PsycopgConnector(conninfo=url))
    app.task(name="stamp", queue=QUEUE)(stamp_soon)
    return app


def stamp(who: str, sent_at: float) -> None:
    """Write down whose task it was, when it was sent and when it ran."""
    os.write(log, LINE.format(who=who, sent_at=sent_at, ran_at=time.time()).encode())


async def stamp_soon(who: str, sent_at: float) -> None:
    """Do the same in procrastinate's event loop, as its documentation prefers it."""
    stamp(who, sent_at)


broker = os.environ.get("BENCH_BROKER", "")
if broker:
    log = os.open(Path(os.environ["BENCH_LOG"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    app = procrastinate_app(broker) if broker.startswith("postgresql:") else celery_app(broker)
