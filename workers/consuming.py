"""The worker's consumer, which throws away nothing that it cannot read."""

from typing import Any

from celery.utils.log import get_task_logger
from celery.worker.consumer import Consumer
from kombu.message import Message

log = get_task_logger(__name__)


class ParkingConsumer(Consumer):  # type: ignore[misc]
    """Gives back what this worker does not know: another, newer one may, and else the queue parks it.

    Celery rejects it, which for the queue in PostgreSQL is the end of it. RabbitMQ does not count how often a
    message came and would deliver it for ever, so there Celery's way stays.
    """

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        """Give back what cannot be decoded; Celery would acknowledge it."""
        if self.app.is_elsewhere:
            super().on_decode_error(message, exc)
        else:
            self._give_back(message)

    def on_unknown_task(self, body: object, message: Message, exc: Exception) -> None:
        """Give back a task of a name that there is not: sent by a newer release, or by an older one."""
        if self.app.is_elsewhere:
            super().on_unknown_task(body, message, exc)
        else:
            self._give_back(message)

    def on_invalid_task(self, body: object, message: Message, exc: Exception) -> None:
        """Give back a task whose message lacks what a task's has."""
        if self.app.is_elsewhere:
            super().on_invalid_task(body, message, exc)
        else:
            self._give_back(message)

    def on_unknown_message(self, body: object, message: Message) -> None:
        """Give back what is no task."""
        if self.app.is_elsewhere:
            super().on_unknown_message(body, message)
        else:
            self._give_back(message)

    def _give_back(self, message: Message) -> None:
        headers: dict[str, Any] = message.headers or {}
        log.error("given back: a message that this worker cannot read", extra={"task": headers.get("task")})
        message.reject_log_error(log, self.connection_errors, requeue=True)  # type: ignore[no-untyped-call]
