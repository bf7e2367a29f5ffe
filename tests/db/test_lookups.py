"""What may be asked before a tenant is known."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text

from skeldir.db.roles import Role
from skeldir.db.session import lookup_session, tenant_session
from tests.conftest import Database

PAST, FUTURE = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture
def superuser(database: Database, tenant: UUID) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        connection.execute(f"SET app.current_tenant_id = '{tenant}'")
        yield connection


def ask(database: Database, role: Role, call: str, **values: Any) -> list[tuple[Any, ...]]:
    with lookup_session(engine=database.engine(role)) as session:
        return [tuple(row) for row in session.execute(text(f"SELECT * FROM skeldir_lookup.{call}"), values)]


def add_endpoint(superuser: psycopg.Connection, key: bytes, revoked_at: datetime | None = None) -> UUID:
    endpoint_id = uuid4()
    superuser.execute(
        """INSERT INTO webhook_endpoints (endpoint_id, vendor, key_hash, key_hint, revoked_at)
           VALUES (%s, 'stripe', %s, '1234', %s)""",
        [endpoint_id, key, revoked_at],
    )
    return endpoint_id


def add_secret(
    superuser: psycopg.Connection,
    endpoint_id: UUID,
    sealed: bytes,
    age: timedelta,
    retired_at: datetime | None,
) -> None:
    superuser.execute(
        """INSERT INTO webhook_secrets
                  (secret_id, endpoint_id, sealed, sealing_key_id, created_at, retired_at)
           VALUES (gen_random_uuid(), %s, %s, 'k', now() - %s, %s)""",
        [endpoint_id, sealed, age, retired_at],
    )


@pytest.mark.parametrize(("revoked_at", "found"), [(None, True), (FUTURE, True), (PAST, False)])
def test_a_tenant_is_found_by_a_key_until_it_ends(
    database: Database,
    superuser: psycopg.Connection,
    tenant: UUID,
    *,
    revoked_at: datetime | None,
    found: bool,
) -> None:
    key = uuid4().bytes
    superuser.execute(
        "INSERT INTO tenant_keys (key_id, key_hash, revoked_at) VALUES (gen_random_uuid(), %s, %s)",
        [key, revoked_at],
    )

    answer = ask(database, "app_user", "tenant_by_key(:key)", key=key)

    assert answer == ([(tenant, "active")] if found else [])


def test_an_endpoint_is_found_with_its_valid_secrets_newest_first(
    database: Database, superuser: psycopg.Connection, tenant: UUID
) -> None:
    key = uuid4().bytes
    endpoint_id = add_endpoint(superuser, key)
    add_secret(superuser, endpoint_id, b"ending", timedelta(hours=2), FUTURE)
    add_secret(superuser, endpoint_id, b"ended", timedelta(hours=1), PAST)
    add_secret(superuser, endpoint_id, b"current", timedelta(), None)

    answer = ask(database, "app_user", "endpoint_by_key(:key, 'stripe')", key=key)

    assert [row[:3] for row in answer] == [(tenant, "active", endpoint_id)] * 2
    assert [bytes(row[4]) for row in answer] == [b"current", b"ending"]
    assert ask(database, "app_user", "endpoint_by_key(:key, 'shopify')", key=key) == []


def test_an_endpoint_is_found_by_its_tenants_key(
    database: Database, superuser: psycopg.Connection, tenant: UUID
) -> None:
    key = uuid4().bytes
    superuser.execute("INSERT INTO tenant_keys (key_id, key_hash) VALUES (gen_random_uuid(), %s)", [key])
    endpoint_id = add_endpoint(superuser, uuid4().bytes)
    add_endpoint(superuser, uuid4().bytes, revoked_at=PAST)

    answer = ask(database, "app_user", "endpoint_by_tenant_key(:key, 'stripe')", key=key)

    assert answer == [(tenant, "active", endpoint_id, None, None, None)]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("SELECT 1", True),
        ("UPDATE users SET is_active = false WHERE user_id = (SELECT user_id FROM memberships m {})", False),
        ("UPDATE memberships m SET status = 'revoked' {}", False),
        ("UPDATE tenants m SET status = 'suspended' {}", False),
    ],
)
def test_only_an_active_user_of_an_active_tenant_may_log_in(
    database: Database, superuser: psycopg.Connection, tenant: UUID, *, change: str, found: bool
) -> None:
    login, user_id = uuid4().bytes, uuid4()
    superuser.execute("INSERT INTO users VALUES (%s, %s, 'joe', 'hash')", [user_id, login])
    superuser.execute("INSERT INTO memberships (user_id, role) VALUES (%s, 'viewer')", [user_id])
    superuser.execute(change.format(f"WHERE m.tenant_id = '{tenant}'"))

    answer = ask(database, "app_user", "login(:tenant, :login)", tenant=tenant, login=login)

    assert answer == ([(user_id, "joe", "hash", "viewer")] if found else [])
    assert ask(database, "app_user", "login(:tenant, :login)", tenant=uuid4(), login=login) == []
    assert ask(database, "app_admin", "user_by_login(:login)", login=login) == [(user_id,)]


def test_a_password_hash_is_renewed_by_who_knows_it(
    database: Database, superuser: psycopg.Connection, tenant: UUID
) -> None:
    user_id = uuid4()
    superuser.execute("INSERT INTO users VALUES (%s, %s, 'joe', 'old')", [user_id, user_id.bytes])
    renew = text("SELECT skeldir_lookup.renew_password_hash(:user_id, :known, :renewed)")
    for known, renewed in (("guessed", "mine"), ("old", "new")):
        with tenant_session(tenant, engine=database.engine("app_user")) as session:
            session.execute(renew, {"user_id": user_id, "known": known, "renewed": renewed})

    found = superuser.execute("SELECT password_hash FROM users WHERE user_id = %s", [user_id]).fetchone()
    assert found == ("new",)


def test_old_login_failures_are_pruned_for_every_tenant_known_or_not(
    database: Database, superuser: psycopg.Connection, tenant: UUID
) -> None:
    add = """INSERT INTO login_failures (tenant_id, login_hash, failures, window_started_at)
             VALUES (%s, 'x', 1, %s)"""
    known, unknown = tenant, uuid4()
    superuser.execute(add, [unknown, "1999-01-01T00:00:00Z"])
    superuser.execute(add, [known, FUTURE])
    prune = text("SELECT skeldir_lookup.prune_login_failures(CAST('2000-01-01' AS timestamptz), 1000)")
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        pruned = session.execute(prune).scalar_one()

    left = superuser.execute(
        "SELECT tenant_id FROM login_failures WHERE tenant_id = ANY(%s)", [[known, unknown]]
    ).fetchall()
    assert pruned >= 1
    assert left == [(known,)]


def test_a_worker_learns_whose_orders_a_model_s_version_does_not_cover(
    database: Database, superuser: psycopg.Connection, tenant: UUID
) -> None:
    """Who has no backfill yet, one that is not done, or never chose and follows another look-back now."""
    done = """INSERT INTO attribution_backfills (model_version, model, parameters, is_cleared, completed_at)
              VALUES ('linear.1+30d', 'linear', '{"lookback_days": 30}', true, now())"""
    call = "tenants_with_backfills(:lookback_days)"
    assert (tenant,) in ask(database, "app_worker", call, lookback_days=30)
    superuser.execute(done)
    assert (tenant,) not in ask(database, "app_worker", call, lookback_days=30)
    assert (tenant,) in ask(database, "app_worker", call, lookback_days=14)
    superuser.execute(
        """INSERT INTO attribution_settings (settings_version, default_model, lookback_days, half_life_days,
                                             position_weights, markov_order)
           VALUES (1, 'linear', 30, 7, '{40,20,40}', 1)"""
    )
    assert (tenant,) not in ask(database, "app_worker", call, lookback_days=14)
    superuser.execute("UPDATE attribution_backfills SET completed_at = NULL")
    assert (tenant,) in ask(database, "app_worker", call, lookback_days=30)


ASKED_AGAIN = """
    WITH asked AS (INSERT INTO recompute_requests (job_id) VALUES (gen_random_uuid()) RETURNING job_id)
    INSERT INTO recompute_jobs (job_id, window_start, window_end, model, model_version, parameters, status,
                                started_at)
    VALUES ((SELECT job_id FROM asked), now() - interval '1 day', now(), 'linear', 'linear.1+30d', '{}',
"""


@pytest.mark.parametrize(
    ("work", "found"),
    [
        ("SELECT 1", False),
        (
            "INSERT INTO dirty_marks (mark_id, journey_id, earliest) VALUES (gen_random_uuid(), 'j', now())",
            True,
        ),
        (
            """INSERT INTO dirty_marks (mark_id, journey_id, earliest, marked_at)
               VALUES (gen_random_uuid(), 'j', now(), now() + interval '1 hour')""",
            False,
        ),
        (
            """INSERT INTO recompute_jobs
                      (job_id, window_start, window_end, model, model_version, parameters)
               VALUES (gen_random_uuid(), now() - interval '1 day', now(), 'linear', 'linear.1+30d', '{}')""",
            True,
        ),
        (f"{ASKED_AGAIN} 'running', now())", False),
        (f"{ASKED_AGAIN} 'succeeded', now())", True),
    ],
)
def test_a_worker_learns_which_tenants_have_work(
    database: Database, superuser: psycopg.Connection, tenant: UUID, *, work: str, found: bool
) -> None:
    superuser.execute(work)

    answer = ask(database, "app_worker", "tenants_with_work(now() + interval '1 second')")

    assert ((tenant,) in answer) == found
    assert (tenant,) in ask(database, "app_worker", "list_tenants()")
    assert tenant in [row[0] for row in ask(database, "app_admin", "all_tenants()")]


def test_a_worker_may_have_the_planner_look_again(database: Database) -> None:
    with tenant_session(uuid4(), engine=database.engine("app_worker")) as session:
        session.execute(text("SELECT public.analyze_attribution()"))
