"""What is over goes, batch by batch; what is not over, and what is another tenant's, stays."""

from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest

from tests import waiting
from tests.conftest import Database
from tests.identity import make_user
from workers import maintenance
from workers.maintenance import prune_tenant

# table: (a row of an age, younger than what goes, older than what stays)
KINDS: Final = {
    "refresh_tokens": (
        """INSERT INTO refresh_tokens (tenant_id, token_id, user_id, family_id, secret_hash, issued_at,
                                       expires_at)
           SELECT tenant_id, gen_random_uuid(), user_id, gen_random_uuid(), '', now(),
                  now() - CAST(%(age)s AS interval) FROM memberships WHERE tenant_id = %(tenant)s""",
        ("-1 minute", "1 minute"),
    ),
    "access_token_denylist": (
        """INSERT INTO access_token_denylist (tenant_id, jti, user_id, expires_at)
           VALUES (%(tenant)s, gen_random_uuid(), gen_random_uuid(), now() - CAST(%(age)s AS interval))""",
        ("-1 minute", "1 minute"),
    ),
    "login_failures": (
        """INSERT INTO login_failures (tenant_id, login_hash, failures, window_started_at)
           VALUES (%(tenant)s, uuid_send(gen_random_uuid()), 1, now() - CAST(%(age)s AS interval))""",
        ("14 minutes", "16 minutes"),
    ),
    "rate_limits": (
        """INSERT INTO rate_limits (tenant_id, bucket, leased, leased_at, full_at)
           VALUES (%(tenant)s, gen_random_uuid()::text, 1, now(), now() - CAST(%(age)s AS interval))""",
        ("23 hours", "25 hours"),
    ),
    "idempotency_keys": (
        """INSERT INTO idempotency_keys (tenant_id, key_hash, operation, fingerprint, created_at, status,
                                         headers, body)
           VALUES (%(tenant)s, uuid_send(gen_random_uuid()), 'o', '', now() - CAST(%(age)s AS interval), 200,
                   '[]', '')""",
        ("23 hours", "25 hours"),
    ),
    "worker_failed_jobs": (
        """INSERT INTO worker_failed_jobs (tenant_id, failed_job_id, task_name, queue, arguments, error_type,
                                           error_kind, error_place, attempts, failed_at)
           VALUES (%(tenant)s, gen_random_uuid(), 't', 'llm', '{}', 'E', 'application', '', 1,
                   now() - CAST(%(age)s AS interval))""",
        ("89 days", "91 days"),
    ),
    "task_effects": (
        """INSERT INTO task_effects (tenant_id, task_id, task_name, done_at)
           VALUES (%(tenant)s, gen_random_uuid(), 't', now() - CAST(%(age)s AS interval))""",
        ("6 days", "8 days"),
    ),
}  # fmt: skip
EVERYBODYS: Final = {"login_failures"}
"""Also of tenants that never were, so whoever's task comes first deletes them."""


@pytest.fixture
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        connection.execute("DELETE FROM login_failures")
        yield connection


def add(superuser: psycopg.Connection, table: str, tenant: UUID, age: str) -> None:
    superuser.execute(KINDS[table][0].encode(), {"tenant": tenant, "age": age})


def count(superuser: psycopg.Connection, table: str, tenant: UUID) -> int:
    found = superuser.execute(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", [tenant]).fetchone()
    assert found is not None
    return int(found[0])


def prune(tenant: UUID) -> dict[str, Any]:
    result: dict[str, Any] = prune_tenant.apply(kwargs={"tenant_id": str(tenant)}, throw=True).get()
    return result


@pytest.mark.parametrize("table", KINDS)
def test_what_is_over_goes_and_the_rest_stays(
    superuser: psycopg.Connection, tenant: UUID, make_tenant: Callable[[], UUID], table: str
) -> None:
    other = make_tenant()
    young, old = KINDS[table][1]
    for one in (tenant, other):
        make_user(one)
        add(superuser, table, one, young)
        add(superuser, table, one, old)

    assert sum(prune(tenant).values()) == (2 if table in EVERYBODYS else 1)
    assert count(superuser, table, tenant) == 1
    assert count(superuser, table, other) == (1 if table in EVERYBODYS else 2)
    assert sum(prune(tenant).values()) == 0


def test_one_task_deletes_so_many_and_leaves_the_rest_to_the_next(
    superuser: psycopg.Connection, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backlog is worked off in short transactions, none of which holds anybody up."""
    monkeypatch.setattr(maintenance, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(maintenance, "BATCHES_MAX", 2)
    waiting.clear(superuser)
    for _ in range(5):
        add(superuser, "task_effects", tenant, "8 days")

    assert prune(tenant)["task_effects"] == 4
    assert [headers["task"] for headers in waiting.headers(superuser)] == ["maintenance.prune_tenant"]
    assert prune(tenant)["task_effects"] == 1
    assert len(waiting.headers(superuser)) == 1
    waiting.clear(superuser)
