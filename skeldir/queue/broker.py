"""How Celery reaches its broker, for those who send and for those who work."""

import os
from typing import Any, Final

from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.transport.sqlalchemy import Channel, Transport

from skeldir.db.engine import get_url
from skeldir.db.roles import Role
from skeldir.queue.messages import QUEUES

# The transport looks for messages this often; between two of them a worker of one process waits as long.
Transport.polling_interval = 0.25

TASKS: Final = Exchange("tasks", type="direct")  # type: ignore[no-untyped-call]


def configured(app: Celery, role: Role, **options: object) -> Celery:
    """Give an application the broker that `role` logs in to, and what senders and workers must share.

    The settings are read when the application first needs one, not when its module is imported.
    """

    def settings() -> dict[str, object]:
        return {
            "broker_url": "sqla+" + get_url(role).render_as_string(hide_password=False),
            "broker_pool_limit": 2,
            "broker_transport_options": {"pool_size": 2, "pool_recycle": 1_800, "pool_pre_ping": True},
            "task_queues": [_queue(name) for name in QUEUES],
            "task_default_queue": "housekeeping",
            "task_default_exchange": TASKS.name,
            "task_default_routing_key": "housekeeping",
            "task_create_missing_queues": False,
            "task_serializer": "json",
            "accept_content": ["json"],
            "task_ignore_result": True,
            "timezone": "UTC",
            "enable_utc": True,
            **options,
        }

    app.add_defaults(settings)
    return app


def _queue(name: str) -> Queue:
    return Queue(name, TASKS, routing_key=name)  # type: ignore[no-untyped-call]


def _forget_connections() -> None:
    """Leave the parent's connections to the parent: the transport shares them with forked children."""
    engines: dict[str, Any] = Channel._engines  # noqa: SLF001 - kombu offers no other way
    for engine, _ in engines.values():
        engine.dispose(close=False)
    engines.clear()


os.register_at_fork(after_in_child=_forget_connections)
