"""Hands on to RabbitMQ what was sent to the queue in PostgreSQL, where RabbitMQ is the workers' broker.

What handlers send is a row of their transaction, whichever broker the workers have: it leaves after the
commit, and waits where it is while RabbitMQ is away. It is deleted once RabbitMQ has confirmed it, so a relay
that dies in between hands it on twice, under the same id.
"""

import threading
from typing import Any, Final

from amqp.exceptions import MessageNacked
from celery import bootsteps
from celery.utils.log import get_task_logger
from kombu.entity import Queue

from skeldir.queue.broker import WorkerApplication
from skeldir.queue.sending import CONFIRM_SECONDS_MAX

PAUSE_SECONDS: Final = 2.0
"""After a failure, before the next try."""

LOOK_UP_SECONDS: Final = 0.5
"""How often a relay at rest looks whether it is to end."""

AT_ONCE: Final = 50
"""Messages that one relay holds."""

KEPT: Final = ("correlation_id", "reply_to", "priority")

log = get_task_logger(__name__)


class Relay(bootsteps.StartStopStep):  # type: ignore[misc]
    """A thread of the worker's main process; of several workers' relays each takes what no other has."""

    requires = ("celery.worker.components:Pool",)  # which forks: its children need no relay

    def __init__(self, worker: Any, **_: Any) -> None:  # noqa: ANN401 - Celery's
        self._app: WorkerApplication = worker.app
        self._queues: dict[str, Queue] = {queue.name: queue for queue in self._app.conf.task_queues}
        self._is_to_end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def include_if(self, worker: Any) -> bool:  # noqa: ANN401
        """Hand nothing on where the workers themselves consume from PostgreSQL."""
        return bool(worker.app.is_elsewhere)

    def start(self, worker: Any) -> None:  # noqa: ANN401, ARG002
        """Begin."""
        self._thread.start()

    def stop(self, worker: Any) -> None:  # noqa: ANN401, ARG002
        """End; what was not confirmed is left to others."""
        self._is_to_end.set()
        if self._thread.is_alive():
            self._thread.join(CONFIRM_SECONDS_MAX)

    terminate = stop

    def _run(self) -> None:
        while not self._is_to_end.is_set():
            try:
                self._hand_on()
            except Exception:  # whatever is away: the messages wait
                log.warning("messages wait in PostgreSQL", exc_info=True)
                self._is_to_end.wait(PAUSE_SECONDS)

    def _hand_on(self) -> None:
        """Hand messages on until the end; nothing is taken while RabbitMQ is away."""
        queues = list(self._queues.values())
        with self._app.connection_for_write() as there, self._app.connection_to_postgresql() as here:
            producer = there.ensure_connection(max_retries=1).Producer()
            not_its_fault = (*there.connection_errors, MessageNacked)

            def hand_on(message: Any) -> None:  # noqa: ANN401 - kombu's
                try:
                    self._publish(producer, message)
                except Exception as error:  # raised again, once the message is back or put aside
                    if not isinstance(error, not_its_fault):
                        message.requeue()  # which counts as a try, and the last one parks it
                    raise
                message.ack()

            with here.Consumer(queues, on_message=hand_on, prefetch_count=AT_ONCE):
                while not self._is_to_end.is_set():
                    _listen(here, LOOK_UP_SECONDS)
                    _listen(there, 0)  # an end of the connection is heard of also when nothing is sent

    def _publish(self, producer: Any, message: Any) -> None:  # noqa: ANN401 - kombu's
        queue = self._queues[message.delivery_info["routing_key"]]
        kept = {name: value for name, value in message.properties.items() if name in KEPT}
        if milliseconds := message.properties.get("expiration"):
            kept["expiration"] = int(milliseconds) / 1_000
        producer.publish(
            message.body,
            exchange=queue.exchange,
            routing_key=queue.routing_key,
            declare=[queue],
            headers=message.headers,
            content_type=message.content_type,
            content_encoding=message.content_encoding,
            confirm_timeout=CONFIRM_SECONDS_MAX,
            **kept,
        )


def _listen(connection: Any, seconds: float) -> None:  # noqa: ANN401
    try:
        connection.drain_events(timeout=seconds)
    except TimeoutError:
        return
