"""Row-level security alone keeps the tenants apart, on every table that the catalogue knows."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from skeldir.db.session import tenant_session
from tests.conftest import Database
from tests.db.rows import ROWS

LOGINS = ("app_user", "app_worker", "app_admin")
HAS_TENANT = """
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm', 'v')
       AND a.attname = 'tenant_id' AND NOT a.attisdropped
"""


@pytest.fixture
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        yield connection


@pytest.fixture
def tenants(superuser: psycopg.Connection) -> tuple[UUID, UUID]:
    """Two tenants: the first has a row in every table, the second has none anywhere but is one."""
    full, empty, user_id = uuid4(), uuid4(), uuid4()
    superuser.execute(
        "INSERT INTO users (user_id, login_hash, username, password_hash) VALUES (%s, %s, 'u', 'p')",
        [user_id, user_id.bytes],
    )
    with superuser.transaction():
        for table, row in ROWS.items():
            values = {"tenant_id": full, **row}
            if table in {"memberships", "refresh_tokens"}:
                values["user_id"] = user_id
            superuser.execute(
                sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    sql.Identifier(table),
                    sql.SQL(", ").join(map(sql.Identifier, values)),
                    sql.SQL(", ").join(map(sql.Placeholder, values)),
                ),
                values,
            )
    superuser.execute("INSERT INTO tenants (tenant_id, name) VALUES (%s, 'Another')", [empty])
    return full, empty


def may(superuser: psycopg.Connection, login: str, table: str, right: str) -> bool:
    row = superuser.execute("SELECT has_table_privilege(%s, %s, %s)", [login, table, right]).fetchone()
    assert row is not None
    return bool(row[0])


def test_every_table_of_tenants_is_walled_and_known_here(superuser: psycopg.Connection) -> None:
    rows = superuser.execute(
        f"""SELECT relname, relrowsecurity, relforcerowsecurity, relkind,
                   (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid AND polname = 'tenant_isolation')
              FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relname IN ({HAS_TENANT})"""
    ).fetchall()

    assert {row[0] for row in rows} == set(ROWS)
    assert {row[1:] for row in rows} == {(True, True, "r", 1)}


def test_the_policy_is_worded_as_it_must_be(superuser: psycopg.Connection) -> None:
    wordings = superuser.execute(
        """SELECT DISTINCT pg_get_expr(polqual, polrelid), polwithcheck IS NULL, polcmd, polroles
             FROM pg_policy WHERE polname = 'tenant_isolation'"""
    ).fetchall()

    assert len(wordings) == 1
    assert " ".join(wordings[0][0].split()) == (
        "(tenant_id = ( SELECT (NULLIF(current_setting('app.current_tenant_id'::text, true), "
        "''::text))::uuid AS \"nullif\"))"
    )
    assert wordings[0][1:] == (True, "*", [0])


def test_every_key_contains_the_tenant(superuser: psycopg.Connection) -> None:
    """A key without it could be probed for another tenant's values."""
    offenders = superuser.execute(
        f"""SELECT c.conrelid::regclass::text, c.conname
              FROM pg_constraint c
             WHERE c.conrelid::regclass::text IN ({HAS_TENANT}) AND c.contype IN ('p', 'u', 'f', 'x')
               AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.conrelid
                                  AND a.attnum = ANY (c.conkey) AND a.attname = 'tenant_id')
               AND (c.contype <> 'f' OR c.confrelid::regclass::text IN ({HAS_TENANT}))
             UNION ALL
            SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text
              FROM pg_index i
             WHERE i.indisunique AND i.indrelid::regclass::text IN ({HAS_TENANT})
               AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid
                                  AND a.attnum = ANY (i.indkey) AND a.attname = 'tenant_id')"""
    ).fetchall()

    assert offenders == []


def test_there_are_no_materialised_views(superuser: psycopg.Connection) -> None:
    """Row-level security does not apply to them."""
    assert superuser.execute("SELECT matviewname FROM pg_matviews").fetchall() == []


@pytest.mark.parametrize("login", LOGINS)
def test_another_tenants_rows_cannot_be_read_changed_or_forged(
    login: Any, database: Database, superuser: psycopg.Connection, tenants: tuple[UUID, UUID]
) -> None:
    full, empty = tenants
    engine = database.engine(login)
    for table in ROWS:
        if may(superuser, login, table, "SELECT"):
            expected = 1 if table == "tenants" else 0
            with tenant_session(empty, engine=engine) as session:
                assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == expected
            with tenant_session(full, engine=engine) as session:
                assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 1
        where = f"WHERE tenant_id = '{full}'"
        if may(superuser, login, table, "UPDATE"):
            with tenant_session(empty, engine=engine) as session:
                changed = session.execute(
                    text(f"UPDATE {table} SET tenant_id = tenant_id {where} RETURNING 1")
                )
                assert changed.all() == []
        if may(superuser, login, table, "DELETE"):
            with tenant_session(empty, engine=engine) as session:
                assert session.execute(text(f"DELETE FROM {table} {where} RETURNING 1")).all() == []
        if may(superuser, login, table, "INSERT"):
            record = f"jsonb_populate_record(CAST(NULL AS {table}), CAST(:row AS jsonb))"
            forged = text(f"INSERT INTO {table} SELECT * FROM {record}")
            row = superuser.execute(f"SELECT to_jsonb(t)::text FROM {table} t {where}").fetchone()
            assert row is not None
            with tenant_session(empty, engine=engine) as session:
                with pytest.raises(ProgrammingError, match="row-level security"):
                    session.execute(forged, {"row": row[0]})
                session.rollback()


@pytest.mark.parametrize("login", LOGINS)
def test_without_a_tenant_there_are_no_rows_and_no_errors(
    login: Any, database: Database, superuser: psycopg.Connection, tenants: tuple[UUID, UUID]
) -> None:
    """Neither on a fresh connection nor on a pooled one that served a tenant before."""
    full, _ = tenants
    engine = create_engine(database.url(login), isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=0)
    readable = [table for table in (*ROWS, "users") if may(superuser, login, table, "SELECT")]
    for _served in range(2):
        with engine.connect() as connection:
            for table in readable:
                assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
        with tenant_session(full, engine=engine) as session:
            assert session.execute(text("SELECT count(*) FROM tenants")).scalar_one() == 1
    engine.dispose()


def test_a_statement_prepared_before_a_tenant_was_set_serves_each_tenant(
    database: Database, tenants: tuple[UUID, UUID]
) -> None:
    full, empty = tenants
    url = database.url("app_user").set(drivername="postgresql").render_as_string(hide_password=False)
    seen = []
    with psycopg.connect(url, autocommit=True) as connection:
        for tenant in [None] * 6 + [full, empty, full, None]:
            with connection.transaction():
                if tenant:
                    connection.execute(f"SET LOCAL app.current_tenant_id = '{tenant}'")
                row = connection.execute("SELECT count(*) FROM orders", prepare=True).fetchone()
                assert row is not None
                seen.append(row[0])

    assert seen == [0] * 6 + [1, 0, 1, 0]


def test_a_tenant_that_is_no_uuid_is_an_error_and_not_everything(database: Database) -> None:
    url = database.url("app_user").set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL app.current_tenant_id = 'x'")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT count(*) FROM orders")


def test_users_are_seen_only_where_they_are_members(
    database: Database, tenants: tuple[UUID, UUID], make_tenant: Callable[[], UUID]
) -> None:
    full, _ = tenants
    seen = {}
    for tenant in (full, make_tenant()):
        with tenant_session(tenant, engine=database.engine("app_admin")) as session:
            seen[tenant] = session.execute(text("SELECT count(*) FROM users")).scalar_one()

    assert list(seen.values()) == [1, 0]
