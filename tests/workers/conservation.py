"""A crowd of orders with refunds and disputes, and whether what is attributed of it adds up."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import psycopg
from sqlalchemy import Engine, text

from skeldir.db.session import tenant_session
from skeldir.domain.attribution_settings import AttributionSettings
from skeldir.domain.models import Model
from skeldir.domain.windows import BEGINNING, END, Window
from skeldir.repository import channel_reports

EVERYTHING: Final = Window(BEGINNING, END)

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
              currency, ordered_at + k * interval '1 day', ordered_at, 'shopify'
         FROM (SELECT orders.*, k,
                      (ARRAY['captured', 'refunded', 'disputed', 'dispute_reversed'])[1 + k] AS kind,
                      1 + pg_temp.chance(hashtext(order_id), 20 + k) / (1 + k) AS cents,
                      CASE WHEN pg_temp.chance(hashtext(order_id), 40) % 10 = 0 THEN 'USD' ELSE 'EUR' END
                          AS currency
                 FROM orders, generate_series(0, 3) AS k
                WHERE tenant_id = %(tenant)s) AS made
        WHERE k = 0 OR pg_temp.chance(hashtext(order_id), 30 + k) % 100 < 70""",
    """INSERT INTO dirty_marks (tenant_id, mark_id, journey_id, earliest, marked_at)
       SELECT tenant_id, gen_random_uuid(), journey_id, ordered_at, now() - interval '1 minute'
         FROM orders WHERE tenant_id = %(tenant)s""",
)
_RAW = text("""
    SELECT model_version, currency, sum(cents) AS cents, sum(effect_cents) AS effect_cents
      FROM (SELECT tenant_id, model_version, entry_id, sum(allocated_cents) AS cents
              FROM allocations GROUP BY 1, 2, 3) AS part
      JOIN ledger_entries USING (tenant_id, entry_id)
     GROUP BY model_version, currency
""")
_NET = text("SELECT currency, sum(effect_cents) AS cents, count(*) AS entries FROM ledger_entries GROUP BY 1")


def store(connection: psycopg.Connection, tenant: UUID, orders: int) -> None:
    """Give a tenant so many orders, three times as many entries, and a mark for each journey."""
    with connection.transaction():
        for statement in _WORLD:
            if "%(" in statement:
                connection.execute(statement.replace("% ", "%% "), {"tenant": tenant, "orders": orders})
            else:
                connection.execute(statement)


def adds_up(
    engine: Engine, tenant: UUID, settings: AttributionSettings, reported: Sequence[Model]
) -> tuple[int, int, int]:
    """Check one snapshot, each currency by itself: the rows of every model, and the reports of some.

    Returns how many entries there are, what is pending under the last of these models in all currencies, and
    how many models have rows.
    """
    with tenant_session(tenant, read_only=True, engine=engine) as session:
        session.execute(text("SET LOCAL enable_nestloop = off"))
        told = session.execute(_NET).all()
        net = {row.currency: row.cents for row in told}
        raw: list[Any] = list(session.execute(_RAW))
        assert [row for row in raw if row.cents != row.effect_cents] == []
        allocated = {(row.model_version, row.currency): row.cents for row in raw}
        pending = 0
        for model in reported:
            version = settings.version(model)
            reports = channel_reports.report(session, version, EVERYTHING)
            assert {one.currency: one.allocated_cents + one.pending_cents for one in reports} == net, model
            for one in reports:
                assert one.allocated_cents == allocated.get((version, one.currency), 0), model
            pending = sum(one.pending_cents for one in reports)
        return sum(row.entries for row in told), pending, len({row.model_version for row in raw})
