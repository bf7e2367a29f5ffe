"""Conservation at a million entries: what a reader sees add up, in every snapshot, while a worker attributes.

There is no peer: the mark is that nothing is ever made or lost.
"""

import threading
import time

from skeldir.db.engine import get_engine
from skeldir.domain.models import MODELS
from tests.bench.attribution_stage import SETTINGS, stage
from tests.bench.rows import Row
from tests.workers import conservation

ORDERS, ORDERS_QUICK = 340_000, 34_000
ENTRIES_PER_ORDER_MIN = 2.95


def run(*, quick: bool) -> list[Row]:
    """Attribute 1,000,000 entries under all models, read by another session all the while; quick: 100,000."""
    orders = ORDERS_QUICK if quick else ORDERS
    snapshots: list[int] = []
    wrong: list[BaseException] = []
    done = threading.Event()
    with stage() as on:
        tenant, _ = on.tenant(0)
        conservation.store(on.superuser, tenant, orders)
        engine = get_engine("app_worker")

        def read() -> None:
            while not done.is_set():
                try:
                    snapshots.append(conservation.adds_up(engine, tenant, SETTINGS, MODELS)[1])
                except AssertionError as error:
                    wrong.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        started = time.perf_counter()
        on.attribute_marked(tenant)
        seconds = time.perf_counter() - started
        done.set()
        reader.join()
        entries, pending, models = conservation.adds_up(engine, tenant, SETTINGS, MODELS)
    assert entries > orders * ENTRIES_PER_ORDER_MIN
    assert models == len(MODELS)
    told = f"{entries:,} entries, {len(MODELS)} models"
    return [
        Row(f"{told}: snapshots of a concurrent reader", len(snapshots), None, ""),
        Row(f"{told}: of these with something pending", sum(map(bool, snapshots)), None, ""),
        Row(f"{told}: snapshots that did not add up", len(wrong), None, "", 0),
        Row(f"{told}: pending cents when the marks are drained", pending, None, "", 0),
        Row(f"{told}: attributed while they were read", seconds),
    ]
