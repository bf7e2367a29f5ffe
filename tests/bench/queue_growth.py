"""What the queue's tables and indexes grow to while many messages pass through and few wait."""

import time
from statistics import fmean

import psycopg
from sqlalchemy import URL

from skeldir.broker import store
from skeldir.db.engine import bootstrap_url, get_url
from tests.bench.rows import Row

BATCH = 500
"""So many wait and so many are being worked on, a thousand in all."""
TOTAL = 1_000_000
PER_SECOND = 5_000
"""What two workers work off (see the other rows): tables grow to what passes between two vacuums."""
GROWTH_MAX = 1.2
PUBLISH = """
    SELECT skeldir_broker.publish('', 'direct', 'growth', 0::smallint, n %% 7, NULL, NULL, repeat('x', 900))
      FROM generate_series(1, %s) AS n
"""
SIZE = """
    SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
     WHERE relkind = 'r' AND relnamespace = 'skeldir_broker'::regnamespace
"""


def growth() -> Row:
    """Pass a million messages through; returns how mean sizes of the second tenth and the last compare."""
    sizes = []
    with _connection(get_url("app_worker")) as worker, _connection(bootstrap_url()) as superuser:
        worker.execute("SET synchronous_commit = off")
        store.declare_queue(worker, "growth", None)
        lease, settled = store.take_lease(worker), []
        started = time.monotonic()
        for passed in range(0, TOTAL, BATCH):
            time.sleep(max(0.0, started + passed / PER_SECOND - time.monotonic()))
            worker.execute(PUBLISH, [BATCH])
            claimed = store.claim(worker, lease, ["growth"], BATCH, settled, 0)
            assert len(claimed) == BATCH
            settled = [message.message_id for message in claimed]
            row = superuser.execute(SIZE).fetchone()
            sizes.append(int(row[0]) if row else 0)
        store.claim(worker, lease, [], 0, settled, 0)
    tenth = len(sizes) // 10
    early, late = fmean(sizes[tenth : 2 * tenth]), fmean(sizes[-tenth:])
    title = f"{PER_SECOND:,} messages a second: mean size from {TOTAL // 10:,} on ({early / 2**20:.0f} MB)"
    title += f" and until {TOTAL:,} ({late / 2**20:.0f} MB), the larger in the smaller"
    return Row(title, max(early, late) / min(early, late), None, "x", GROWTH_MAX)


def _connection(url: URL) -> psycopg.Connection:
    text = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(text, autocommit=True)
