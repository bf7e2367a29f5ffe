"""What `tenant_transaction` promises."""

import os
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import create_engine, text

from skeldir.db.engine import dispose_engines
from skeldir.db.session import tenant_session, tenant_transaction
from skeldir.settings import get_settings
from tests.conftest import Database
from tests.db.backends import terminate

ADD: Final = """
    INSERT INTO orders (order_id, journey_id, ordered_at)
    SELECT value, 'journey', now() FROM jsonb_array_elements_text(CAST($1 AS jsonb))
    RETURNING order_id, 1, true
"""
COUNT: Final = text("SELECT count(*) FROM orders")


@pytest.fixture(autouse=True)
def _new_connections() -> None:
    """Leave what other tests prepared behind."""
    dispose_engines()


def orders_of(tenant_id: UUID) -> int:
    with tenant_session(tenant_id, read_only=True) as session:
        return int(session.execute(COUNT).scalar_one())


def add(tenant_id: UUID, document: bytes, fault: type[Exception] | None = None) -> None:
    with tenant_transaction(tenant_id) as transaction:
        transaction.execute(ADD, document)
        if fault:
            raise fault


def test_a_clean_exit_commits_and_a_raise_rolls_back(tenant: UUID) -> None:
    add(tenant, b'["1"]')
    with pytest.raises(ZeroDivisionError):
        add(tenant, b'["2"]', ZeroDivisionError)

    assert orders_of(tenant) == 1


def test_a_statement_answers_with_its_first_row_in_the_types_of_its_columns(tenant: UUID) -> None:
    with tenant_transaction(tenant) as transaction:
        assert transaction.execute(ADD, b'["\\u00fc\\"\'\\\\ $1", "2"]') == ("\u00fc\"'\\ $1", 1, True)
        assert transaction.execute(ADD, b"[]") is None


def test_what_is_left_for_the_end_is_committed_with_the_rest(tenant: UUID) -> None:
    done: list[int] = []
    with tenant_transaction(tenant) as transaction:
        transaction.leave(ADD, b'["1"]')
        transaction.after_commit(lambda: done.append(orders_of(tenant)))

    assert done == [1]


def test_what_fails_at_the_end_undoes_all_and_nothing_follows(tenant: UUID) -> None:
    done: list[int] = []

    def work() -> None:
        with tenant_transaction(tenant) as transaction:
            transaction.execute(ADD, b'["1"]')
            transaction.leave(ADD, b'["1"]')
            transaction.after_commit(lambda: done.append(1))

    with pytest.raises(psycopg.errors.UniqueViolation):
        work()
    assert (orders_of(tenant), done) == (0, [])


def test_a_failure_that_nobody_minded_is_never_taken_for_a_commit(tenant: UUID) -> None:
    """PostgreSQL answers such a COMMIT without an error, and rolls back."""
    failed = pytest.raises(RuntimeError, match="a statement failed")
    with failed, tenant_transaction(tenant) as transaction, suppress(psycopg.Error):
        transaction.driver.execute("SELECT 1 / 0")


def test_one_statement_is_two_round_trips_once_it_is_prepared(tenant: UUID, tmp_path: Path) -> None:
    add(tenant, b'["1"]')
    with tenant_transaction(tenant) as transaction:
        pgconn = transaction.driver.pgconn
    log = os.open(tmp_path / "trace", os.O_RDWR | os.O_CREAT)
    pgconn.trace(log)
    add(tenant, b'["2"]')
    pgconn.untrace()
    os.close(log)

    sent = [line for line in (tmp_path / "trace").read_text().splitlines() if "\tF\t" in line]
    assert len(sent) == 2, sent
    assert "BEGIN" in sent[0]
    assert str(tenant) in sent[0]
    assert "COMMIT" in sent[1]


def test_a_rollback_leaves_what_is_prepared(tenant: UUID) -> None:
    """A repeated delivery rolls back: preparing everything anew each time would cost more than booking."""
    with tenant_transaction(tenant) as transaction:
        transaction.driver.execute("SELECT count(*) FROM pg_prepared_statements", prepare=True)
    with pytest.raises(ZeroDivisionError):
        add(tenant, b'["2"]', ZeroDivisionError)

    with tenant_transaction(tenant) as transaction:
        prepared = transaction.driver.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
    assert prepared == (2,)


def test_plans_do_not_depend_on_what_is_sent(tenant: UUID) -> None:
    with suppress(ZeroDivisionError):
        add(tenant, b'["1"]', ZeroDivisionError)

    with tenant_transaction(tenant) as transaction:
        assert transaction.driver.execute("SHOW plan_cache_mode").fetchone() == ("force_generic_plan",)


def test_nothing_is_prepared_for_a_pooler(tenant: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKELDIR_DATABASE_PREPARE_THRESHOLD", "0")
    get_settings.cache_clear()
    for order in (b'["1"]', b'["2"]'):
        add(tenant, order)

    with tenant_transaction(tenant) as transaction:
        prepared = transaction.driver.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
    monkeypatch.undo()
    get_settings.cache_clear()
    assert (prepared, orders_of(tenant)) == ((0,), 2)


def test_pooled_connections_that_broke_are_replaced(tenant: UUID, database: Database) -> None:
    with ExitStack() as stack:
        at_once = [stack.enter_context(tenant_transaction(tenant)) for _ in range(3)]
        backends = [transaction.driver.info.backend_pid for transaction in at_once]
    terminate(database, backends)

    with tenant_transaction(tenant) as transaction:
        assert transaction.driver.info.backend_pid not in backends


def test_a_server_that_is_away_is_told_of_as_such(tenant: UUID, database: Database) -> None:
    """Though it was there when the connections were made that broke since."""
    with tenant_transaction(tenant) as transaction:
        backend = transaction.driver.info.backend_pid
    elsewhere = create_engine(database.superuser.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with elsewhere.connect() as superuser:
        superuser.execute(text(f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS false'))
        try:
            superuser.execute(text("SELECT pg_terminate_backend(:backend, 5000)"), {"backend": backend})
            with pytest.raises(psycopg.OperationalError):
                add(tenant, b'["1"]')
        finally:
            superuser.execute(text(f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS true'))
    elsewhere.dispose()


def test_a_connection_that_breaks_in_a_transaction_is_given_up_quietly(
    tenant: UUID, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    def work() -> None:
        with tenant_transaction(tenant) as transaction:
            terminate(database, [transaction.driver.info.backend_pid])
            transaction.driver.execute("SELECT 1")

    with pytest.raises(psycopg.OperationalError):
        work()

    with tenant_transaction(tenant) as transaction:
        assert transaction.driver.execute("SELECT 1").fetchone() == (1,)
    assert caplog.records == []
