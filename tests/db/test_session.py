"""What `tenant_session` promises."""

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from skeldir.db.session import Isolation, TokenCheck, lookup_session, tenant_session
from skeldir.domain.errors import Unauthorized
from tests.conftest import Database
from tests.db.backends import terminate

ADD = text("INSERT INTO orders (order_id, journey_id, ordered_at) VALUES (:id, 'journey', now())")
COUNT = text("SELECT count(*) FROM orders")
NOW = datetime.now(UTC)


def orders_of(tenant_id: UUID) -> int:
    with tenant_session(tenant_id, read_only=True) as session:
        return int(session.execute(COUNT).scalar_one())


def add_and_fail(tenant_id: UUID) -> None:
    with tenant_session(tenant_id) as session:
        session.execute(ADD, {"id": "1"})
        raise ZeroDivisionError


def test_a_clean_exit_commits(tenant: UUID) -> None:
    with tenant_session(tenant) as session:
        session.execute(ADD, {"id": "1"})

    assert orders_of(tenant) == 1


def test_a_raise_rolls_back(tenant: UUID) -> None:
    with pytest.raises(ZeroDivisionError):
        add_and_fail(tenant)

    assert orders_of(tenant) == 0


def test_a_savepoint_that_fails_leaves_the_rest(tenant: UUID) -> None:
    with tenant_session(tenant) as session:
        session.execute(ADD, {"id": "1"})
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(ADD, {"id": "1"})
        session.execute(ADD, {"id": "2"})

    assert orders_of(tenant) == 2


def test_a_failed_statement_spoils_neither_the_pool_nor_the_next_transaction(tenant: UUID) -> None:
    with pytest.raises(DBAPIError), tenant_session(tenant) as session:
        session.execute(text("SELECT 1 / 0"))

    assert orders_of(tenant) == 0


def test_read_only_refuses_to_write_and_sees_one_snapshot(tenant: UUID) -> None:
    with tenant_session(tenant, read_only=True) as reader:
        assert reader.execute(COUNT).scalar_one() == 0
        with tenant_session(tenant) as writer:
            writer.execute(ADD, {"id": "1"})
        assert reader.execute(COUNT).scalar_one() == 0

    with pytest.raises(DBAPIError, match="read-only"), tenant_session(tenant, read_only=True) as reader:
        reader.execute(ADD, {"id": "2"})


@pytest.mark.parametrize(
    ("read_only", "isolation", "expected"),
    [
        (False, None, "read committed"),
        (False, "repeatable read", "repeatable read"),
        (True, None, "repeatable read"),
        (True, "read committed", "read committed"),
    ],
)
def test_isolation(tenant: UUID, *, read_only: bool, isolation: Isolation | None, expected: str) -> None:
    with tenant_session(tenant, read_only=read_only, isolation=isolation) as session:
        assert session.execute(text("SHOW transaction_isolation")).scalar_one() == expected


def test_beginning_is_one_round_trip(tenant: UUID, database: Database, tmp_path: Path) -> None:
    engine = create_engine(database.url("app_user"), isolation_level="AUTOCOMMIT", pool_size=1)
    with tenant_session(tenant, engine=engine):  # connecting is not what is measured
        pass
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)

    log = os.open(tmp_path / "trace", os.O_RDWR | os.O_CREAT)
    driver.pgconn.trace(log)
    with tenant_session(tenant, engine=engine, token=TokenCheck(uuid4(), uuid4(), NOW)) as session:
        begun = (tmp_path / "trace").read_text()
        session.execute(COUNT)
    driver.pgconn.untrace()
    engine.dispose()
    os.close(log)

    assert begun.count("\tF\t") == 1  # one message from the front end to the server
    assert "BEGIN" in begun
    assert str(tenant) in begun
    assert "access_token_denylist" in begun


def test_pooled_connections_that_broke_are_replaced(tenant: UUID, database: Database) -> None:
    """A restarted server breaks all that lie idle: whoever comes next must not meet one after the other."""
    engine = create_engine(database.url("app_user"), isolation_level="AUTOCOMMIT", pool_size=3)
    with ExitStack() as stack:
        at_once = [stack.enter_context(tenant_session(tenant, engine=engine)) for _ in range(3)]
        backends = [session.execute(text("SELECT pg_backend_pid()")).scalar_one() for session in at_once]
    terminate(database, backends)

    with tenant_session(tenant, engine=engine) as session:
        assert session.execute(text("SELECT pg_backend_pid()")).scalar_one() not in backends
    engine.dispose()


def test_a_session_in_which_something_failed_is_never_taken_for_committed(tenant: UUID) -> None:
    """PostgreSQL answers its COMMIT without an error, and rolls back."""
    failed = pytest.raises(RuntimeError, match="a statement failed")
    with failed, tenant_session(tenant) as session, suppress(DBAPIError):
        session.execute(text("SELECT 1 / 0"))


def test_the_tenant_must_be_a_uuid() -> None:
    with pytest.raises(TypeError), tenant_session("'; DROP TABLE orders; --"):  # type: ignore[arg-type]
        pass


def deny(tenant: UUID, jti: UUID) -> None:
    with tenant_session(tenant) as session:
        session.execute(
            text("INSERT INTO access_token_denylist (jti, user_id, expires_at) VALUES (:jti, :jti, now())"),
            {"jti": jti},
        )


def cut_off(tenant: UUID, user_id: UUID, instant: datetime) -> None:
    with tenant_session(tenant) as session:
        session.execute(
            text("INSERT INTO token_cutoffs (user_id, tokens_invalid_before) VALUES (:user_id, :instant)"),
            {"user_id": user_id, "instant": instant},
        )


def use(tenant: UUID, token: TokenCheck) -> None:
    with tenant_session(tenant, token=token) as session:
        session.execute(ADD, {"id": "1"})


def test_a_token_that_nobody_revoked_passes(tenant: UUID) -> None:
    use(tenant, TokenCheck(uuid4(), uuid4(), NOW))

    assert orders_of(tenant) == 1


@pytest.mark.parametrize("field", ["jti", "session_id"])
def test_a_denied_token_or_session_is_refused(tenant: UUID, field: str) -> None:
    token = TokenCheck(uuid4(), uuid4(), NOW, session_id=uuid4())
    deny(tenant, getattr(token, field))

    with pytest.raises(Unauthorized):
        use(tenant, token)

    assert orders_of(tenant) == 0


@pytest.mark.parametrize(("age", "refused"), [(-1, False), (0, True), (1, True)])
def test_a_cutoff_refuses_what_was_issued_until_then(tenant: UUID, *, age: int, refused: bool) -> None:
    user_id = uuid4()
    cut_off(tenant, user_id, NOW)
    token = TokenCheck(uuid4(), user_id, NOW - timedelta(microseconds=age))

    if refused:
        with pytest.raises(Unauthorized):
            use(tenant, token)
    else:
        use(tenant, token)


def test_another_tenants_revocations_do_not_count(tenant: UUID, make_tenant: Callable[[], UUID]) -> None:
    other, token = make_tenant(), TokenCheck(uuid4(), uuid4(), NOW)
    deny(other, token.jti)
    cut_off(other, token.user_id, NOW)

    use(tenant, token)


def test_a_suspended_tenants_tokens_are_refused(tenant: UUID, database: Database) -> None:
    with tenant_session(tenant, engine=database.engine("app_admin")) as session:
        session.execute(text("UPDATE tenants SET status = 'suspended'"))

    with pytest.raises(Unauthorized):
        use(tenant, TokenCheck(uuid4(), uuid4(), NOW))


def test_a_lookup_session_has_no_tenant_and_writes_nothing(tenant: UUID) -> None:
    with tenant_session(tenant) as session:
        session.execute(ADD, {"id": "1"})

    with lookup_session() as session:
        assert session.execute(COUNT).scalar_one() == 0
    with pytest.raises(DBAPIError, match="read-only"), lookup_session() as session:
        session.execute(ADD, {"id": "2"})
