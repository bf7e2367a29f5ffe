"""What kombu promises of a transport, over a real connection."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from kombu import Consumer, Exchange, Producer, Queue
from kombu.exceptions import ChannelError, OperationalError

import skeldir.broker  # noqa: F401 - makes the transport known
from tests.broker.conftest import Connect


def consumed(connection: Any, queues: list[Queue], count: int, prefetch: int = 0) -> list[Any]:
    """Consume so many messages and acknowledge them."""
    found: list[Any] = []

    def take(_: object, message: Any) -> None:
        found.append(message.payload)
        message.ack()

    consumer = Consumer(connection, queues, callbacks=[take], accept=["json", "text/plain"])
    consumer.qos(prefetch_count=prefetch)
    with consumer:
        while len(found) < count:
            connection.drain_events(timeout=10)
    return found


def test_messages_come_in_their_order_and_are_gone_when_acknowledged(
    connect: Connect, superuser: psycopg.Connection
) -> None:
    queue = connect().SimpleQueue(f"q{uuid4()}")
    for number in range(5):
        queue.put({"number": number})

    found = []
    for _ in range(5):
        message = queue.get(timeout=5)
        found.append(message.payload["number"])
        message.ack()

    assert found == [0, 1, 2, 3, 4]
    assert superuser.execute("SELECT count(*) FROM skeldir_broker.messages").fetchone() == (0,)
    with pytest.raises(queue.Empty):
        queue.get(timeout=0.05)


def test_what_is_not_acknowledged_is_delivered_again_when_its_consumer_is_gone(connect: Connect) -> None:
    name, first = f"q{uuid4()}", connect()
    first.SimpleQueue(name).put("once more")
    assert first.SimpleQueue(name).get(timeout=5).payload == "once more"
    first.close()

    again = connect().SimpleQueue(name).get(timeout=5)
    assert again.payload == "once more"
    again.ack()


def test_an_acknowledgement_that_comes_after_the_connection_is_gone_is_passed_over(connect: Connect) -> None:
    """As when a worker connects anew while its children are still at work: the message is delivered again."""
    name, first = f"q{uuid4()}", connect()
    first.SimpleQueue(name).put("once more")
    message = first.SimpleQueue(name).get(timeout=5)
    first.close()
    message.ack()
    message.channel.basic_reject(message.delivery_tag, requeue=True)

    again = connect().SimpleQueue(name).get(timeout=5)
    assert again.payload == "once more"
    again.ack()


def test_a_rejected_message_is_thrown_away_or_comes_again_as_one_that_was_begun(connect: Connect) -> None:
    queue = connect().SimpleQueue(f"q{uuid4()}")
    queue.put("hot")
    queue.get(timeout=5).requeue()
    again = queue.get(timeout=5)
    assert again.delivery_info["redelivered"] is True
    again.reject()

    with pytest.raises(queue.Empty):
        queue.get(timeout=0.05)


def test_no_more_is_delivered_than_the_window_holds(connect: Connect, superuser: psycopg.Connection) -> None:
    connection = connect()
    queue = Queue(f"q{uuid4()}", Exchange("windows"), routing_key=str(uuid4()))
    producer = Producer(connection)
    for number in range(5):
        producer.publish(number, exchange=queue.exchange, routing_key=queue.routing_key, declare=[queue])
    held: list[Any] = []
    consumer = Consumer(connection, [queue], callbacks=[lambda _, message: held.append(message)])
    consumer.qos(prefetch_count=2)
    with consumer:
        connection.drain_events(timeout=5)
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=0.05)
        assert [message.payload for message in held] == [0, 1]
        leased = "SELECT count(*) FROM skeldir_broker.messages WHERE lease IS NOT NULL"
        assert superuser.execute(leased).fetchone() == (2,)
        held[0].ack()
        connection.drain_events(timeout=5)
        assert [message.payload for message in held] == [0, 1, 2]


def test_two_consumers_never_get_the_same_message(connect: Connect) -> None:
    name = f"q{uuid4()}"
    sender, one, other = (connect().SimpleQueue(name) for _ in range(3))
    for consumer in (one, other):
        consumer.consumer.qos(prefetch_count=1)
    for number in range(20):
        sender.put(number)

    found = []
    for _ in range(10):
        for consumer in (one, other):
            message = consumer.get(timeout=5)
            found.append(message.payload)
            message.ack()
    assert sorted(found) == list(range(20))


@pytest.mark.parametrize(
    ("kind", "bound", "sent", "arrives"),
    [
        ("direct", "blue", "blue", True),
        ("direct", "blue", "green", False),
        ("topic", "order.*.eu", "order.paid.eu", True),
        ("topic", "order.*.eu", "order.paid.late.eu", False),
        ("topic", "order.#", "order.paid.late.eu", True),
        ("fanout", "", "anything", True),
    ],
)
def test_an_exchange_routes_to_queues_that_others_have_bound(
    connect: Connect, superuser: psycopg.Connection, *, kind: str, bound: str, sent: str, arrives: bool
) -> None:
    exchange = Exchange(f"e{uuid4()}", type=kind)
    queue = Queue(f"q{uuid4()}", exchange, routing_key=bound)
    consumer = connect()
    queue(consumer.channel()).declare()

    Producer(connect(), exchange=exchange, auto_declare=True).publish("news", routing_key=sent)

    row = superuser.execute(
        "SELECT count(*) FROM skeldir_broker.messages WHERE queue = %s", [queue.name]
    ).fetchone()
    assert row == (int(arrives),)


def test_a_broadcast_reaches_every_queue_once(connect: Connect) -> None:
    exchange = Exchange(f"e{uuid4()}", type="fanout")
    queues = [Queue(f"q{uuid4()}", exchange) for _ in range(3)]
    consumer = connect()
    for queue in queues:
        queue(consumer.channel()).declare()

    Producer(connect(), exchange=exchange).publish("all")

    assert consumed(consumer, queues, 3) == ["all"] * 3


def test_a_transient_queue_ends_with_the_connection_that_declared_it(
    connect: Connect, superuser: psycopg.Connection
) -> None:
    connection = connect()
    queue = Queue(f"q{uuid4()}", Exchange("replies"), routing_key=str(uuid4()), auto_delete=True)
    queue(connection.channel()).declare()
    Producer(connect()).publish("late", exchange=queue.exchange, routing_key=queue.routing_key)
    connection.close()

    connect().channel().connection.lease()  # whoever begins to consume sweeps up after the dead
    left = superuser.execute("SELECT count(*) FROM skeldir_broker.queues WHERE queue = %s", [queue.name])
    assert left.fetchone() == (0,)


def test_a_queue_that_is_not_there_is_told_of_when_asked_for(connect: Connect) -> None:
    with pytest.raises(ChannelError, match="NOT_FOUND"):
        connect().channel().queue_declare(f"q{uuid4()}", passive=True)


def test_a_purge_takes_what_waits_and_says_how_much(connect: Connect) -> None:
    queue = connect().SimpleQueue(f"q{uuid4()}")
    for number in range(7):
        queue.put(number)

    assert queue.qsize() == 7
    assert queue.clear() == 7
    assert queue.qsize() == 0


def test_what_the_api_s_login_may_do_is_publish(connect: Connect, superuser: psycopg.Connection) -> None:
    reply = Queue(f"reply-{uuid4()}", auto_delete=True)
    everybody = Exchange("celery.pidbox", "fanout")
    reply(connect().channel()).declare()
    connection = connect("app_user")
    tasks = Queue("maintenance", Exchange("tasks"), routing_key="maintenance")
    producer = Producer(connection)
    producer.publish("work", exchange=tasks.exchange, routing_key=tasks.routing_key, declare=[tasks])

    assert superuser.execute("SELECT count(*) FROM skeldir_broker.messages").fetchone() == (1,)
    for forbidden in (
        lambda: connection.SimpleQueue(f"q{uuid4()}"),
        lambda: connection.SimpleQueue("maintenance").get(timeout=1),
        lambda: tasks(connection.channel()).purge(),
        lambda: producer.publish("shutdown", exchange=everybody, declare=[everybody], routing_key=""),
        lambda: producer.publish("answer", exchange="", routing_key=reply.name),
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, OperationalError)):
            forbidden()
