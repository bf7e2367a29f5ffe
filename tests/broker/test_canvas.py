"""What Celery can do, it can do over this broker: through real worker processes."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import chain, chord, group

from tests.broker.conftest import Site, cancel_consumer, eventually

PATIENCE = 30
IN_FLIGHT = "SELECT count(*) FROM skeldir_broker.messages WHERE lease IS NOT NULL"


@pytest.fixture(scope="module", autouse=True)
def worker(place: Site) -> Iterator[None]:
    """One worker serves all of this file."""
    place.start()
    yield
    place.stop()


def test_a_chain_hands_each_result_on(tasks: Any) -> None:
    assert chain(tasks.add.s(1, 2), tasks.add.s(3), tasks.add.s(4)).apply_async().get(timeout=PATIENCE) == 10


def test_a_group_runs_all_and_a_chord_what_follows_once(tasks: Any) -> None:
    assert group(tasks.add.s(n, n) for n in range(10)).apply_async().get(timeout=PATIENCE) == [
        2 * n for n in range(10)
    ]
    assert (
        chord((tasks.add.s(n, 1) for n in range(5)), tasks.total.s()).apply_async().get(timeout=PATIENCE)
        == 15
    )


def test_a_retry_comes_again_until_it_succeeds(tasks: Any, place: Site) -> None:
    assert tasks.at_the_third_try.delay(key="retry").get(timeout=PATIENCE) == 2
    assert place.effects("retry") == ["0", "1", "2"]


def test_a_task_with_an_eta_waits_in_the_broker_and_is_run_when_due(tasks: Any, place: Site) -> None:
    due = datetime.now(UTC) + timedelta(seconds=1.2)
    tasks.effect.apply_async(kwargs={"key": "eta"}, eta=due)

    assert place.count("SELECT count(*) FROM skeldir_broker.scheduled_messages") == 1
    eventually(lambda: place.effects("eta") or None)
    at = place.superuser.execute("SELECT at FROM broker_tests.effects WHERE key = 'eta'").fetchone()
    assert at is not None
    assert at[0] >= due


def test_a_revoked_task_is_not_run(tasks: Any, place: Site) -> None:
    sent = tasks.effect.apply_async(kwargs={"key": "revoked"}, countdown=1.0)
    tasks.app.control.revoke(sent.id)
    tasks.effect.apply_async(kwargs={"key": "after"}, countdown=1.1)

    eventually(lambda: place.effects("after") or None)
    assert place.effects("revoked") == []


def test_an_expired_task_is_not_run(tasks: Any, place: Site) -> None:
    tasks.effect.apply_async(kwargs={"key": "expired"}, expires=datetime.now(UTC) - timedelta(seconds=1))
    tasks.effect.apply_async(kwargs={"key": "unexpired"}, expires=60)

    eventually(lambda: place.effects("unexpired") or None)
    assert place.effects("expired") == []


def test_limits_of_time_end_a_task_and_not_the_worker(tasks: Any, place: Site) -> None:
    tasks.far_too_long.delay()
    tasks.too_long.delay(key="soft")

    eventually(lambda: place.effects("soft") or None)
    assert tasks.add.delay(1, 1).get(timeout=PATIENCE) == 2
    eventually(lambda: True if place.is_empty() else None)


def test_a_limit_of_rate_spreads_tasks_out(tasks: Any, place: Site) -> None:
    for _ in range(5):
        tasks.limited.delay(key="limited")

    at = [float(value) for value in eventually(lambda: full(place.effects("limited"), 5))]
    assert max(at) - min(at) >= 0.6


def full(found: list[str], count: int) -> list[str] | None:
    return found if len(found) == count else None


def test_workers_answer_who_asks(tasks: Any, place: Site) -> None:
    running = tasks.effect.delay(key="long", seconds=3.0)
    eventually(
        lambda: (
            [1]
            if place.count("SELECT count(*) FROM skeldir_broker.messages WHERE lease IS NOT NULL")
            else None
        )
    )

    inspect = tasks.app.control.inspect(timeout=5, limit=1)
    assert inspect.ping() == {"one@here": {"ok": "pong"}}
    assert [one["id"] for one in inspect.active()["one@here"]] == [running.id]
    assert inspect.stats()["one@here"]["total"]["tests.broker.tasks.add"] > 0
    assert "pong" in place.control("inspect", "ping")


def test_events_reach_who_watches(tasks: Any, place: Site) -> None:
    """As `celery events` and Flower watch: of tasks, and of workers, which can be asked to send them."""
    assert tasks.app.control.enable_events(reply=True, timeout=5, limit=1)
    log = place.folder / "events.log"
    with place.beside("events", "--dump", log=log):
        eventually(lambda: True if b"starting capture" in log.read_bytes() else None)

        def seen() -> bool | None:
            tasks.add.delay(1, 1).get(timeout=PATIENCE)
            kinds = (b" task received: ", b" task started: ", b" task succeeded: ", b" heartbeat: ")
            return True if all(kind in log.read_bytes() for kind in kinds) else None

        eventually(seen)
    assert tasks.app.control.disable_events(reply=True, timeout=5, limit=1)


def test_a_higher_priority_is_served_first(tasks: Any, place: Site) -> None:
    cancel_consumer(tasks.app, "tests")
    for number, priority in enumerate((0, 0, 9)):
        tasks.effect.apply_async(
            kwargs={"key": "priority", "value": f"{priority}.{number}"}, priority=priority
        )
    tasks.app.control.pool_shrink(1, reply=True, timeout=5, limit=1)
    tasks.app.control.add_consumer("tests", reply=True, timeout=5, limit=1)

    found = eventually(lambda: full(place.effects("priority"), 3))
    assert found[0] == "9.2"
    tasks.app.control.pool_grow(1, reply=True, timeout=5, limit=1)


def test_a_task_that_ends_its_workers_is_parked(tasks: Any, place: Site) -> None:
    """It is begun a bounded number of times, and kept for who will look into it."""
    tasks.end_the_worker.delay()

    eventually(lambda: place.count("SELECT count(*) FROM skeldir_broker.parked_messages") or None)
    attempts = place.count("SELECT attempts FROM skeldir_broker.parked_messages")
    place.superuser.execute("DELETE FROM skeldir_broker.parked_messages")
    assert attempts == 5
    assert tasks.add.delay(1, 1).get(timeout=PATIENCE) == 2


def test_a_chord_whose_part_was_parked_comes_to_an_end(tasks: Any, place: Site) -> None:
    """What follows has failed, and nothing is left that looks for the part's result."""
    parts = [tasks.effect.si(key="part"), tasks.end_the_worker.si()]
    followed = chord(parts)(tasks.effect.si(key="followed"))
    parked = "SELECT count(*) FROM skeldir_broker.parked_messages"
    eventually(lambda: place.count(parked) or None)
    place.superuser.execute("DELETE FROM skeldir_broker.parked_messages")

    eventually(lambda: place.is_empty() or None, seconds=40)
    assert followed.state == "FAILURE"
    assert (len(place.effects("part")), place.effects("followed")) == (1, [])


def test_a_worker_shuts_down_when_told_from_afar(tasks: Any, place: Site) -> None:
    """Last in this file: nobody serves it afterwards. What it had not begun waits for the next worker."""
    place.stop()
    worker = place.start(name="whole")  # the former had its pool shrunk and grown, and a process killed
    for number in range(6):
        tasks.effect.delay(key="handed on", value=str(number), seconds=3 if number < 2 else 0.1)
    time.sleep(1)  # Celery takes for not begun, and has begun again, what its pool has taken just then
    tasks.app.control.shutdown()

    assert worker.wait(30) == 0
    assert place.count(IN_FLIGHT) == 0
    place.start(name="another")
    found = eventually(lambda: full(place.effects("handed on"), 6))
    assert sorted(found) == list("012345")
