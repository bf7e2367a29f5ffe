"""The brokers of the queue's benchmark, each with a server of its own where one is installed."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from amqp import Message
from kombu import Connection
from sqlalchemy import URL

from skeldir import janitor
from skeldir.db import migrate
from skeldir.db.embedded import Home
from skeldir.db.engine import bootstrap_url, get_url
from skeldir.settings import adopt
from tests.bench.ingestion import HOST, free_port
from tests.bench.queue_contestants import CelerySender, Contestant, ProcrastinateSender
from tests.bench.queue_tasks import QUEUE
from tests.broker import rabbitmq

COPY_OURS = """
    INSERT INTO skeldir_broker.messages (queue, priority, lane, body)
    SELECT queue, priority, lane, body FROM generate_series(1, %s),
           (SELECT * FROM skeldir_broker.messages ORDER BY message_id DESC LIMIT 1) AS last
"""
COPY_SQLA = """
    INSERT INTO kombu_message (id, visible, timestamp, payload, version, queue_id)
    SELECT nextval('message_id_sequence'), visible, timestamp, payload, version, queue_id
      FROM generate_series(1, %s), (SELECT * FROM kombu_message ORDER BY id DESC LIMIT 1) AS last
"""
NO_JOBS = "DELETE FROM procrastinate_jobs WHERE status = 'todo'"


def contestants(stack: ExitStack, folder: Path) -> Iterator[Contestant]:
    """Start whom we can start, ourselves first; who is missing is left out with a word."""
    folder.chmod(0o711)  # root's database server, another user, must pass through it
    adopt({"SKELDIR_DATA_DIR": str(folder), "SKELDIR_LOG_LEVEL": "warning"})
    stack.enter_context(janitor.tidying_behind(folder, remove=True))
    migrate.upgrade()
    superuser = stack.enter_context(psycopg.connect(_address(bootstrap_url()), autocommit=True))
    postgres = psutil.Process(int((Home.under(folder).data / "postmaster.pid").read_text().split()[0]))

    def repeating(statement: str) -> Callable[[int], None]:
        return lambda count: superuser.execute(statement, [count]) and None

    url = f"pg+{_address(get_url('app_worker'))}"
    yield Contestant("ours", url, folder / "ours.log", CelerySender(url, repeating(COPY_OURS)), postgres)
    url = f"sqla+{_address(bootstrap_url(), 'postgresql+psycopg')}"
    yield Contestant("sqla", url, folder / "sqla.log", CelerySender(url, repeating(COPY_SQLA)), postgres)
    yield from _redis(stack, folder)
    yield from _rabbitmq(stack, folder)
    url = _address(bootstrap_url())
    sender = ProcrastinateSender(url, lambda: superuser.execute(NO_JOBS) and None)
    stack.callback(sender.app.close)
    sender.app.schema_manager.apply_schema()
    yield Contestant("procrastinate", url, folder / "procrastinate.log", sender, postgres)


def _address(url: URL, driver: str = "postgresql") -> str:
    return url.set(drivername=driver).render_as_string(hide_password=False)


def _redis(stack: ExitStack, folder: Path) -> Iterator[Contestant]:
    program = shutil.which("redis-server")
    if program is None:
        print("Redis is left out: no server is installed")
        return
    port = free_port()
    command = [program, "--port", str(port), "--bind", HOST, "--save", "", "--dir", str(folder)]
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    url, client = f"redis://{HOST}:{port}/0", redis.Redis(HOST, port)
    while not _answers(client):
        assert process.poll() is None, "Redis ended while it started"
        time.sleep(0.05)

    def multiply(count: int) -> None:
        last = client.lindex(QUEUE, 0)
        for first in range(0, count, 1_000):
            client.lpush(QUEUE, *[last] * min(1_000, count - first))

    yield Contestant("Redis", url, folder / "redis.log", CelerySender(url, multiply), process)


def _rabbitmq(stack: ExitStack, folder: Path) -> Iterator[Contestant]:
    home = folder / "rabbitmq"
    home.mkdir()
    try:
        node = stack.enter_context(rabbitmq.node(home))
    except pytest.skip.Exception as missing:
        print(f"RabbitMQ is left out: {missing}")
        return
    process = psutil.Process(node.process.pid) if node.process else None

    def multiply(count: int) -> None:
        with Connection(node.url) as connection:
            channel = connection.channel()
            last = channel.basic_get(QUEUE)
            copy = Message(last.body, **last.properties)
            for _ in range(count + 1):  # the last was taken
                channel.basic_publish(copy, routing_key=QUEUE)

    sender = CelerySender(node.url, multiply)
    yield Contestant("RabbitMQ", node.url, folder / "rabbitmq.log", sender, process)


def _answers(client: redis.Redis) -> bool:
    with suppress(redis.ConnectionError):
        return bool(client.ping())
    return False
