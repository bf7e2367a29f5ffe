"""Sending messages: as a part of the transaction, or, of a mere hint, after it and never at its expense."""

import logging
import threading
import time
from collections.abc import Mapping
from functools import cache
from typing import Final

from celery import Celery
from sqlalchemy import event
from sqlalchemy.orm import Session

from skeldir.broker.channel import LANE_HEADER
from skeldir.broker.outbox import Outbox, publishing_over
from skeldir.db.session import driver_of
from skeldir.db.transaction import Transaction
from skeldir.observability import correlation
from skeldir.queue.broker import Application
from skeldir.queue.messages import Message
from skeldir.settings import get_settings

REST_SECONDS: Final = 1.0
LOCK_MILLISECONDS_MAX: Final = 500
"""Whoever sends has done his work already: he does not wait long for tables that somebody has locked."""

CONFIRM_SECONDS_MAX: Final = 10.0
"""RabbitMQ says that it has a message by then; it may be short of memory or disk."""

_OUTBOX: Final = "skeldir.outbox"

log = logging.getLogger(__name__)


class Throttle:
    """Lets one message of a kind through per interval: one wake-up serves all that was marked so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: dict[tuple[str, str], float] = {}

    def is_open(self, message: Message, interval_seconds: float) -> bool:
        """Tell whether the message might go now."""
        sent_at = self._sent.get(_key(message), -interval_seconds)
        return time.monotonic() - sent_at >= interval_seconds

    def admits(self, message: Message, interval_seconds: float) -> bool:
        """Tell whether the message may go, and remember that it went."""
        key, now = _key(message), time.monotonic()
        with self._lock:
            if now - self._sent.get(key, -interval_seconds) < interval_seconds:
                return False
            if len(self._sent) >= 10_000:  # noqa: PLR2004 - a bound on memory, not a rule
                self._sent.clear()
            self._sent[key] = now
        return True


def _key(message: Message) -> tuple[str, str]:
    return message.name, str(sorted(message.arguments.items()))


class Rest:
    """Leaves a broker alone that has just failed, so that nobody else waits for it in vain."""

    def __init__(self) -> None:
        self.until = 0.0

    def begin(self) -> None:
        """Send nothing for a while."""
        self.until = time.monotonic() + REST_SECONDS

    def is_over(self) -> bool:
        """Tell whether the broker may be tried."""
        return time.monotonic() >= self.until


_throttle = Throttle()
_rest = Rest()


def enqueue(work: Session | Transaction, message: Message) -> None:
    """Send a message as a part of a transaction: it is there when that commits, and never if it does not.

    It carries the correlation id and the trace that are current. Raises what the database raises.
    """
    with publishing_over(_outbox(work)):
        send(message)


def send(message: Message, *, carried: Mapping[str, str] | None = None, app: Celery | None = None) -> None:
    """Send a message by itself; raises what the broker raises.

    For those without a transaction: system tasks, which touch no tenant's table, and the command line.
    `carried` is what it carries instead of the current correlation id and trace.
    """
    headers = dict(correlation.carried() if carried is None else carried)
    if tenant_id := message.arguments.get("tenant_id"):
        headers[LANE_HEADER] = tenant_id
    (app or _sender()).send_task(
        message.name,
        kwargs=message.arguments,
        queue=message.queue,
        countdown=message.delay_seconds or None,
        expiration=message.expires_seconds,  # which the broker counts; `expires` would be of our clock
        headers=headers,
        retry=app is not None,  # a worker has the time to connect anew
        confirm_timeout=CONFIRM_SECONDS_MAX,
    )


def send_after_commit(
    work: Session | Transaction, message: Message, *, at_most_every_seconds: float = 0.0
) -> None:
    """Wake workers up once the transaction has committed; a broker that fails is logged, not raised.

    For what stands in the database anyway and would be found by the next sweep: a delivery must be booked
    whatever becomes of the queue, so this alone is no part of the transaction.
    """
    if not _throttle.is_open(message, at_most_every_seconds):
        return  # most of the time, while many deliveries arrive
    carried = correlation.carried()

    def deliver() -> None:
        if not _rest.is_over() or not _throttle.admits(message, at_most_every_seconds):
            return
        try:
            with publishing_over(None):
                send(message, carried=carried)
        except Exception:  # whatever the broker's trouble: the sweep makes up for it
            _rest.begin()
            log.warning("message not sent", extra={"task": message.name}, exc_info=True)

    def deliver_if_outermost(session: Session) -> None:
        if not session.in_nested_transaction():  # whose end is told of like a commit
            deliver()

    if isinstance(work, Transaction):
        work.after_commit(deliver)
    else:
        event.listen(work, "after_commit", deliver_if_outermost)


def _outbox(work: Session | Transaction) -> Outbox:
    """Return a transaction's outbox; it wakes workers as the last thing before the commit."""
    if isinstance(work, Transaction):
        outbox = Outbox(work.driver)
        work.before_commit(outbox.wake)
        return outbox
    driver = driver_of(work)  # also tells the session that a savepoint, if it is in one, is needed now
    known: Outbox | None = work.info.get(_OUTBOX)
    if known is not None:
        return known
    outbox = work.info[_OUTBOX] = Outbox(driver)

    def wake(session: Session) -> None:
        if not session.in_nested_transaction():
            outbox.wake()

    event.listen(work, "before_commit", wake)
    return outbox


@cache
def _sender() -> Application:
    options = {
        "lock_milliseconds_max": LOCK_MILLISECONDS_MAX,
        "is_pooled": not get_settings().database_prepare_threshold,
    }
    return Application("skeldir.queue", "app_user", broker_transport_options=options)
