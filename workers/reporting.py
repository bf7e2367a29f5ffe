"""A worker's report every few seconds, from the loop that it consumes in: who hangs is silent."""

import logging
import socket
from typing import Any, ClassVar, Final
from uuid import uuid4

from celery import bootsteps
from celery.worker.consumer.tasks import Tasks

from skeldir.db.engine import get_engine
from skeldir.db.faults import DATABASE_ERRORS
from skeldir.repository import worker_reports
from skeldir.repository.worker_reports import Reporter
from workers.measuring import tally

INTERVAL_SECONDS: Final = 5.0

log = logging.getLogger(__name__)


class Reporting(bootsteps.StartStopStep):  # type: ignore[misc]
    """Reports when the worker begins to consume, from then on regularly, and when it ends and has ended.

    Celery stops it and starts it again whenever it has to connect anew.
    """

    requires: ClassVar = {Tasks}

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._worker_id = uuid4()
        self._timer: Any = None
        self._reporter: Reporter | None = None

    def start(self, consumer: Any) -> None:
        """Report, now and from now on."""
        self._report(consumer)
        self._timer = consumer.timer.call_repeatedly(INTERVAL_SECONDS, self._report, (consumer,))

    def stop(self, consumer: Any) -> None:
        """Report for the last time; if the worker was only cut off, it will be back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._report(consumer)
            self._leave()

    def shutdown(self, consumer: Any) -> None:
        """Report also what has come to its end since: a worker that is told to end waits for its tasks."""
        self.stop(consumer)
        if self._reporter is not None:
            self._tell(self._reporter)
            self._leave()

    def _report(self, consumer: Any) -> None:
        self._reporter = Reporter(
            worker_id=self._worker_id,
            worker_name=str(consumer.hostname or socket.gethostname()),
            queues=tuple(sorted(consumer.app.amqp.queues.consume_from)),
            process_count=int(consumer.pool.num_processes or 1),
        )
        self._tell(self._reporter)

    def _tell(self, reporter: Reporter) -> None:
        report = tally.take()
        try:
            with get_engine("app_worker").connect() as connection:
                worker_reports.add(connection, reporter, report)
        except DATABASE_ERRORS:
            tally.put_back(report)
            log.warning("a worker's report was not taken", exc_info=True)

    def _leave(self) -> None:
        try:
            with get_engine("app_worker").connect() as connection:
                worker_reports.leave(connection, self._worker_id)
        except DATABASE_ERRORS:
            log.warning("a worker could not take its leave", exc_info=True)
