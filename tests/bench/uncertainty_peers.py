"""Three other ways to the same intervals: numpy with its own chance, all in SQL, and a loop over the draws.

None of them stores anything, and none but the one in SQL gives the same figures on every machine. They read
as the superuser, past row-level security: that flatters them.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

import numpy as np
import psycopg

from skeldir.domain.bootstrap import DRAWS, QUANTILES

VERSION: Final = "linear.1+30d"
LOOP: Final = "Python, a loop over the draws"
JOURNEYS_AT_ONCE: Final = 4_096

_CREDITED: Final = """
    SELECT sale.journey_id, part.channel_code, CAST(sum(part.allocated_cents) AS bigint) AS cents
      FROM allocations AS part
      JOIN orders AS sale USING (tenant_id, order_id)
     WHERE part.tenant_id = %(tenant)s AND part.model_version = %(version)s
     GROUP BY sale.journey_id, part.channel_code
"""
# 32 bytes to a hash; a weight is the table's byte at the place that a byte of the hash names.
_HASHES: Final = " || ".join(
    f"sha256(convert_to('{part}' || journey_id, 'UTF8'))" for part in range(-(-DRAWS // 32))
)
_SUMS: Final = ", ".join(
    f"sum(get_byte('\\x{QUANTILES.hex()}', get_byte(hashes, {draw})) * cents)" for draw in range(DRAWS)
)
_IN_SQL: Final = f"""
    SELECT channel_code, {_SUMS}
      FROM (SELECT channel_code, cents, {_HASHES} AS hashes FROM ({_CREDITED}) AS credited OFFSET 0) AS hashed
     GROUP BY channel_code
"""  # constants of this file
_WITHOUT_LOOPS: Final = "SET enable_nestloop = off; SET jit = off; SET work_mem = '64MB'"


def with_numpy(connection: psycopg.Connection, tenant: UUID) -> int:
    """Draw exponential weights some thousand journeys at a time and multiply matrices of doubles."""
    rows = _read(connection, tenant)
    channels = {channel: place for place, channel in enumerate(sorted({channel for _, channel, _ in rows}))}
    journeys = {
        journey: place for place, journey in enumerate(dict.fromkeys(journey for journey, _, _ in rows))
    }
    where = np.fromiter((journeys[journey] for journey, _, _ in rows), np.int64, len(rows))
    which = np.fromiter((channels[channel] for _, channel, _ in rows), np.int64, len(rows))
    cents = np.fromiter((cents for _, _, cents in rows), np.float64, len(rows))
    chance = np.random.default_rng(42)
    sums, weighed = np.zeros((DRAWS, len(channels))), np.zeros((DRAWS, 1))
    order = np.argsort(where, kind="stable")
    where, which, cents = where[order], which[order], cents[order]
    for first in range(0, len(journeys), JOURNEYS_AT_ONCE):
        size = min(JOURNEYS_AT_ONCE, len(journeys) - first)
        part = slice(*np.searchsorted(where, [first, first + size]))
        credited = np.zeros((size, len(channels)))
        np.add.at(credited, (where[part] - first, which[part]), cents[part])
        weights = chance.exponential(size=(DRAWS, size))
        sums += weights @ credited
        weighed += weights.sum(axis=1, keepdims=True)
    return int(np.quantile(sums / weighed * len(journeys), [0.025, 0.975], axis=0).shape[1])


def in_sql(connection: psycopg.Connection, tenant: UUID) -> int:
    """Have Postgres hash every journey, look up the weights and keep one sum per draw."""
    connection.execute(_WITHOUT_LOOPS)
    rows = connection.execute(_IN_SQL, {"tenant": tenant, "version": VERSION}).fetchall()
    connection.execute("RESET ALL")
    return sum(len(sorted(row[1:])) == DRAWS for row in rows)


def in_a_loop(connection: psycopg.Connection, tenant: UUID) -> int:
    """Go through all rows once per draw."""
    rows = _read(connection, tenant)
    journeys = list(dict.fromkeys(journey for journey, _, _ in rows))
    chance = random.Random(42)
    drawn: dict[str, list[float]] = defaultdict(list)
    for _ in range(DRAWS):
        weights = {journey: chance.expovariate(1) for journey in journeys}
        sums: dict[str, float] = defaultdict(float)
        for journey, channel, cents in rows:
            sums[channel] += weights[journey] * cents
        scale = len(journeys) / sum(weights.values())
        for channel, total in sums.items():
            drawn[channel].append(total * scale)
    return sum(len(sorted(figures)) == DRAWS for figures in drawn.values())


def _read(connection: psycopg.Connection, tenant: UUID) -> list[tuple[str, str, int]]:
    connection.execute(_WITHOUT_LOOPS)
    rows = connection.execute(_CREDITED, {"tenant": tenant, "version": VERSION}).fetchall()
    connection.execute("RESET ALL")
    return rows


PEERS: Final[Mapping[str, Callable[[psycopg.Connection, UUID], int]]] = {
    "numpy": with_numpy,
    "all in SQL": in_sql,
    LOOP: in_a_loop,
}
