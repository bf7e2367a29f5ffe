"""No task of the service's base is lost or takes effect twice, whatever is killed or cut off meanwhile."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from uuid import UUID

import psutil
import psycopg
import pytest
from celery import Celery
from kombu.exceptions import OperationalError

import skeldir.broker  # noqa: F401 - makes the transport known
from skeldir.db.embedded import ephemeral_folder
from tests.broker.conftest import Site, eventually
from tests.chaos.stage import Stage, stage
from tests.workers.conftest import EFFECTS

IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
TASKS = 10_000 if IS_LONG else 2_000
DISASTERS = 28 if IS_LONG else 7
WORKERS = 2
PREFETCH = ("--prefetch-multiplier", "8")  # so that the dead held some that they had not begun
SEED = os.environ.get("SKELDIR_TEST_SEED", "1")
ENDS_WITHIN_SECONDS = 600.0 if IS_LONG else 180.0
TENANT = UUID(int=1)
GIVEN_UP = """
    SELECT (SELECT count(*) FROM skeldir_broker.parked_messages), (SELECT count(*) FROM worker_failed_jobs)
"""


@pytest.fixture
def set_up() -> Iterator[Stage]:
    with ephemeral_folder() as folder, stage(folder, 0) as set_up:
        yield set_up


@pytest.fixture
def site(set_up: Stage, tmp_path: Path) -> Iterator[Site]:
    """Return workers on a server of their own, which may be killed."""
    url = set_up.lease.url("app_worker").set(drivername="postgresql").render_as_string(hide_password=False)
    with superuser(set_up) as connection:
        connection.execute(EFFECTS)
        connection.execute("INSERT INTO tenants (tenant_id, name) VALUES (%s, 'A shop')", [TENANT])
    told = {"TEST_BROKER_URL": f"pg+{url}", "SKELDIR_LOG_LEVEL": "info"}
    site = Site(None, None, tmp_path, set_up.environment | told, "tests.workers.odd_tasks")  # type: ignore[arg-type]
    yield site
    site.stop()


def superuser(set_up: Stage) -> psycopg.Connection:
    url = set_up.lease.url().set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(url, autocommit=True)


def test_every_task_takes_effect_exactly_once(set_up: Stage, site: Site) -> None:
    random = Random(SEED)
    for number in range(WORKERS):
        site.start(*PREFETCH, name=f"w{number}")
    sender = Celery("sender", broker=site.environment["TEST_BROKER_URL"])
    planned = disasters(set_up, site, random)
    moments = sorted(random.sample(range(TASKS // 20, TASKS), len(planned)))

    sent = [str(UUID(int=random.getrandbits(128))) for _ in range(TASKS)]
    for number, task_id in enumerate(sent):
        send(sender, task_id, random.choice((0.0, 0.002, 0.05)))
        while moments and number >= moments[0]:
            moments.pop(0)
            planned.pop()()
    eventually(lambda: True if is_done(set_up) else None, ENDS_WITHIN_SECONDS)

    with superuser(set_up) as connection:
        effects = connection.execute("SELECT task_id::text FROM odd_tasks.effects").fetchall()
        given_up = connection.execute(GIVEN_UP).fetchone()
    assert sorted(task_id for (task_id,) in effects) == sorted(sent)
    assert given_up == (0, 0)
    sender.pool.force_close_all()
    sender.close()


def send(sender: Celery, task_id: str, seconds: float) -> None:
    """Send a task, again if it is not known whether it was sent."""
    deadline = time.monotonic() + 60
    while True:
        try:
            sender.send_task(
                "maintenance.work",
                kwargs={"tenant_id": str(TENANT), "seconds": seconds},
                task_id=task_id,
                queue="maintenance",
                retry=False,
            )
        except OperationalError:
            assert time.monotonic() < deadline, "the server did not come back"
            time.sleep(0.1)
        else:
            return


def is_done(set_up: Stage) -> bool:
    """Tell whether nothing waits, is worked on or is scheduled."""
    try:
        with superuser(set_up) as connection:
            row = connection.execute(
                """SELECT (SELECT count(*) FROM skeldir_broker.messages)
                        + (SELECT count(*) FROM skeldir_broker.scheduled_messages)"""
            ).fetchone()
    except psycopg.OperationalError:
        return False
    return row == (0,)


def disasters(set_up: Stage, site: Site, random: Random) -> list[Callable[[], None]]:
    """Return what goes wrong, in a random order."""
    count = [WORKERS]

    def kill_a_worker() -> None:
        site.kill(site.workers.pop(random.randrange(len(site.workers))))
        count[0] += 1
        site.start(*PREFETCH, name=f"w{count[0]}")

    def kill_a_child() -> None:
        worker = psutil.Process(site.workers[random.randrange(len(site.workers))].pid)
        with suppress(psutil.NoSuchProcess, IndexError):
            random.choice(worker.children()).kill()

    def cut_connections() -> None:
        with superuser(set_up) as connection:
            connection.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE usename = 'app_worker' AND random() < 0.7"""
            )

    first = [kill_a_worker, cut_connections, set_up.stop_database_at_once]
    kinds = [*first, set_up.kill_database, kill_a_child, kill_a_worker, cut_connections]
    chosen = [kinds[number % len(kinds)] for number in range(DISASTERS)]
    random.shuffle(chosen)
    return chosen
