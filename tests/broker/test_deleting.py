"""Deleting and emptying queues: what is held or not due is there too, and what is gone leaves nothing."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from kombu import Producer
from kombu.exceptions import ChannelError

from skeldir.broker import store
from skeldir.queue.messages import QUEUES
from tests import waiting
from tests.broker.conftest import Connect
from tests.broker.test_channels import count, declared
from tests.conftest import Database

LATER = {"eta": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}


@pytest.mark.parametrize("left", ["ready", "held", "scheduled"])
def test_a_queue_is_not_empty_while_any_message_of_it_is_left(connect: Connect, left: str) -> None:
    """Whether it waits, somebody holds it, or it is not due; settled, it is gone."""
    channel, queue = declared(connect(), 1, headers=LATER if left == "scheduled" else {})
    held = channel.basic_get(queue.name) if left == "held" else None
    channel.queue_delete(queue.name, if_empty=True)
    assert channel.queue_declare(queue.name, passive=True)

    if held:
        held.ack()
    else:
        channel.queue_purge(queue.name)
    channel.queue_delete(queue.name, if_empty=True)
    with pytest.raises(ChannelError, match="NOT_FOUND"):
        channel.queue_declare(queue.name, passive=True)


def test_a_queue_is_in_use_while_somebody_holds_of_it_or_sleeps_over_it(
    connect: Connect, superuser: psycopg.Connection
) -> None:
    channel, queue = declared(connect(), 1)
    held = connect().channel().basic_get(queue.name)
    channel.queue_delete(queue.name, if_unused=True)
    assert channel.queue_declare(queue.name, passive=True)

    held.channel.close()
    superuser.execute("INSERT INTO skeldir_broker.sleepers VALUES (-1, %s)", [[queue.name]])
    channel.queue_delete(queue.name, if_unused=True)
    assert channel.queue_declare(queue.name, passive=True)

    superuser.execute("DELETE FROM skeldir_broker.sleepers WHERE lease = -1")
    channel.queue_delete(queue.name, if_unused=True)
    with pytest.raises(ChannelError, match="NOT_FOUND"):
        channel.queue_declare(queue.name, passive=True)
    assert count(superuser, queue) == 0


def test_a_purge_takes_what_is_not_due_and_leaves_what_is_held(
    connect: Connect, superuser: psycopg.Connection
) -> None:
    channel, queue = declared(connect(), 1, 2)
    producer = Producer(channel, exchange=queue.exchange, routing_key="r")
    producer.publish(3, headers=LATER)
    held = connect().channel().basic_get(queue.name)

    assert channel.queue_purge(queue.name) == 2
    assert count(superuser, queue) == 1
    held.ack()
    channel.queue_delete(queue.name)


@pytest.mark.parametrize("name", ["!", "h", "~"])
def test_a_message_that_comes_after_its_queue_was_deleted_does_not_stay(
    connect: Connect, superuser: psycopg.Connection, database: Database, name: str
) -> None:
    """Wherever its name stands among the others; what waits in queues that there are is left alone."""
    channel, other = declared(connect(), 1)
    queue = f"{name}{uuid4()}"
    channel.queue_declare(queue)
    url = database.url("app_worker").set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as late, psycopg.connect(url, autocommit=True) as worker:
        store.publish(late, store.Outgoing("", "direct", queue, "{}"))
        channel.queue_delete(queue)
        late.commit()
        store.sweep(worker)
    left = superuser.execute("SELECT queue FROM skeldir_broker.messages").fetchall()
    channel.queue_delete(other.name)
    assert left == [(other.name,)]


def test_a_sweep_reads_nothing_of_what_waits(superuser: psycopg.Connection, database: Database) -> None:
    """However much that is."""
    for queue in QUEUES:
        waiting.fill(superuser, queue, 5_000)
    read = """
        SELECT sum(pg_stat_get_xact_tuples_fetched(oid) + pg_stat_get_xact_tuples_returned(oid))
          FROM (SELECT 'skeldir_broker.messages'::regclass UNION ALL
                SELECT indexrelid FROM pg_index
                 WHERE indrelid = 'skeldir_broker.messages'::regclass) AS of (oid)
    """
    with database.connect() as owner, owner.transaction():
        store.sweep(owner)
        fetched = owner.execute(read).fetchone()
    waiting.clear(superuser)
    assert fetched is not None
    assert fetched[0] < 100  # entries of what earlier tests deleted
