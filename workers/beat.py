"""The scheduler: however many beats run, one sends, and another takes over when that one ends.

An entry's last run stands in the database, and is written down in the transaction that sends its
message, over the connection whose lock makes the leader. So an entry is sent once per period whoever
leads, never by one who was cut off, and an entry that fell due while nobody led is sent once by the next.
"""

import os
import random
from datetime import datetime
from logging import DEBUG, WARNING
from typing import Any, Final, cast

from billiard import current_process
from celery.beat import ScheduleEntry, Scheduler
from celery.utils.dispatch import Signal
from celery.utils.log import get_task_logger

from skeldir.db.leadership import Leadership
from skeldir.observability.quoting import named
from skeldir.queue.messages import Message
from skeldir.queue.sending import enqueue
from skeldir.repository import schedule

WAIT_SECONDS: Final = 1.0
"""How often one who does not lead tries to, and a leader who failed tries again."""

ticked: Final = Signal(name="ticked")
"""Sent by a beat that the database has answered, whether it leads or waits."""

log = get_task_logger(__name__)


class LeadingScheduler(Scheduler):  # type: ignore[misc]
    """Celery's scheduler for one of several beats."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - Celery's
        self._leadership = Leadership("beat", "app_worker")
        self._is_informed = False
        self._recorded: dict[str, datetime] = {}
        self._trouble = ""
        self._worker_pid = os.getppid() if _is_a_workers() else None
        super().__init__(*args, **options)

    def setup_schedule(self) -> None:
        """Take the entries as they are written: nothing is added to them."""
        self.merge_inplace(self.app.conf.beat_schedule)

    def tick(self, *_: object, **__: object) -> float:
        """Send what is due, if this beat leads; return in how many seconds to look again.

        A worker's own beat is a process that nobody ends when that worker is killed: it ends by itself.
        """
        if self._worker_pid not in {None, os.getppid()}:
            raise SystemExit
        try:
            leads = self._leads()
        except Exception as error:  # noqa: BLE001 - whatever it is: without the database nobody leads
            told, self._trouble = self._trouble, named(error)
            log.log(DEBUG if told == self._trouble else WARNING, "this beat does not lead: %s", self._trouble)
            self._resign()
            return WAIT_SECONDS
        self._trouble = ""
        if not leads:
            return WAIT_SECONDS
        return float(min(self.max_interval, *map(self._attend, self.schedule.values())))

    def close(self) -> None:
        """Leave the schedule to another."""
        self._resign()
        super().close()

    @property
    def info(self) -> str:
        """Say what beat's banner tells of its scheduler."""
        return "    . one leader, last runs in the database"

    def _resign(self) -> None:
        self._is_informed = False
        self._leadership.resign()

    def _leads(self) -> bool:
        leads = self._leadership.take()
        if leads and not self._is_informed:
            with self._leadership.transaction() as session:
                for name, at in schedule.last_runs(session, sorted(self.schedule)).items():
                    self.schedule[name].last_run_at = self._recorded[name] = at
            self._is_informed = True
            log.info("this beat leads")
        ticked.send(sender=self)
        return leads

    def _attend(self, entry: ScheduleEntry) -> float:
        """Send an entry if it is due; return in how many seconds it will be."""
        # A clock that was ahead, this one's before it was set or another beat's, must not hold an entry up.
        entry.last_run_at = min(entry.last_run_at, entry.default_now())
        is_due, pause = entry.is_due()
        if is_due:
            try:
                self._send(entry)
            except Exception:  # another entry's message may be fine
                log.exception("%s was not sent", entry.task)
                self._is_informed = False  # what it knows may be what is wrong
                return WAIT_SECONDS
        return cast("float", pause)

    def _send(self, entry: ScheduleEntry) -> None:
        now = entry.default_now()
        with self._leadership.transaction() as session:
            if not schedule.record_run(session, entry.name, self._recorded[entry.name], now):
                raise RuntimeError("somebody else has sent it")
            enqueue(session, _message(entry))
        entry.last_run_at = self._recorded[entry.name] = now
        log.debug("sent %s", entry.task)


def _is_a_workers() -> bool:
    return bool(current_process().name != "MainProcess")


def _message(entry: ScheduleEntry) -> Message:
    options = entry.options
    delay = random.uniform(0, options.get("jitter", 0))  # noqa: S311 - spreads load, keeps no secret
    return Message(entry.task, options["queue"], delay_seconds=delay, expires_seconds=options["expires"])
