"""What kombu promises of a channel: getting, settling, recovering, declaring, and bodies of every kind."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from kombu import Consumer, Exchange, Producer, Queue
from kombu.exceptions import ChannelError
from kombu.transport.virtual import NotEquivalentError

from skeldir.broker import channel as channels
from tests.broker.conftest import Connect

WAITING = "SELECT count(*) FROM skeldir_broker.messages WHERE queue = %s"


def declared(connection: Any, *bodies: object, **options: Any) -> Any:
    """Return a channel and the name of a fresh queue that these messages wait in."""
    channel = connection.channel()
    queue = Queue(f"q{uuid4()}", Exchange(f"e{uuid4()}"), routing_key="r")(channel)
    queue.declare()
    producer = Producer(channel, exchange=queue.exchange, routing_key="r")
    for body in bodies:
        producer.publish(body, **options)
    return channel, queue


def payloads(channel: Any, queue: Any) -> list[Any]:
    """Take and acknowledge all that waits."""
    found = []
    while (message := channel.basic_get(queue.name)) is not None:
        found.append(message.decode())
        message.ack()
    return found


def count(superuser: psycopg.Connection, queue: Any) -> int:
    row = superuser.execute(WAITING, [queue.name]).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("room", [1, 4])
def test_a_queue_that_is_never_empty_keeps_nobody_from_another(connect: Connect, room: int) -> None:
    """Whichever is told of first: a window that has room takes from each in turn."""
    connection = connect()
    channel, busy = declared(connection, *["busy"] * 50)
    _, first = declared(connection, "first")
    _, last = declared(connection, "last")
    seen: list[Any] = []

    def take(body: object, message: Any) -> None:
        seen.append(body)
        message.ack()

    channel.basic_qos(0, room, False)
    with Consumer(channel, [first, busy, last], callbacks=[take]):
        while len(seen) < 52:
            connection.drain_events(timeout=5)
    assert {"first", "last"} <= set(seen[: 4 * room])


def test_an_empty_queue_gives_nothing(connect: Connect) -> None:
    channel, queue = declared(connect())
    assert channel.basic_get(queue.name) is None


def test_what_is_got_without_acknowledgement_is_gone(connect: Connect, superuser: psycopg.Connection) -> None:
    channel, queue = declared(connect(), "once")
    assert channel.basic_get(queue.name, no_ack=True).payload == "once"
    channel.close()
    assert count(superuser, queue) == 0


def test_a_consumer_without_acknowledgement_leaves_nothing_behind(
    connect: Connect, superuser: psycopg.Connection
) -> None:
    connection = connect()
    channel, queue = declared(connection, "a", "b")
    found: list[Any] = []
    with Consumer(channel, [queue], no_ack=True, callbacks=[lambda body, _: found.append(body)]):
        while len(found) < 2:
            connection.drain_events(timeout=5)
    channel.close()
    assert found == ["a", "b"]
    assert count(superuser, queue) == 0


def test_recovering_has_all_that_is_unsettled_delivered_again(connect: Connect) -> None:
    channel, queue = declared(connect(), 1, 2, 3)
    first, second, third = (channel.basic_get(queue.name) for _ in range(3))
    second.ack()

    channel.basic_recover(requeue=True)

    assert payloads(channel, queue) == [1, 3]
    assert (first.payload, third.payload) == (1, 3)
    with pytest.raises(NotImplementedError):
        channel.basic_recover(requeue=False)


def test_a_channel_that_closes_gives_back_what_it_held_in_its_order(connect: Connect) -> None:
    """Others get it in the place that it had, before what was sent later."""
    connection = connect()
    channel, queue = declared(connection, 1, 2, 3, 4)
    held = [channel.basic_get(queue.name) for _ in range(3)]
    held[1].ack()
    channel.close()

    assert payloads(connection.channel(), queue) == [1, 3, 4]


def test_a_message_is_settled_once(connect: Connect, superuser: psycopg.Connection) -> None:
    channel, queue = declared(connect(), "hot", "cold")
    message = channel.basic_get(queue.name)
    message.ack()
    for again in (message.ack, message.reject, message.requeue):
        with pytest.raises(message.MessageStateError):
            again()
    channel.basic_ack(10**12)  # a tag that nobody gave out
    assert count(superuser, queue) == 1


def test_a_cancelled_consumer_gets_nothing_more_and_settles_what_it_has(
    connect: Connect, superuser: psycopg.Connection
) -> None:
    connection = connect()
    channel, queue = declared(connection, 1, 2)
    held: list[Any] = []
    consumer = Consumer(channel, [queue], on_message=held.append, prefetch_count=1)
    consumer.consume()
    connection.drain_events(timeout=5)
    consumer.cancel()
    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=0.05)
    held[0].ack()

    assert [message.payload for message in held] == [1]
    assert count(superuser, queue) == 1


@pytest.mark.parametrize("settle", ["ack", "reject", "requeue"])
def test_room_in_the_window_comes_back_however_a_message_is_settled(connect: Connect, settle: str) -> None:
    connection = connect()
    channel, queue = declared(connection, 1, 2)
    held: list[Any] = []
    with Consumer(channel, [queue], on_message=held.append, prefetch_count=1):
        connection.drain_events(timeout=5)
        getattr(held[0], settle)()
        connection.drain_events(timeout=5)

    assert [message.payload for message in held] == [1, 1 if settle == "requeue" else 2]


def test_a_queue_is_declared_again_without_losing_what_waits(connect: Connect) -> None:
    channel, queue = declared(connect(), 1, 2)
    queue.declare()
    assert channel.queue_declare(queue.name, passive=True).message_count == 2


def test_a_queue_that_is_deleted_is_gone_with_its_messages_and_bindings(connect: Connect) -> None:
    channel, queue = declared(connect(), 1)
    channel.queue_delete(queue.name, if_empty=True)
    assert channel.queue_declare(queue.name, passive=True).message_count == 1

    channel.queue_delete(queue.name)
    with pytest.raises(ChannelError, match="NOT_FOUND"):
        channel.queue_declare(queue.name, passive=True)
    Producer(channel, exchange=queue.exchange, routing_key="r").publish(2)
    queue.queue_declare()
    assert payloads(channel, queue) == []


def test_a_queue_that_is_unbound_gets_nothing_more(connect: Connect) -> None:
    channel, queue = declared(connect(), 1)
    channel.queue_unbind(queue.name, queue.exchange.name, "r")
    Producer(connect(), exchange=queue.exchange, routing_key="r").publish(2)
    assert payloads(channel, queue) == [1]


class Ahead(datetime):
    """A clock that is an hour ahead."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Ahead":
        return cls.fromtimestamp(datetime.now(tz).timestamp() + 3_600, tz)


@pytest.fixture
def hour_ahead() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channels, "datetime", Ahead)
        yield


@pytest.mark.usefixtures("hour_ahead")
def test_a_senders_clock_that_is_wrong_makes_no_message_late(
    connect: Connect, superuser: psycopg.Connection
) -> None:
    """An ETA is so long from the sender's now, and its message is due so long from the database's."""
    channel, queue = declared(
        connect(), 1, headers={"eta": (Ahead.now(UTC) + timedelta(seconds=60)).isoformat()}
    )
    due = superuser.execute(
        "SELECT extract(epoch FROM due_at - clock_timestamp()) FROM skeldir_broker.scheduled_messages"
        " WHERE queue = %s",
        [queue.name],
    ).fetchone()
    channel.queue_delete(queue.name)
    assert due is not None
    assert float(due[0]) == pytest.approx(60, abs=5)


def test_a_message_that_is_due_is_not_held_back_by_a_consumers_clock(
    connect: Connect, superuser: psycopg.Connection
) -> None:
    """Celery would keep it until its own clock reaches the ETA that was written by another."""
    eta = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    channel, queue = declared(connect(), 1, headers={"eta": eta})
    superuser.execute(
        "UPDATE skeldir_broker.scheduled_messages SET due_at = now() WHERE queue = %s", [queue.name]
    )
    superuser.execute("SELECT skeldir_broker.promote()")
    message = channel.basic_get(queue.name)
    message.ack()
    assert datetime.fromisoformat(message.headers["eta"]) <= datetime.now(UTC)


def test_the_nameless_exchange_leads_to_the_queue_of_the_key(connect: Connect) -> None:
    channel, queue = declared(connect())
    Producer(channel).publish("direct", routing_key=queue.name)
    Producer(channel).publish("nowhere", routing_key=f"q{uuid4()}")
    assert payloads(channel, queue) == ["direct"]


def test_an_exchange_is_one_kind_only_and_told_of_when_asked_for(connect: Connect) -> None:
    channel = connect().channel()
    name = f"e{uuid4()}"
    with pytest.raises(ChannelError, match="NOT_FOUND"):
        channel.exchange_declare(name, passive=True)
    channel.exchange_declare(name, type="topic")
    channel.exchange_declare(name, passive=True)
    with pytest.raises(NotEquivalentError):
        channel.exchange_declare(name, type="fanout")


def test_what_has_expired_is_thrown_away(connect: Connect, superuser: psycopg.Connection) -> None:
    channel, queue = declared(connect(), "late", expiration=60)
    superuser.execute("UPDATE skeldir_broker.messages SET expires_at = now() WHERE queue = %s", [queue.name])
    Producer(channel, exchange=queue.exchange, routing_key="r").publish("in time", expiration=60)

    assert payloads(channel, queue) == ["in time"]
    channel.close()
    assert count(superuser, queue) == 0


@pytest.mark.parametrize(
    ("body", "options"),
    [
        ({"of": ["JSON", 1, None, {"in": "it"}]}, {}),
        ("ünïcødé ☂ \u2028", {}),
        ('a quote\'s \\ and a "percent" %s', {}),
        (b"\x00\xff binary", {"content_type": "application/data", "content_encoding": "binary"}),
        ({"long": "x" * 1_000_000}, {}),
        ({"compressed": "x" * 100_000}, {"compression": "zlib"}),
    ],
    ids=["json", "unicode", "quotes", "binary", "large", "compressed"],
)
def test_a_body_arrives_as_it_was_sent(connect: Connect, body: object, options: dict[str, Any]) -> None:
    channel, queue = declared(connect(), body, **options)
    message = channel.basic_get(queue.name)
    message.accept = None
    assert message.decode() == body
    message.ack()


def test_headers_and_properties_arrive_as_they_were_sent(connect: Connect) -> None:
    told = {"correlation_id": "c", "reply_to": "r", "priority": 3}
    channel, queue = declared(connect(), "body", headers={"x": {"deep": [1]}}, **told)
    message = channel.basic_get(queue.name)
    assert message.headers == {"x": {"deep": [1]}}
    assert {name: message.properties[name] for name in told} == told
    assert message.delivery_info["routing_key"] == "r"
    assert message.delivery_info["exchange"] == queue.exchange.name
    message.ack()


def test_the_highest_priority_comes_first_and_none_is_beyond_the_bounds(connect: Connect) -> None:
    channel, queue = declared(connect())
    producer = Producer(channel, exchange=queue.exchange, routing_key="r")
    for priority in (0, -5, 5, 9, 200):
        producer.publish(priority, priority=priority)
    assert payloads(channel, queue) == [9, 200, 5, 0, -5]


def test_a_channel_has_no_flow_to_stop(connect: Connect) -> None:
    with pytest.raises(NotImplementedError):
        connect().channel().flow(active=False)
