"""How Celery reaches its broker, for those who send and for those who work."""

import os
from typing import Any, Final, cast

import psycopg
from celery import Celery
from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from kombu.transport.sqlalchemy import Channel, Transport

from skeldir.db.engine import get_url
from skeldir.db.roles import Role
from skeldir.queue.messages import QUEUES

# The transport looks for messages this often; between two of them a worker of one process waits as long.
Transport.polling_interval = 0.25

# By these names PostgreSQL's activity tells who consumes, which is how health knows that a worker lives.
CONSUMER: Final = "skeldir_worker"
PUBLISHER: Final = "skeldir_publisher"

# Whoever sends has done his work already: he does not wait long for tables that somebody has locked.
LOCK_MILLISECONDS_MAX: Final = 500

TASKS: Final = Exchange("tasks", type="direct")  # type: ignore[no-untyped-call]


class Application(Celery):  # type: ignore[misc]
    """A Celery application that logs in to the broker as a role.

    Where the broker is it finds out when it connects: importing the tasks must not start a server.
    """

    def __init__(self, name: str, role: Role, **options: Any) -> None:  # noqa: ANN401
        super().__init__(name, set_as_current=False)
        self.role = role
        self.conf.update(_SHARED | options)
        self.conf.broker_transport_options = _TRANSPORT | options.get("broker_transport_options", {})

    def connection_for_read(self, url: str | None = None, **options: Any) -> Connection:  # noqa: ANN401
        """Return a connection to consume over."""
        return cast("Connection", super().connection_for_read(url or self._broker_url(CONSUMER), **options))

    def connection_for_write(self, url: str | None = None, **options: Any) -> Connection:  # noqa: ANN401
        """Return a connection to publish over."""
        return cast("Connection", super().connection_for_write(url or self._broker_url(), **options))

    def _broker_url(self, name: str = PUBLISHER) -> str:
        url = get_url(self.role).update_query_dict({"application_name": name})
        return "sqla+" + url.render_as_string(hide_password=False)


def be_brief(connection: psycopg.Connection, *_: object) -> None:
    """Limit how long the transaction that begins here waits for locks; poolers pass it on, unlike options."""
    connection.execute(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS_MAX}")


BRIEFLY: Final[dict[str, object]] = {"pool_events": [(be_brief, "checkout")]}
"""Transport options of those who only send."""


def _queue(name: str) -> Queue:
    return Queue(name, TASKS, routing_key=name)  # type: ignore[no-untyped-call]


_TRANSPORT: Final[dict[str, object]] = {"pool_size": 2, "pool_recycle": 1_800, "pool_pre_ping": True}

# What those who send and those who work must agree on.
_SHARED: Final[dict[str, object]] = {
    "broker_pool_limit": 2,
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
}


def _forget_connections() -> None:
    """Leave the parent's connections to the parent: the transport shares them with forked children."""
    engines: dict[str, Any] = Channel._engines  # noqa: SLF001 - kombu offers no other way
    for engine, _ in engines.values():
        engine.dispose(close=False)
    engines.clear()


os.register_at_fork(after_in_child=_forget_connections)
