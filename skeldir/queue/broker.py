"""How Celery reaches its broker, for those who send and for those who work.

Senders reach the queue in PostgreSQL, wherever the workers' broker is: what they send is a part of a
transaction. Where the broker is RabbitMQ, `workers/relay.py` hands it on.
"""

from typing import Any, Final, cast

from celery import Celery
from kombu.connection import Connection
from kombu.entity import Exchange, Queue

import skeldir.broker  # noqa: F401 - makes the transport known
from skeldir.db.engine import get_url
from skeldir.db.roles import Role
from skeldir.queue.messages import QUEUES
from skeldir.settings import get_settings

# By these names PostgreSQL's activity tells who consumes.
CONSUMER: Final = "skeldir_worker"
PUBLISHER: Final = "skeldir_publisher"

PRIORITY_MAX: Final = 9

TASKS: Final = Exchange("tasks", type="direct")  # type: ignore[no-untyped-call]


class Application(Celery):  # type: ignore[misc]
    """A Celery application that logs in to the broker as a role.

    Where the broker is it finds out when it connects: importing the tasks must not start a server.
    """

    def __init__(self, name: str, role: Role, **options: Any) -> None:  # noqa: ANN401
        super().__init__(name, set_as_current=False)
        self.role = role
        self.conf.update(_SHARED | options)

    def connection_for_read(self, url: str | None = None, **options: Any) -> Connection:  # noqa: ANN401
        """Return a connection to consume over."""
        return cast("Connection", super().connection_for_read(url or self.broker_url(CONSUMER), **options))

    def connection_for_write(self, url: str | None = None, **options: Any) -> Connection:  # noqa: ANN401
        """Return a connection to publish over."""
        return cast("Connection", super().connection_for_write(url or self.broker_url(PUBLISHER), **options))

    def broker_url(self, name: str) -> str:
        """Return where the broker is, for who shows himself by a name."""
        url = get_url(self.role).set(drivername="postgresql").update_query_dict({"application_name": name})
        return "pg+" + url.render_as_string(hide_password=False)


class WorkerApplication(Application):
    """The application of those who work: its broker is RabbitMQ where the settings say so."""

    @property
    def is_elsewhere(self) -> bool:
        """Tell whether the broker is not the queue in PostgreSQL."""
        return get_settings().broker_url is not None

    def connection_to_postgresql(self) -> Connection:
        """Return a connection to consume from the queue in PostgreSQL, wherever the broker is."""
        return super().connection_for_read(super().broker_url(CONSUMER))

    def connection_for_read(self, url: str | None = None, **options: Any) -> Connection:  # noqa: ANN401
        """Return a connection to consume over."""
        return super().connection_for_read(url, **options | self._told(CONSUMER))

    def connection_for_write(self, url: str | None = None, **options: Any) -> Connection:  # noqa: ANN401
        """Return a connection to publish over; RabbitMQ confirms what it has taken."""
        return super().connection_for_write(url, **options | self._told(PUBLISHER))

    def broker_url(self, name: str) -> str:
        """Return where the broker is."""
        return get_settings().broker_url or super().broker_url(name)

    def _told(self, name: str) -> dict[str, Any]:
        if not self.is_elsewhere:
            return {}
        return {
            "transport_options": {"confirm_publish": True, "client_properties": {"connection_name": name}}
        }


def _queue(name: str) -> Queue:
    return Queue(name, TASKS, routing_key=name, max_priority=PRIORITY_MAX)  # type: ignore[no-untyped-call]


# What those who send and those who work must agree on.
_SHARED: Final[dict[str, object]] = {
    # Kombu has one limit for all pools of a process, set by whoever makes the last one: so all say the same.
    # Flower's threads hold one connection each while they ask, and send over another.
    "broker_pool_limit": 10,
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
