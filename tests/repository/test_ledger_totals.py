"""Totals of the ledger: the same with closings as without, in every snapshot, whoever commits late."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.repository import ledger_totals
from skeldir.repository.ledger_totals import Totals
from tests.conftest import Database
from tests.repository.test_summaries import run
from workers.audits import audit_attribution
from workers.ledger import close_ledger

BOOK = """
    INSERT INTO ledger_entries (tenant_id, entry_id, order_id, kind, reference, correction, amount_cents,
                                effect_cents, currency, effective_at, booked_at, source)
    VALUES (%s, gen_random_uuid(), %s, %s, %s, %s, %s, %s, %s, now(), coalesce(%s, now()), 'shopify')
"""

NO_CLOSING = text("UPDATE ledger_closings SET closed_before = '-infinity', kinds = '[]', orders = '{}'")


@pytest.fixture(autouse=True)
def no_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Propose this very moment: the tests' clock is the server's."""
    monkeypatch.setattr(ledger_totals, "MARGIN_SECONDS", 0)


def book(
    connection: psycopg.Connection, tenant: UUID, *entry: Any, booked_at: datetime | None = None
) -> None:
    """Book an entry of an order, an effect, a kind and a currency; a capture taken back is a correction."""
    order_id, effect_cents, kind, currency = entry
    amount_cents = abs(effect_cents) if kind == "refunded" else effect_cents
    effect_cents = 0 if kind == "authorised" else effect_cents
    correction = int(amount_cents < 0)
    columns = [order_id, kind, str(uuid4()), correction, amount_cents, effect_cents, currency, booked_at]
    connection.execute(BOOK, [tenant, *columns])


def read(database: Database, tenant: UUID) -> Totals:
    """Read the totals, having compared them with what all entries add up to in the same snapshot."""
    engine = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        found = ledger_totals.totals(session)
        with session.begin_nested() as apart:
            session.execute(NO_CLOSING)
            assert found == ledger_totals.totals(session)
            apart.rollback()
    return found


def closed_before(database: Database, tenant: UUID) -> datetime | None:
    with database.connect() as connection:
        row = connection.execute(
            "SELECT nullif(closed_before, '-infinity') FROM ledger_closings WHERE tenant_id = %s", [tenant]
        ).fetchone()
    return row and row[0]


def test_totals_are_those_of_all_entries_whatever_is_closed(database: Database, tenant: UUID) -> None:
    """Kinds, currencies, orders that come, grow, and turn out to be none: after each step, closed or not."""
    steps: list[list[tuple[str, int, str, str]]] = [
        [
            ("o-1", 1_000, "captured", "EUR"),
            ("o-1", 1_000, "authorised", "EUR"),
            ("p", 500, "captured", "EUR"),
        ],
        [("o-1", -3, "refunded", "EUR"), ("o-2", 70, "captured", "JPY"), ("o-2", 5, "captured", "EUR")],
        [("p", -500, "captured", "EUR"), ("o-3", 500, "captured", "EUR")],
        [("o-3", -500, "captured", "EUR"), ("o-2", -5, "refunded", "EUR")],
    ]
    orders = [{"EUR": 2}, {"EUR": 3, "JPY": 1}, {"EUR": 3, "JPY": 1}, {"EUR": 2, "JPY": 1}]
    for number, (told, wanted) in enumerate(zip(steps, orders, strict=True)):
        with database.connect() as connection:
            for entry in told:
                book(connection, tenant, *entry)
        assert read(database, tenant).orders == wanted
        if number != 1:
            close(database, tenant)
            assert read(database, tenant).orders == wanted
    kinds = read(database, tenant).kinds
    assert (kinds["EUR", "authorised"].entry_count, kinds["EUR", "authorised"].effect_cents) == (1, 0)
    assert (kinds["EUR", "refunded"].entry_count, kinds["EUR", "refunded"].effect_cents) == (2, -8)


def close(database: Database, tenant: UUID) -> None:
    """Propose and close, however many runs it takes until other tests' transactions have ended."""
    at = datetime.now(UTC)
    for _ in range(200):
        run(close_ledger, tenant)
        if (closed_before(database, tenant) or at - timedelta(days=1)) >= at:
            return
    raise AssertionError("the ledger is not closed")


def test_nothing_is_closed_while_an_earlier_transaction_may_still_commit(
    database: Database, tenant: UUID
) -> None:
    """Its entries tell the time at which it began, before the instant proposed: they must not be left out."""
    with database.connect() as connection:
        book(connection, tenant, "o-1", 1_000, "captured", "EUR")
    with database.connect() as late, late.transaction():
        book(late, tenant, "o-2", 2_000, "captured", "EUR")
        for _ in range(3):
            assert run(close_ledger, tenant)["outcome"] == "proposed"
        assert closed_before(database, tenant) is None
    close(database, tenant)
    assert read(database, tenant).orders == {"EUR": 2}
    with database.connect() as connection:
        left = connection.execute(
            """SELECT count(*) FROM ledger_entries JOIN ledger_closings USING (tenant_id)
                WHERE tenant_id = %s AND booked_at >= closed_before""",
            [tenant],
        ).fetchone()
    assert left == (0,)


@pytest.mark.parametrize(
    ("falsified", "count"),
    [
        ("kinds = '[]'", 1),
        ("""kinds = '[["EUR", "captured", 1, 999]]'""", 1),
        ("""orders = '{"USD": 1}'""", 2),
    ],
)
def test_an_audit_tells_and_mends_a_closing_that_is_not_the_ledgers(
    database: Database, tenant: UUID, falsified: str, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A kind left out, an amount, an order of another currency: each figure that differs is counted."""
    with database.connect() as connection:
        book(connection, tenant, "o-1", 1_000, "captured", "EUR")
        close(database, tenant)
        right = read(database, tenant)
        connection.execute(f"UPDATE ledger_closings SET {falsified} WHERE tenant_id = %s", [tenant])
    with tenant_session(tenant, read_only=True) as session:
        assert ledger_totals.totals(session) != right
    assert run(audit_attribution, tenant)["wrong_closing_count"] == count
    assert "found wrong" in caplog.text
    assert read(database, tenant) == right
    assert run(audit_attribution, tenant)["wrong_closing_count"] == 0


def test_an_audit_counts_what_a_clock_that_was_set_back_books_before_a_closing(
    database: Database, tenant: UUID
) -> None:
    """The closing stays where it is, and what is closed later goes on from the mended figures."""
    with database.connect() as connection:
        book(connection, tenant, "o-1", 1_000, "captured", "EUR")
        close(database, tenant)
        closed = closed_before(database, tenant)
        assert closed is not None
        book(connection, tenant, "o-2", 2_000, "captured", "EUR", booked_at=closed - timedelta(minutes=2))
    with tenant_session(tenant, read_only=True) as session:
        assert ledger_totals.totals(session).orders == {"EUR": 1}
    assert run(audit_attribution, tenant)["wrong_closing_count"] == 2
    assert closed_before(database, tenant) == closed
    assert read(database, tenant).orders == {"EUR": 2}
    with database.connect() as connection:
        book(connection, tenant, "o-3", 3_000, "captured", "EUR")
    close(database, tenant)
    assert read(database, tenant).orders == {"EUR": 3}
