"""In which order messages are claimed."""

from collections.abc import Iterator
from itertools import groupby
from random import Random

import psycopg
import pytest

from skeldir.broker import store
from tests.conftest import Database

QUEUE = "maintenance"
LOWEST, HIGHEST = -(2**31), 2**31 - 1


@pytest.fixture
def consumer(database: Database) -> Iterator[psycopg.Connection]:
    url = database.url("app_worker").set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def send(superuser: psycopg.Connection, sent: list[tuple[int, int]]) -> None:
    """Send messages of these priorities and lanes, which are their bodies too, in their order."""
    superuser.cursor().executemany(
        "INSERT INTO skeldir_broker.messages (queue, priority, lane, body) VALUES (%s, %s, %s, %s)",
        [(QUEUE, priority, lane, f"{priority} {lane}") for priority, lane in sent],
    )


@pytest.mark.parametrize("first_lane", [LOWEST, -5, -4, 7, HIGHEST])
def test_one_tenants_ten_thousand_tasks_do_not_hold_up_anothers_one(
    consumer: psycopg.Connection, superuser: psycopg.Connection, first_lane: int
) -> None:
    """Who claims goes from lane to lane, wherever it begins; what one leaves of its share others get."""
    send(superuser, [(0, -5)] * 10_000 + [(0, 7), (0, HIGHEST), (0, LOWEST)])

    claimed = store.claim(consumer, store.take_lease(consumer), [QUEUE], 8, [], first_lane)

    assert {message.body for message in claimed} == {"0 -5", "0 7", f"0 {HIGHEST}", f"0 {LOWEST}"}


def test_every_message_is_claimed_once_the_most_urgent_first_and_a_tenants_in_their_order(
    consumer: psycopg.Connection, superuser: psycopg.Connection
) -> None:
    """Whatever is given back meanwhile, though it stands before what was taken already."""
    random = Random(1)
    lanes = [LOWEST, -1, 0, 3, HIGHEST]
    send(superuser, [(random.randint(0, 2), random.choice(lanes)) for _ in range(400)])
    lease, seen, given_back = store.take_lease(consumer), [], set()

    while claimed := store.claim(consumer, lease, [QUEUE], 7, [], random.choice([*lanes, 1, -9])):
        back = {message.message_id for message in claimed if random.random() < 0.2} - given_back
        store.release(consumer, lease, sorted(back), begun=False)
        given_back |= back
        seen += [message for message in claimed if message.message_id not in back]

    assert len({message.message_id for message in seen}) == len(seen) == 400
    kept = [message for message in seen if message.message_id not in given_back]
    assert [message.priority for message in kept] == sorted((one.priority for one in kept), reverse=True)
    for _, one_lane in groupby(sorted(kept, key=lambda one: one.body), key=lambda one: one.body):
        ids = [message.message_id for message in one_lane]
        assert ids == sorted(ids)
