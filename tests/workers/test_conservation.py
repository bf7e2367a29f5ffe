"""No cent is made or lost: over a hundred thousand entries, in every snapshot, while workers are at it."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.domain.models import MODELS, Model
from skeldir.domain.windows import BEGINNING, END, Window
from skeldir.repository import channel_reports
from tests.conftest import Database
from tests.repository.attribution_world import SETTINGS
from workers import attribution as work
from workers.attribution import attribute_marked

EVERYTHING = Window(BEGINNING, END)
ORDERS = 34_000
JOURNEYS_AT_ONCE = 6_000

# Amounts are hashes, so random and the same in every run; more may go back than came in.
_CHANCE = (
    "CREATE OR REPLACE FUNCTION pg_temp.chance(a bigint, b bigint) RETURNS bigint LANGUAGE sql IMMUTABLE"
)
_WORLD = (
    _CHANCE + " RETURN abs(hashint8extended(a, b) % 1000000)",
    """INSERT INTO orders (tenant_id, order_id, journey_id, ordered_at)
       SELECT %(tenant)s, 'o-' || n, 'j-' || n,
              timestamptz '2026-08-01 00:00Z' + n % 60 * interval '1 day'
         FROM generate_series(1, %(orders)s) AS n""",
    """INSERT INTO touchpoints (tenant_id, touchpoint_id, journey_id, occurred_at, channel_code)
       SELECT tenant_id, gen_random_uuid(), journey_id, ordered_at - k * interval '1 hour',
              (ARRAY['email', 'organic', 'direct', 'google_search_paid'])[
                  1 + pg_temp.chance(hashtext(order_id), k) % 4]
         FROM orders, generate_series(1, 3) AS k
        WHERE tenant_id = %(tenant)s AND pg_temp.chance(hashtext(order_id), 10 + k) % 2 = 0""",
    """INSERT INTO ledger_entries (tenant_id, entry_id, order_id, kind, reference, amount_cents, effect_cents,
                                   currency, effective_at, booked_at, source)
       SELECT tenant_id, gen_random_uuid(), order_id, kind, kind, cents,
              CASE kind WHEN 'captured' THEN cents WHEN 'dispute_reversed' THEN cents ELSE -cents END,
              'EUR', ordered_at + k * interval '1 day', ordered_at, 'shopify'
         FROM (SELECT orders.*, k,
                      (ARRAY['captured', 'refunded', 'disputed', 'dispute_reversed'])[1 + k] AS kind,
                      1 + pg_temp.chance(hashtext(order_id), 20 + k) / (1 + k) AS cents
                 FROM orders, generate_series(0, 3) AS k
                WHERE tenant_id = %(tenant)s) AS made
        WHERE k = 0 OR pg_temp.chance(hashtext(order_id), 30 + k) % 100 < 70""",
    """INSERT INTO dirty_marks (tenant_id, mark_id, journey_id, earliest, marked_at)
       SELECT tenant_id, gen_random_uuid(), journey_id, ordered_at, now() - interval '1 minute'
         FROM orders WHERE tenant_id = %(tenant)s""",
)
_RAW = text("""
    SELECT model_version, sum(cents) AS cents, sum(effect_cents) AS effect_cents
      FROM (SELECT tenant_id, model_version, entry_id, sum(allocated_cents) AS cents
              FROM allocations GROUP BY 1, 2, 3) AS part
      JOIN ledger_entries USING (tenant_id, entry_id)
     GROUP BY model_version
""")
_NET = text("SELECT sum(effect_cents), count(*) FROM ledger_entries")


@pytest.fixture
def crowd(database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch) -> Iterator[UUID]:
    """Yield a tenant with all of it told and nothing attributed; workers take it in several turns."""
    monkeypatch.setattr(work, "JOURNEYS_MAX", JOURNEYS_AT_ONCE)
    monkeypatch.setattr(work, "send", lambda *_, **__: None)
    with database.connect() as connection:
        _store(connection, tenant)
        yield tenant
        for table in ("allocations", "order_digests", "day_digests", "channel_days"):
            connection.execute(f"DELETE FROM {table} WHERE tenant_id = %s", (tenant,))


def _store(connection: psycopg.Connection, tenant: UUID) -> None:
    with connection.transaction():
        for statement in _WORLD:
            if "%(" in statement:
                connection.execute(statement.replace("% ", "%% "), {"tenant": tenant, "orders": ORDERS})
            else:
                connection.execute(statement)


def test_every_snapshot_adds_up_under_every_model_while_workers_run(database: Database, crowd: UUID) -> None:
    """Allocated and pending make the ledger's net; drained of marks nothing is pending."""
    done, failures, seen = threading.Event(), [], []

    def read() -> None:
        try:
            while not done.is_set():
                seen.append(_adds_up(database, crowd, ("linear",)))
                done.wait(3)
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    turns = 0
    while _is_marked(database, crowd):
        kwargs, task_id = {"tenant_id": str(crowd)}, str(uuid4())
        assert attribute_marked.apply(kwargs=kwargs, task_id=task_id).get()["outcome"] == "attributed"
        turns += 1
    done.set()
    reader.join()
    assert not failures, failures
    assert turns > ORDERS // JOURNEYS_AT_ONCE
    pending, covered = _adds_up(database, crowd, MODELS)
    assert (pending, covered) == (0, len(MODELS))
    assert any(waiting for waiting, _ in seen), "the reader saw some of it pending"


def _is_marked(database: Database, tenant: UUID) -> bool:
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        return bool(session.execute(text("SELECT EXISTS (SELECT FROM dirty_marks)")).scalar_one())


def _adds_up(database: Database, tenant: UUID, reported: Sequence[Model]) -> tuple[int, int]:
    """Check one snapshot: the rows of every model, and the reports of some.

    Returns what is pending under linear, and how many models have rows.
    """
    engine = database.engine("app_worker")
    with tenant_session(tenant, read_only=True, engine=engine) as session:
        session.execute(text("SET LOCAL enable_nestloop = off"))
        net, entries = session.execute(_NET).one()
        assert entries >= 100_000
        raw: list[Any] = list(session.execute(_RAW))
        assert [row.model_version for row in raw if row.cents != row.effect_cents] == []
        allocated = {row.model_version: row.cents for row in raw}
        for model in reported:
            version = SETTINGS.version(model)
            (report,) = channel_reports.report(session, version, EVERYTHING)
            assert report.allocated_cents == allocated.get(version, 0)
            assert report.allocated_cents + report.pending_cents == net, model
            if model == "linear":
                pending = report.pending_cents
        return pending, len(raw)
