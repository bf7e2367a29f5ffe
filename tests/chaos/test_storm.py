"""What was accepted is never lost, and nothing is counted twice, whatever is killed meanwhile."""

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from skeldir.db.embedded import ephemeral_folder
from skeldir.domain.models import MODELS
from tests.chaos.clients import Delivery, Storm, truth
from tests.chaos.stage import Stage, open_shops, stage
from tests.handlers.senders import SENDERS
from tests.handlers.webhooks import Shop
from tests.lives.book import Sums

# The long run of `tox run -e conformance` looks further than every change can afford to.
IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
DELIVERIES = 20_000 if IS_LONG else 5_000
DISASTERS = 32 if IS_LONG else 8
SEED = os.environ.get("SKELDIR_TEST_SEED", "1")
SHOPS, CLIENTS, API_PROCESSES = 3, 8, 2
DUPLICATES = 0.15
STORM_SECONDS_MAX = 1_800.0 if IS_LONG else 300.0

SUMS = """
    SELECT tenant_id, order_id, kind, currency, CAST(effective_at AT TIME ZONE 'UTC' AS date),
           sum(amount_cents)::bigint
      FROM ledger_entries
     GROUP BY 1, 2, 3, 4, 5
    HAVING sum(amount_cents) <> 0
"""
# Entries that one model or another has not given to channels to the cent.
PENDING = """
    WITH model AS (SELECT DISTINCT model_version FROM allocations),
    given AS (
        SELECT tenant_id, entry_id, model_version, sum(allocated_cents) AS cents
          FROM allocations GROUP BY 1, 2, 3
    )
    SELECT (SELECT count(*) FROM model), count(*) FILTER (WHERE effect_cents <> coalesce(cents, 0))
      FROM ledger_entries CROSS JOIN model LEFT JOIN given USING (tenant_id, entry_id, model_version)
"""


@pytest.fixture
def set_up() -> Iterator[Stage]:
    with ephemeral_folder() as folder, stage(folder, API_PROCESSES) as set_up:
        yield set_up


def test_a_storm_of_deliveries_ends_in_an_exact_ledger_though_api_and_database_are_killed(
    set_up: Stage,
) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert set_up.rows(f"SHOW {setting}") == [("on",)]
    random = Random(SEED)
    shops = open_shops(set_up, SHOPS)
    distinct = deliveries(shops)
    sent = distinct + random.choices(distinct, k=int(DUPLICATES * len(distinct)))
    random.shuffle(sent)
    storm = Storm(set_up.port, len(sent))

    storm.begin(sent, CLIENTS)
    endure(storm, disasters(set_up, random), random)
    storm.wait_for(len(sent), STORM_SECONDS_MAX)

    assert set(storm.statuses) - {200, 503} == {s for s in storm.statuses if isinstance(s, str)}
    assert len(storm.receipts) == len(distinct)
    assert stored_receipts(set_up) == storm.receipts
    assert booked(set_up) == {
        shop.tenant_id: truth([one for one in distinct if one.shop is shop]) for shop in shops
    }
    work_off(set_up)


def deliveries(shops: list[Shop]) -> list[Delivery]:
    """Return the lives of as many orders as it takes, each told to one shop or another."""
    found: list[Delivery] = []
    number = 0
    while len(found) * (1 + DUPLICATES) < DELIVERIES:
        for sender in SENDERS:
            for topic, payload in sender.life(number):
                body = json.dumps(payload).encode()
                found.append(Delivery(shops[number % len(shops)], sender, topic, body))
        number += 1
    return found


def disasters(set_up: Stage, random: Random) -> list[Callable[[], None]]:
    """Return what goes wrong, in a random order."""
    running = [process for process in set_up.processes if process.poll() is None]

    def kill_one() -> None:
        place = random.randrange(len(running))
        running[place] = set_up.kill_api(running[place])

    def kill_all() -> None:
        running[:] = [set_up.kill_api(process) for process in running]

    def kill_database_and_one() -> None:
        kill_one()
        set_up.kill_database()

    kinds = [kill_one, set_up.stop_database_at_once, kill_all, set_up.kill_database, kill_database_and_one]
    chosen = [kinds[number % len(kinds)] for number in range(DISASTERS)]
    random.shuffle(chosen)
    return chosen


def endure(storm: Storm, planned: list[Callable[[], None]], random: Random) -> None:
    """Bring about one disaster after the other, at random points of the storm."""
    moments = sorted(random.sample(range(storm.total // 20, storm.total * 19 // 20), len(planned)))
    for moment, bring_about in zip(moments, planned, strict=True):
        storm.wait_for(moment, STORM_SECONDS_MAX)
        bring_about()


def stored_receipts(set_up: Stage) -> dict[tuple[UUID, str], object]:
    """Return every delivery's receipt as it is kept."""
    found = set_up.rows("SELECT tenant_id, delivery_id::text, receipt FROM deliveries")
    return {(tenant_id, delivery_id): receipt for tenant_id, delivery_id, receipt in found}


def booked(set_up: Stage) -> dict[UUID, Sums]:
    """Return what each tenant's ledger adds up to."""
    found: dict[UUID, Sums] = defaultdict(dict)
    for tenant_id, *place, cents in set_up.rows(SUMS):
        order_id, kind, currency, day = place
        found[tenant_id][order_id, kind, currency, day] = cents
    return found


def work_off(set_up: Stage) -> None:
    """Let a worker attribute everything: the marks are as durable as the entries."""
    set_up.start("worker", "--supervised", "--beat")
    deadline = time.monotonic() + STORM_SECONDS_MAX
    while set_up.rows("SELECT count(*) FROM dirty_marks") != [(0,)]:
        assert time.monotonic() < deadline, worker_log(set_up.folder)
        time.sleep(0.2)
    assert set_up.rows(PENDING) == [(len(MODELS), 0)]


def worker_log(folder: Path) -> str:
    return (folder / "worker.log").read_text(errors="replace")[-4_000:]
