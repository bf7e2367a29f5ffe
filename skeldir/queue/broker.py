"""How Celery reaches its broker, for those who send and for those who work."""

from typing import Any, Final, cast

from celery import Celery
from kombu.connection import Connection
from kombu.entity import Exchange, Queue

import skeldir.broker  # noqa: F401 - makes the transport known
from skeldir.db.engine import get_url
from skeldir.db.roles import Role
from skeldir.queue.messages import QUEUES

# By these names PostgreSQL's activity tells who consumes.
CONSUMER: Final = "skeldir_worker"
PUBLISHER: Final = "skeldir_publisher"

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
        return cast("Connection", super().connection_for_read(url or self._broker_url(CONSUMER), **options))

    def connection_for_write(self, url: str | None = None, **options: Any) -> Connection:  # noqa: ANN401
        """Return a connection to publish over."""
        return cast("Connection", super().connection_for_write(url or self._broker_url(), **options))

    def _broker_url(self, name: str = PUBLISHER) -> str:
        url = get_url(self.role).set(drivername="postgresql").update_query_dict({"application_name": name})
        return "pg+" + url.render_as_string(hide_password=False)


def _queue(name: str) -> Queue:
    return Queue(name, TASKS, routing_key=name)  # type: ignore[no-untyped-call]


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
