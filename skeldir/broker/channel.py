"""Channels as kombu has them, over the broker's functions: routing, acknowledgements, the prefetch window."""

import logging
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from queue import Empty
from random import randint
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from amqp.protocol import queue_declare_ok_t
from kombu.exceptions import ChannelError
from kombu.transport import virtual
from kombu.utils.json import dumps, loads
from kombu.utils.uuid import uuid

from skeldir.broker import outbox, store
from skeldir.broker.store import Claimed, Outgoing

if TYPE_CHECKING:
    from skeldir.broker.transport import Transport

BATCH: Final = 100
"""Messages per claim where the consumer sets no limit."""

LANE_HEADER: Final = "skeldir_lane"
"""Whom a task is for; who claims goes from one to the next."""

EXPIRY_LISTENERS: Final[list[Callable[[str], object]]] = []
"""Told the queue of each message that had expired when a consumer of this process took it."""

_LANES: Final = 2**31

log = logging.getLogger(__name__)


class QoS(virtual.QoS):
    """The prefetch window: what was delivered and is not settled yet."""

    channel: "Channel"

    def holds(self, delivery_tag: int) -> bool:
        """Tell whether a message was delivered and is not settled yet."""
        return delivery_tag in self._delivered

    def ack(self, delivery_tag: int) -> None:
        """Settle a message; it is deleted with the next claim."""
        super().ack(delivery_tag)
        self.channel.settle(delivery_tag)

    def reject(self, delivery_tag: int, requeue: bool = False) -> None:
        """Throw a message away, or give it back as one that was begun."""
        super().ack(delivery_tag)
        if requeue:
            self.channel.give_back([delivery_tag], begun=True)
        else:
            self.channel.settle(delivery_tag)

    def restore_unacked(self) -> list[Any]:
        """Give back what was delivered and never begun."""
        self._flush()
        tags = list(self._delivered)
        self._delivered.clear()
        if tags:
            self.channel.give_back(tags, begun=False)
        return []


class Channel(virtual.Channel):
    """One consumer's or publisher's conversation over a connection."""

    QoS = QoS
    body_encoding = None  # JSON as it is
    supports_fanout = True
    connection: "Transport"

    def __init__(self, connection: "Transport", **options: Any) -> None:
        super().__init__(connection, **options)
        self._settled: deque[int] = deque()
        self._no_ack: set[str] = set()
        self._claims = 0
        self.is_dry = False
        """Whether the last claim left the queues empty: until a publisher tells, there is nothing to find."""

    # -- publishing

    def basic_publish(self, message: dict[str, Any], exchange: str, routing_key: str, **_: object) -> None:
        """Route a message in the database, where all bindings are."""
        self._inplace_augment_message(message, exchange, routing_key)
        properties, headers = message["properties"], message.get("headers") or {}
        expiration = properties.get("expiration")
        outgoing = Outgoing(
            exchange or "",
            self.typeof(exchange).type if exchange else "direct",
            routing_key or "",
            dumps(message),
            self._get_message_priority(message),
            lane(headers.get(LANE_HEADER)),
            _delay_seconds(headers),
            int(expiration) / 1000 if expiration else None,
        )
        box = outbox.current()
        if box is not None:
            box.publish(outgoing)
        else:
            self.connection.publish(outgoing)

    def _put(self, queue: str, message: dict[str, Any], **_: object) -> None:
        self.connection.publish(Outgoing("", "direct", queue, dumps(message)))

    # -- declaring

    def queue_declare(self, queue: str | None = None, passive: bool = False, **options: Any) -> Any:
        """Declare a queue. Its messages are only counted for who asks passively: that takes its time."""
        name = queue or f"amq.gen-{uuid()}"
        if passive and not self._has_queue(name):
            raise ChannelError(f"NOT_FOUND - no queue {name!r}", (50, 10), "Channel.queue_declare", "404")
        if not passive:
            self._new_queue(name, **options)
        return queue_declare_ok_t(name, self._size(name) if passive else 0, 0)

    def _new_queue(self, queue: str, **options: Any) -> None:
        is_transient = bool(options.get("auto_delete") or options.get("exclusive"))
        if is_transient:
            self.connection.consume(store.declare_queue, queue, self.connection.lease())
        elif not self.connection.ask(store.has_queue, queue):
            self.connection.ask(store.declare_queue, queue, None)

    def _has_queue(self, queue: str, **_: object) -> bool:
        return self.connection.ask(store.has_queue, queue)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        known = self.connection.ask(store.has_binding, exchange, routing_key or "", queue)
        if not known:
            self.connection.ask(store.bind, exchange, routing_key or "", queue, pattern)

    def queue_unbind(
        self, queue: str, exchange: str | None = None, routing_key: str = "", **options: Any
    ) -> None:
        """Have messages of an exchange go to a queue no more."""
        super().queue_unbind(queue, exchange, routing_key, **options)
        self.connection.ask(store.unbind, exchange or "amq.direct", routing_key or "", queue)

    def get_table(self, exchange: str) -> list[tuple[str, str | None, str]]:
        """Return an exchange's bindings, whoever made them."""
        return self.connection.ask(store.bindings, exchange)

    def queue_delete(self, queue: str, if_unused: bool = False, if_empty: bool = False, **_: object) -> None:
        """Delete a queue with its bindings and messages, unless it is as the caller would not have it.

        It is used while somebody holds a message of it or sleeps over it, and not empty while any message is
        held, waits or is scheduled.
        """
        self.settle_now()
        if self.connection.ask(store.delete_queue_unless, queue, used=if_unused, filled=if_empty):
            self.state.queue_bindings_delete(queue)

    def _size(self, queue: str) -> int:
        return self.connection.ask(store.size, queue)

    def _purge(self, queue: str) -> int:
        return self.connection.ask(store.purge, queue)

    # -- consuming

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Any, consumer_tag: str, **options: Any
    ) -> None:
        """Consume from a queue."""
        super().basic_consume(queue, no_ack, callback, consumer_tag, **options)
        if no_ack:
            self._no_ack.add(queue)
        self.connection.attend()

    def basic_qos(self, prefetch_size: int = 0, prefetch_count: int = 0, apply_global: bool = False) -> None:
        """Change how many messages may be delivered and unsettled."""
        super().basic_qos(prefetch_size, prefetch_count, apply_global)
        self.connection.attend()

    def settle(self, message_id: int) -> None:
        """Have a message deleted: with the next claim, or at once where no event loop would make one."""
        if self.closed:
            return  # the lease went with the connection: the message is another's by now
        self._settled.append(message_id)
        self.connection.attend()

    def give_back(self, message_ids: list[int], *, begun: bool) -> None:
        """Let others have messages, unless they have them anyway since the connection is gone."""
        if not self.closed:
            self.connection.give_back(message_ids, begun=begun)

    def queues(self) -> list[str]:
        """Return what this channel consumes from."""
        return list(self._active_queues)

    def capacity(self) -> int:
        """Return how many messages the prefetch window has room for."""
        if not self._consumers:
            return 0
        left = self.qos.can_consume_max_estimate()
        return BATCH if left is None else min(int(left), 1_000)

    def is_hungry(self) -> bool:
        """Tell whether half of the prefetch window is free, and something may be there to fill it."""
        return not self.is_dry and bool(self._consumers) and 2 * self.capacity() >= self.qos.prefetch_count

    def fetch(self) -> int:
        """Settle what is to be settled, claim what fits and deliver it; returns how many that were."""
        room = self.capacity()
        wanted = 0 if self.is_dry else room
        settled = self._take_settled()
        claimed = self._claim(self._active_queues, wanted, settled) if wanted or settled else []
        if not self.is_dry or not room:
            self.is_dry = len(claimed) < wanted
        self._deliver_all(deque(claimed))
        return len(claimed)

    def _deliver_all(self, claimed: deque[Claimed]) -> None:
        try:
            while claimed:
                self._deliver(claimed.popleft())
        finally:
            if claimed:  # whoever got the last one failed: what he has not seen is for others
                self.give_back([message.message_id for message in claimed], begun=False)

    def settle_now(self) -> None:
        """Have what is settled deleted without claiming anything."""
        if self._settled and self.connection.has_lease():
            self._claim([], 0, self._take_settled())

    def _take_settled(self) -> list[int]:
        return [self._settled.popleft() for _ in range(len(self._settled))]

    def _claim(self, queues: list[str], wanted: int, settled: list[int]) -> list[Claimed]:
        lane_first = randint(-_LANES, _LANES - 1)  # noqa: S311 - fairness, no secret
        # The first queue may fill all the room, so it is another's turn to be first each time.
        self._claims += 1
        turn = self._claims % len(queues) if queues else 0
        in_turn = [*queues[turn:], *queues[:turn]]
        return self.connection.consume(
            store.claim, self.connection.lease(), in_turn, wanted, settled, lane_first
        )

    def _deliver(self, message: Claimed) -> None:
        payload = self._read(message)
        if payload is None:
            return
        if message.queue in self._no_ack:
            self.settle(message.message_id)
        try:
            self.connection._deliver(payload, message.queue)  # noqa: SLF001 - kombu's own way
        except Exception:  # of the message itself, or of whoever takes it
            if message.queue in self._no_ack or self.qos.holds(message.message_id):
                raise  # it was read; what failed is whoever it was for
            self._refuse(message)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        while claimed := self._claim([queue], 1, []):
            payload = self._read(claimed[0])
            if payload is not None:
                return payload
        raise Empty

    def _read(self, message: Claimed) -> dict[str, Any] | None:
        """Return a message as kombu has them; None for one that has expired or is none."""
        if message.has_expired:
            self._throw_away(message)
            return None
        try:
            return _payload(message)
        except Exception:  # noqa: BLE001 - whatever is wrong with it, those behind it must not wait for it
            self._refuse(message)
            return None

    def _refuse(self, message: Claimed) -> None:
        """Give back what cannot be read; the queue parks it in the end."""
        log.error("given back: what is no message", extra={"queue": message.queue})
        self.give_back([message.message_id], begun=True)

    def _throw_away(self, message: Claimed) -> None:
        self.settle(message.message_id)
        for tell in EXPIRY_LISTENERS:
            tell(message.queue)

    def basic_get(self, queue: str, no_ack: bool = False, **options: Any) -> Any:
        """Take one message now, if there is one."""
        message = super().basic_get(queue, no_ack, **options)
        if message is not None and no_ack:
            self.settle(message.delivery_tag)
        return message

    def drain_events(self, timeout: float | None = None, callback: Any = None) -> None:
        """Deliver what there is; raises the socket's timeout when nothing came in time."""
        self.connection.drain_events(self.connection, timeout=timeout)

    def close(self) -> None:
        """Give back what was not begun, settle what was settled."""
        if not self.closed:
            for consumer in list(self._consumers):
                self.basic_cancel(consumer)
            if self._qos:
                self._qos.restore_unacked_once()
            self.settle_now()
        super().close()


def _payload(message: Claimed) -> dict[str, Any]:
    payload: dict[str, Any] = loads(message.body)
    payload["properties"]["delivery_tag"] = message.message_id
    headers = payload.get("headers") or {}
    due = _eta(headers)
    if due is not None:
        # It is due, the database's clock has said so; Celery would wait until ours says so too.
        headers["eta"] = min(due, datetime.now(UTC)).isoformat()
    if message.attempts > 1:
        payload["properties"]["delivery_info"]["redelivered"] = True
    return payload


def lane(who: object) -> int:
    """Return the lane of a tenant's messages, 0 for nobody's."""
    return crc32(str(who).encode()) - _LANES if who else 0


def _delay_seconds(headers: dict[str, Any]) -> float | None:
    """Return in how long a task is due: the broker holds it until then, not some worker's memory.

    The ETA was made of the sender's clock, so that is what it is told from.
    """
    due = _eta(headers)
    return None if due is None else (due - datetime.now(UTC)).total_seconds()


def _eta(headers: dict[str, Any]) -> datetime | None:
    told = headers.get("eta")
    if not isinstance(told, str):
        return None
    due = datetime.fromisoformat(told)
    return due if due.tzinfo else due.replace(tzinfo=UTC)
