"""How a consumer waits in Celery's event loop."""

from collections.abc import Callable
from select import select
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import psycopg
from kombu import Consumer, Exchange, Producer, Queue

from tests.broker.conftest import Connect


class Loop:
    """Celery's event loop, as far as the transport knows it; the test runs what it was given."""

    def __init__(self, connection: Any) -> None:
        self.readers: list[int] = []
        self.later: list[Callable[[], object]] = []
        self.transport = connection.transport
        self.transport.register_with_event_loop(connection.connection, self)

    def add_reader(self, readable: int, *_: object) -> None:
        self.readers.append(readable)

    def remove_reader(self, readable: int) -> None:
        self.readers.remove(readable)

    def call_repeatedly(self, *_: object) -> Mock:
        return Mock()

    def call_later(self, _: float, function: Callable[[], object]) -> Mock:
        self.later.append(function)
        return Mock()

    def turn(self, seconds: float = 0.0) -> bool:
        """Run once what the transport has to read; False when that was nothing."""
        readable = select(self.readers, [], [], seconds)[0]
        for one in readable:
            self.transport.on_readable(one)
        return bool(readable)


def consuming(connection: Any, queue: Queue, window: int) -> tuple[Loop, list[Any]]:
    """Consume from a queue in an event loop, until nothing is left to do."""
    held: list[Any] = []
    consumer = Consumer(connection, [queue], callbacks=[lambda _, message: held.append(message)])
    consumer.qos(prefetch_count=window)
    consumer.consume()
    loop = Loop(connection)
    while loop.turn():
        pass
    return loop, held


def test_in_an_event_loop_who_has_found_nothing_is_told_and_need_not_look(connect: Connect) -> None:
    queue = Queue(f"q{uuid4()}", Exchange("loops"), routing_key=str(uuid4()))
    loop, held = consuming(connect(), queue, 4)
    publish = Producer(connect(), exchange=queue.exchange, routing_key=queue.routing_key).publish

    for number in range(3):
        publish(number)
        while len(held) <= number:
            assert loop.turn(10)
    assert [message.payload for message in held] == [0, 1, 2]


def test_acknowledgements_are_gathered_until_half_of_the_window_is_free(
    connect: Connect, superuser: psycopg.Connection
) -> None:
    """Or for a moment: then they go without a claim where nothing more waits."""
    queue = Queue(f"q{uuid4()}", Exchange("loops"), routing_key=str(uuid4()))
    producer = Producer(connect())
    for number in range(5):
        producer.publish(number, exchange=queue.exchange, routing_key=queue.routing_key, declare=[queue])
    loop, held = consuming(connect(), queue, 4)
    assert len(held) == 4

    def left() -> object:
        return superuser.execute("SELECT count(*) FROM skeldir_broker.messages").fetchone()

    held[0].ack()
    assert not loop.turn()
    assert left() == (5,)
    held[1].ack()
    assert loop.turn()
    assert left() == (3,)
    assert [message.payload for message in held] == [0, 1, 2, 3, 4]
    held[2].ack()
    loop.later.pop()()
    assert left() == (2,)
