"""The transport: its connections, and how it waits, by itself or in Celery's event loop."""

import os
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

import psycopg
from kombu.transport import virtual

from skeldir.broker import outbox, store
from skeldir.broker.channel import Channel
from skeldir.broker.store import Outgoing

P = ParamSpec("P")
Result = TypeVar("Result")

FALLBACK_SECONDS: Final = 1.0
"""Who sleeps looks up so often, should nobody have woken him."""

SWEEP_SECONDS: Final = 5.0
"""How often consumers look for what dead ones held."""

GATHER_SECONDS: Final = 0.005
"""Acknowledgements are gathered so long while the window is more than half full: one round trip for many."""

SILENT_SECONDS_MAX: Final = 600
"""A loop asks the server something every second. One that does not for so long hangs, and the server ends its
connection, so that others get what it held: twice as long as any task of ours may take."""

_KEEPALIVE: Final[dict[str, Any]] = {
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "connect_timeout": 10,
}
# The server's side of it: a consumer whose machine is gone must lose its lease in seconds, also where it was
# sent something that it has not confirmed, which keepalives do not look after. What is lost of claims and
# settlements in a crash is only delivered once more.
_AS_CONSUMER: Final = """
    SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = 15000;
    SET synchronous_commit = off; SET idle_session_timeout = 0; LISTEN skeldir_broker
"""


class Transport(virtual.Transport):
    """One connection of kombu's: a consumer's connection with a lease, a publisher's beside it."""

    Channel = Channel
    can_parse_url = True
    driver_type = "postgresql"
    driver_name = "psycopg"
    default_port = 5432
    polling_interval = None
    connection_errors = (
        *virtual.Transport.connection_errors,
        psycopg.OperationalError,
        psycopg.InterfaceError,
    )
    channel_errors = (*virtual.Transport.channel_errors, psycopg.DatabaseError)
    implements = virtual.Transport.implements.extend(
        asynchronous=True, exchange_type=frozenset(["direct", "topic", "fanout"]), heartbeats=False
    )

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)
        self.client: Any = client
        self._consumer: psycopg.Connection | None = None
        self._publisher: psycopg.Connection | None = None
        self._lease: int | None = None
        self._loop: Any = None
        self._timers: dict[str, Any] = {}
        self._poke_in, self._poke_out = -1, -1
        self._is_poked = False
        self._news: set[str] = set()
        self._sleeps_over: set[str] = set()
        self._readers: list[int] = []
        self._process_id = os.getpid()

    def driver_version(self) -> str:
        """Return the driver's version."""
        return psycopg.__version__

    # -- connections

    def establish_connection(self) -> "Transport":
        """Connect, unless what is sent goes over another's connection anyway."""
        connection = super().establish_connection()
        if outbox.current() is None:
            self._publishing()
        return connection  # type: ignore[no-any-return]

    def verify_connection(self, connection: object) -> bool:
        """Tell whether nothing is known to be broken."""
        return not any(one is not None and one.closed for one in (self._consumer, self._publisher))

    def close_connection(self, connection: object) -> None:
        """Close the channels, which give back what they held, then the connections."""
        if os.getpid() != self._process_id:
            self._consumer = self._publisher = None  # a forked child's parent goes on using them
            return
        self._leave_loop()
        with suppress(psycopg.Error):
            super().close_connection(connection)
        for one in (self._consumer, self._publisher):
            if one is not None:
                one.close()
        self._consumer = self._publisher = self._lease = None

    def publish(self, message: Outgoing) -> None:
        """Send a message by itself, durably."""
        store.send(self._publishing(), message)

    def ask(
        self,
        function: Callable[Concatenate[psycopg.Connection, P], Result],
        *arguments: P.args,
        **more: P.kwargs,
    ) -> Result:
        """Call a function of the store over the connection that publishes."""
        box = outbox.current()
        return function(self._publishing() if box is None else box.connection, *arguments, **more)

    def consume(
        self,
        function: Callable[Concatenate[psycopg.Connection, P], Result],
        *arguments: P.args,
        **more: P.kwargs,
    ) -> Result:
        """Call a function of the store over the connection that holds the lease."""
        return function(self._consuming(), *arguments, **more)

    def has_lease(self) -> bool:
        """Tell whether the consumer's connection lives."""
        return self._consumer is not None and not self._consumer.closed

    def lease(self) -> int:
        """Return the lease, taken when it is first needed."""
        self._consuming()
        return cast("int", self._lease)

    def give_back(self, message_ids: list[int], *, begun: bool) -> None:
        """Let others have messages."""
        if self.has_lease():
            self.consume(store.release, self.lease(), message_ids, begun=begun)
            with suppress(psycopg.Error):
                self.consume(store.wake, {queue for channel in self.channels for queue in channel.queues()})

    def _publishing(self) -> psycopg.Connection:
        if self._publisher is None or self._publisher.closed:
            options = self.client.transport_options
            self._publisher = psycopg.connect(self.client.hostname, autocommit=True, **_KEEPALIVE)
            patience = options.get("lock_milliseconds_max")
            if options.get("is_pooled"):
                self._publisher.prepare_threshold = None  # the next statement may meet another session
            elif patience is not None:
                self._publisher.execute(f"SET lock_timeout = {int(patience)}")
        return self._publisher

    def _consuming(self) -> psycopg.Connection:
        if self._consumer is None:
            connection = psycopg.connect(self.client.hostname, autocommit=True, **_KEEPALIVE)
            connection.execute(_AS_CONSUMER)
            connection.add_notify_handler(self._on_notify)
            self._lease = store.take_lease(connection)
            self._consumer = connection
            store.sweep(connection)
        return self._consumer

    def _on_notify(self, notify: psycopg.Notify) -> None:
        self._news.add(notify.payload)

    # -- consuming

    def attend(self) -> None:
        """See to acknowledgements and room in a window soon: in the loop's next round, else now."""
        if self._loop is None:
            self._settle_now()
        elif self._is_poked:
            return
        elif any(channel.is_hungry() for channel in self.channels):
            self._is_poked = True
            with suppress(BlockingIOError):
                os.write(self._poke_in, b"!")
        elif "gather" not in self._timers:
            self._timers["gather"] = self._loop.call_later(GATHER_SECONDS, self.pump)

    def pump(self, *, everywhere: bool = False) -> int:
        """Settle, claim and deliver, until nothing is left or no window has room; returns how many came.

        Where a claim has found too little, the next waits for a publisher's word, unless told to look anyway.
        """
        delivered = 0
        self._forget("gather")
        for channel in self.channels if everywhere else ():
            channel.is_dry = False
        while True:
            self._heed_news()
            for channel in list(self.channels):
                delivered += channel.fetch()
            dry = {queue for channel in self.channels if channel.is_dry for queue in channel.queues()}
            self._news |= self._sleep_over(dry)
            if any(channel.capacity() for channel in self.channels if not channel.is_dry):
                self.attend()  # others are served in between
                return delivered
            if not self._news:
                return delivered

    def _heed_news(self) -> None:
        for channel in self.channels:
            if not self._news.isdisjoint(channel.queues()):
                channel.is_dry = False
        self._news.clear()

    def _sleep_over(self, queues: set[str]) -> set[str]:
        """Be seen as one who sleeps over these queues; returns those among them that are new.

        There who lies down must look once more: what was committed before he was seen woke nobody.
        """
        if queues == self._sleeps_over:
            return set()
        if queues:
            self.consume(store.lie_down, self.lease(), sorted(queues))
        else:
            self.consume(store.get_up, self.lease())
        new, self._sleeps_over = queues - self._sleeps_over, queues
        return new

    def _settle_now(self) -> None:
        for channel in list(self.channels):
            channel.settle_now()

    def drain_events(self, connection: object, timeout: float | None = None) -> None:
        """Deliver what there is, waiting for it; raises the socket's timeout when nothing came in time."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.pump(everywhere=True):
            left = FALLBACK_SECONDS if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise socket.timeout  # noqa: UP041 - what kombu's callers catch
            due = self.consume(store.promote)
            if self._news:
                continue  # it came with that answer, so that the socket has nothing more to tell
            pause = min(left, FALLBACK_SECONDS, FALLBACK_SECONDS if due is None else max(due, 0.0))
            select.select([self._consuming().fileno()], [], [], pause)
            self._read()

    def _read(self) -> None:
        """Take in what the server sent by itself."""
        pgconn = self._consuming().pgconn
        pgconn.consume_input()
        while notify := pgconn.notifies():
            self._news.add(notify.extra.decode())

    # -- Celery's event loop

    def register_with_event_loop(self, connection: object, loop: Any) -> None:
        """Be called when the server sends something, when there is something to settle, and by timers."""
        self._leave_loop()
        self._loop = loop
        self._poke_out, self._poke_in = os.pipe()
        for end in (self._poke_out, self._poke_in):
            os.set_blocking(end, False)
        self._readers = [self._consuming().fileno(), self._poke_out]
        for readable in self._readers:
            loop.add_reader(readable, self.on_readable, readable)
        silent = int(self.client.transport_options.get("silent_seconds_max", SILENT_SECONDS_MAX))
        self._consuming().execute(f"SET idle_session_timeout = '{silent}s'")
        self._timers = {
            "look up": loop.call_repeatedly(FALLBACK_SECONDS, self._look_up),
            "sweep": loop.call_repeatedly(SWEEP_SECONDS, self._sweep),
        }
        self.attend()

    def on_readable(self, fileno: int) -> None:
        """Settle, claim and deliver."""
        if fileno == self._poke_out:
            with suppress(BlockingIOError):
                os.read(self._poke_out, 64)
            self._is_poked = False
        else:
            self._read()
        self.pump()

    def _look_up(self) -> None:
        due = self.consume(store.promote)
        if due is not None and due < FALLBACK_SECONDS:
            self._timers["promote"] = self._loop.call_later(max(due, 0.0), self._promote)
        self._read()
        self.pump(everywhere=True)

    def _promote(self) -> None:
        self.consume(store.promote)
        self.pump()

    def _sweep(self) -> None:
        if self.consume(store.sweep) or self._news:
            self.pump(everywhere=True)

    def _leave_loop(self) -> None:
        if self._loop is None:
            return
        for readable in self._readers:
            self._loop.remove_reader(readable)
        for name in list(self._timers):
            self._forget(name)
        for end in (self._poke_out, self._poke_in):
            os.close(end)
        self._loop, self._is_poked = None, False

    def _forget(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
