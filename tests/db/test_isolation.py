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

ONE = UUID(int=1)
NOW = "2026-01-01T00:00:00Z"
AD_SPEND = {
    "day": "2026-01-01",
    "channel_code": "email",
    "campaign_id": "c",
    "currency": "EUR",
    "cost_cents": 1,
    "import_id": ONE,
}
# One row of each table; ids are the same for every tenant, so that only the tenant tells them apart.
ROWS: dict[str, dict[str, Any]] = {
    "tenants": {"name": "A shop"},
    "tenant_keys": {"key_id": ONE, "key_hash": b"key"},
    "memberships": {"role": "admin"},
    "refresh_tokens": {
        "token_id": ONE,
        "family_id": ONE,
        "secret_hash": b"",
        "issued_at": NOW,
        "expires_at": NOW,
    },
    "access_token_denylist": {"jti": ONE, "user_id": ONE, "expires_at": NOW},
    "token_cutoffs": {"user_id": ONE, "tokens_invalid_before": NOW},
    "login_failures": {"login_hash": b"login", "failures": 1, "window_started_at": NOW},
    "idempotency_keys": {"key_hash": b"key", "operation": "o", "fingerprint": b"", "claimed_until": NOW},
    "rate_limits": {"bucket": "api", "leased": 1, "leased_at": NOW, "full_at": NOW},
    "webhook_endpoints": {"endpoint_id": ONE, "vendor": "stripe", "key_hash": b"end", "key_hint": "1234"},
    "webhook_secrets": {"secret_id": ONE, "endpoint_id": ONE, "sealed": b"", "sealing_key_id": "k"},
    "deliveries": {
        "delivery_id": ONE,
        "vendor": "stripe",
        "topic": "t",
        "outcome": "booked",
        "receipt": "{}",
        "received_at": NOW,
        "last_received_at": NOW,
    },
    "events": {
        "event_id": ONE,
        "vendor": "stripe",
        "topic": "t",
        "vendor_event_id": "e",
        "occurred_at": NOW,
        "received_at": NOW,
        "payload": "{}",
    },
    "facts": {
        "fact_id": ONE,
        "event_id": ONE,
        "order_key": "1",
        "source": "stripe",
        "authority": "processor",
        "kind": "captured",
        "reference": "r",
        "amount_cents": 1,
        "currency": "EUR",
        "effective_at": NOW,
        "told_at": NOW,
    },
    "order_links": {"payment_key": "p", "order_id": "1", "authority": "shop"},
    "payment_aliases": {"alias": "a", "payment_key": "p"},
    "order_hints": {"hint_id": ONE, "event_id": ONE, "order_key": "1", "told_at": NOW},
    "orders": {"order_id": "1", "journey_id": "j", "ordered_at": NOW},
    "ledger_entries": {
        "entry_id": ONE,
        "order_id": "1",
        "kind": "captured",
        "reference": "r",
        "amount_cents": 1,
        "effect_cents": 1,
        "currency": "EUR",
        "effective_at": NOW,
        "booked_at": NOW,
        "source": "stripe",
    },
    "dead_letters": {
        "dead_letter_id": ONE,
        "vendor": "stripe",
        "topic": "t",
        "reason_code": "invalid_json",
        "received_at": NOW,
    },
    "dead_letter_attempts": {
        "attempt_id": ONE,
        "dead_letter_id": ONE,
        "attempted_at": NOW,
        "is_dry_run": False,
        "outcome": "resolved",
    },
    "endpoint_changes": {
        "change_id": ONE,
        "endpoint_id": ONE,
        "changed_at": NOW,
        "action": "endpoint_created",
    },
    "tenant_channels": {"code": "own", "family": "other", "is_paid": False, "display_name": "Own"},
    "channel_transitions": {"transition_id": ONE, "code": "own", "to_state": "draft", "reason": "r"},
    "channel_rule_sets": {"version": 1, "reason": "r"},
    "channel_rules": {"version": 1, "position": 1, "channel_code": "email", "source": "s"},
    "channel_corrections": {
        "correction_id": ONE,
        "touchpoint_id": ONE,
        "from_channel": "unknown",
        "to_channel": "email",
        "reason": "r",
    },
    "reclassifications": {"taxonomy_version": 1, "rule_set_version": 0},
    "touchpoints": {"touchpoint_id": ONE, "journey_id": "j", "occurred_at": NOW, "channel_code": "email"},
    "dirty_marks": {"mark_id": ONE, "journey_id": "j", "earliest": NOW},
    "allocations": {
        "model_version": "linear.1+30d",
        "entry_id": ONE,
        "order_id": "1",
        "channel_code": "email",
        "allocated_cents": 1,
        "currency": "EUR",
        "effective_at": NOW,
        "touch_count": 1,
    },
    "ad_spend": AD_SPEND,
    "ad_spend_changes": AD_SPEND,
    "ad_spend_imports": {
        "import_id": ONE,
        "imported_at": NOW,
        "media_type": "text/csv",
        "row_count": 1,
        "added_count": 1,
        "replaced_count": 0,
        "content_digest": "d",
    },
    "channel_days": {
        "model_version": "linear.1+30d",
        "day": "2026-01-01",
        "currency": "EUR",
        "channel_code": "email",
        "cash_cents": 1,
        "cash_reversed_cents": 0,
        "accrual_cents": 1,
        "accrual_reversed_cents": 0,
        "order_count": 1,
    },
    "waiting_entries": {
        "model_version": "linear.1+30d",
        "entry_id": ONE,
        "order_id": "1",
        "currency": "EUR",
        "effective_at": NOW,
        "accrued_at": NOW,
        "effect_cents": 1,
    },
    "summarised_versions": {"model_version": "linear.1+30d"},
    "recompute_jobs": {
        "job_id": ONE,
        "window_start": NOW,
        "window_end": "2026-01-02T00:00:00Z",
        "model": "linear",
        "model_version": "linear.1+30d",
        "parameters": '{"lookback_days": 30}',
    },
    "attribution_settings": {
        "settings_version": 1,
        "default_model": "linear",
        "lookback_days": 30,
        "half_life_days": 7,
        "position_weights": "{40,20,40}",
        "markov_order": 1,
    },
    "interval_estimates": {
        "estimate_id": ONE,
        "model": "linear",
        "model_version": "linear.1+30d",
        "window_start": NOW,
        "window_end": "2026-01-02T00:00:00Z",
    },
    "channel_intervals": {
        "estimate_id": ONE,
        "currency": "EUR",
        "channel_code": "email",
        "revenue_cents": 1,
        "journey_count": 1,
    },
    "privacy_requests": {
        "request_id": ONE,
        "event_id": ONE,
        "kind": "customer_redaction",
        "vendor": "shopify",
        "order_ids": "{1}",
        "requested_at": NOW,
    },
    "erased_orders": {"order_key": "1"},
    "pii_findings": {
        "table_name": "events",
        "row_key": "1",
        "path": "payload.email",
        "column_name": "payload",
        "kind": "key",
    },
    "pii_scans": {"table_name": "events"},
    "task_effects": {"task_id": ONE, "task_name": "t"},
}
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
