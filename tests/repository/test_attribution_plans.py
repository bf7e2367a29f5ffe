"""How a job's statements are planned, which decides whether they end in milliseconds or not at all."""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from skeldir.db.session import driver_of, tenant_session
from skeldir.repository import attribution, attribution_digests, attribution_orders
from skeldir.repository.attribution_split import NUMBERS
from skeldir.repository.attribution_sql import COMPUTE
from skeldir.repository.attribution_write import REPLACE
from tests.conftest import Database
from tests.repository import attribution_world as worlds

LARGE = {"orders", "touchpoints", "ledger_entries", "allocations", "order_digests"}
STATEMENTS = {
    **{f"{model} in {number}": COMPUTE[number][model] for number in NUMBERS for model in COMPUTE[number]},
    "replace": REPLACE,
    "digests": attribution_digests.SETTLE,
    "orders of journeys": attribution_orders.OF_JOURNEYS,
    "journeys of orders": attribution_orders.WITH_JOURNEYS,
    "orders of a window": attribution_orders.OF_WINDOW,
}
ONCE = ("orders of a window", "ledger_entries")
"""Planned anew by each job, and read once, by whichever index."""


@pytest.mark.parametrize("journeys", [0, 40])
def test_a_plan_made_over_a_few_rows_still_reads_large_tables_by_their_keys(
    database: Database, tenant: UUID, journeys: int
) -> None:
    """A worker keeps its plans: what is cheapest of a few rows must not be what reads all of many."""
    with database.connect() as connection:
        worlds.store(connection, tenant, worlds.make(seed=5, journeys=journeys))
    with tenant_session(tenant, read_only=True, engine=database.engine("app_worker")) as session:
        attribution.begin(session)
        for name, statement in STATEMENTS.items():
            query = f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {_numbered(str(statement))}"
            row = driver_of(session).execute(query).fetchone()
            assert row is not None
            for node in _nodes(row[0][0]["Plan"]):
                table = node.get("Relation Name")
                if table not in LARGE or node["Node Type"] in {"Tid Scan", "ModifyTable"}:
                    continue
                if (name, table) != ONCE:
                    told = json.dumps({key: node[key] for key in node if key != "Plans"}, indent=1)
                    assert " AND " in node.get("Index Cond", ""), (
                        f"{name} reads more than it asks for: {told}"
                    )


def _numbered(statement: str) -> str:
    """Return a statement with PostgreSQL's own parameters."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return re.sub(r"(?<!:):(\w+)", number, statement)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)
