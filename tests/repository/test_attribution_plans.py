"""How what looks rows up by keys is planned, which decides whether it ends in milliseconds or not at all."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from skeldir.db.session import driver_of, tenant_session
from skeldir.domain.channel_rules import Rule
from skeldir.repository import (
    allocations,
    attribution,
    attribution_audits,
    attribution_digests,
    attribution_orders,
    channel_rules,
    dirty_marks,
    performance,
    performance_counts,
    performance_days,
    performance_sql,
    reclassification,
    recompute_inputs,
    recompute_skips,
)
from skeldir.repository.attribution_planning import looked_up
from skeldir.repository.attribution_split import NUMBERS
from skeldir.repository.attribution_sql import COMPUTE
from skeldir.repository.attribution_write import REPLACE, STORE
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import SETTINGS

ROWS_READ = text("""
    SELECT sum(pg_stat_get_xact_tuples_returned(relation))
      FROM (SELECT indexrelid AS relation, indrelid FROM pg_index
            UNION SELECT indrelid, indrelid FROM pg_index) AS read
     WHERE indrelid = ANY(CAST(CAST(:tables AS text[]) AS regclass[]))
""")
SUMMED = ["allocations", "ledger_entries"]
CLASSIFIED = ["orders", "touchpoints"]
LARGE = {"orders", "touchpoints", "ledger_entries", "allocations", "order_digests"}
STATEMENTS = {
    **{f"{model} in {number}": COMPUTE[number][model] for number in NUMBERS for model in COMPUTE[number]},
    "replace": REPLACE,
    "store": STORE,
    "digests": attribution_digests.SETTLE,
    "orders of journeys": attribution_orders.OF_JOURNEYS,
    "journeys of orders": attribution_orders.WITH_JOURNEYS,
    "orders of a window": attribution_orders.OF_WINDOW,
    "orders that changed": attribution_orders.CHANGED_SINCE,
    "inputs of a window": recompute_inputs.OF_WINDOW,
    "inputs to be remembered": recompute_inputs.REMEMBER,
    "kept cells": performance_days._CELLS,
    "cells of days": performance_counts._CELLS,
    "orders of days": performance_counts._ORDERS,
    "siblings": performance_sql.SIBLINGS,
    "repeat orders": performance_days._RANK,
    "audited sums": attribution_audits._SUMS,
    "audited digests": attribution_audits._DIGESTS,
}
LOOKED_UP = {
    "counted cells": performance._COUNTED["cash"],
    "cells of stale days": performance._RECOUNTED["cash"],
    "orders of stale days": performance_counts._ORDERS,
    "orders of a report": performance_sql.ORDERS,
    "journeys of a report": performance_sql.JOURNEYS,
    "orders of its journeys": performance_sql.SIBLINGS,
    "touches of journeys": reclassification._TOUCHES_OF_JOURNEYS,
    "origins of journeys": reclassification._ORIGINS_OF_JOURNEYS,
    "a job to be skipped": recompute_skips.SKIP,
    "whether a window is marked": dirty_marks._TOUCH_WINDOW,
}
ONCE = ("orders of a window", "ledger_entries")
"""Planned anew by each job, and read once, by whichever index."""


@pytest.mark.parametrize("is_analyzed", [False, True])
@pytest.mark.parametrize("journeys", [0, 1, 40])
def test_a_plan_made_over_a_few_rows_still_reads_large_tables_by_their_keys(
    database: Database, tenant: UUID, journeys: int, *, is_analyzed: bool
) -> None:
    """A worker keeps its plans: what is cheapest of a few rows must not be what reads all of many."""
    with database.connect() as connection:
        worlds.store(connection, tenant, worlds.make(seed=5, journeys=journeys))
        if is_analyzed:
            connection.execute(f"ANALYZE {', '.join(sorted(LARGE))}")
    with tenant_session(tenant, read_only=True, engine=database.engine("app_worker")) as session:
        with looked_up(session):
            _look_at(session, LOOKED_UP)
        attribution.begin(session)
        _look_at(session, STATEMENTS)


def _prepared(database: Database, *prepare: Callable[[Session], None]) -> dict[str, str]:
    with tenant_session(UUID(int=0), read_only=True, engine=database.engine("app_worker")) as session:
        for one in prepare:
            one(session)
        found = session.execute(text("SELECT name, setting FROM pg_settings"))
        return {row.name: row.setting for row in found}


def test_what_a_transaction_was_prepared_for_before_does_not_count(database: Database) -> None:
    """A scan after look-ups is planned as any other scan, with its time, and look-ups as any others."""
    begin, scan = attribution.begin, attribution.begin_scan

    def look_up(session: Session) -> None:
        with looked_up(session):
            pass

    assert _prepared(database, begin, scan) == _prepared(database, scan)
    assert _prepared(database, scan, begin) == _prepared(database, begin)
    assert _prepared(database, look_up) == _prepared(database)
    assert _prepared(database, begin) != _prepared(database, scan) != _prepared(database)


def _look_at(session: Session, statements: Mapping[str, TextClause]) -> None:
    for name, statement in statements.items():
        query = f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {_numbered(str(statement))}"
        row = driver_of(session).execute(query, prepare=False).fetchone()
        assert row is not None
        for node in _nodes(row[0][0]["Plan"]):
            table = node.get("Relation Name")
            if table not in LARGE or node["Node Type"] in {"Tid Scan", "ModifyTable"}:
                continue
            if (name, table) != ONCE:
                told = json.dumps({key: node[key] for key in node if key != "Plans"}, indent=1)
                assert " AND " in node.get("Index Cond", ""), f"{name} reads more than it asks for: {told}"


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


def test_sums_are_checked_by_reading_what_was_touched_not_what_the_tenant_has(
    database: Database, make_tenant: Callable[[], UUID]
) -> None:
    """However small a tenant was for which the connection made its plans."""
    small, large = worlds.make(seed=6, journeys=40), worlds.make(seed=7, journeys=1_500)
    one, other = make_tenant(), make_tenant()
    changed = large.journeys[:20]
    with database.connect() as connection:
        worlds.store(connection, one, small)
        _attribute(database, one, small.journeys)
        worlds.store(connection, other, large)
        _attribute(database, other, large.journeys)
        connection.execute(
            "UPDATE touchpoints SET channel_code = 'email' WHERE tenant_id = %s AND journey_id = ANY(%s)",
            (other, changed),
        )
    assert _attribute(database, other, changed) < 10_000


def _attribute(database: Database, tenant: UUID, journeys: list[str]) -> int:
    """Attribute journeys; return how many rows were read of the tables that sums are checked by."""
    engine = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        before = session.execute(ROWS_READ, {"tables": SUMMED}).scalar_one()
        attribution.begin(session)
        attribution.attribute_journeys(session, journeys, SETTINGS)
        return int(session.execute(ROWS_READ, {"tables": SUMMED}).scalar_one() - before)


def test_a_page_of_allocations_reads_its_own_rows_and_looks_only_its_own_entries_up(
    database: Database, tenant: UUID
) -> None:
    """Also a later page, and while the tenant has so few that reading all of them looks as good."""
    world, linear = worlds.make(seed=9, journeys=3_000), SETTINGS.parameters("linear")
    orders = [sale.order_id for sale in world.sales][: attribution_orders.SCOPE_MAX]
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    worker = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=worker) as session:
        attribution.begin(session)
        attribution.attribute_orders(session, orders, [linear])
    with database.connect() as connection:
        connection.execute("ANALYZE ledger_entries, allocations")
    with tenant_session(tenant, read_only=True) as session:
        places = [row.place for row in allocations.page(session, linear.version, limit=2_000)]
        for after in (None, places[100], places[-1]):
            before = _read(session, "ledger_entries"), _read(session, "allocations")
            assert len(allocations.page(session, linear.version, limit=50, after=after)) == 50
            assert _read(session, "ledger_entries") - before[0] <= 50
            assert _read(session, "allocations") - before[1] <= 200


def _read(session: Session, table: str) -> int:
    return int(session.execute(ROWS_READ, {"tables": [table]}).scalar_one())


def test_marked_journeys_are_classified_by_reading_their_own_touches(
    database: Database, tenant: UUID
) -> None:
    """However many others there are, and whatever the planner believes of the tenant."""
    world = worlds.make(seed=8, journeys=3_000)
    with database.connect() as connection:
        connection.execute("ANALYZE touchpoints, orders")
        worlds.store(connection, tenant, world)
        worlds.mark(connection, tenant, marked := world.journeys[:20])
        connection.execute(
            "UPDATE touchpoints SET source = 'partner' WHERE tenant_id = %s AND journey_id = ANY(%s)",
            (tenant, marked),
        )
    with tenant_session(tenant) as session:
        assert channel_rules.put(session, 0, [Rule("linkedin_paid", source="partner")], None, "because")
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        before = session.execute(ROWS_READ, {"tables": CLASSIFIED}).scalar_one()
        reclassification.classify_marked(session, None)
        assert session.execute(ROWS_READ, {"tables": CLASSIFIED}).scalar_one() - before < 1_000
        changed = session.execute(
            text("SELECT count(*) FROM touchpoints WHERE channel_code = 'linkedin_paid'")
        )
        assert changed.scalar_one() > 0
