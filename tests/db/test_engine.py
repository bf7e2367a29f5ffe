"""Which login serves which role, and what a fork does to the pool."""

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import cast
from uuid import UUID

import pytest
from sqlalchemy import Engine, QueuePool, make_url, text

from skeldir.db import engine as engines
from skeldir.db.roles import Role
from skeldir.db.session import tenant_session
from skeldir.settings import get_settings
from tests.conftest import TREE, Database

ROLES: tuple[Role, ...] = ("app_user", "app_worker", "app_admin", "skeldir_owner")


@pytest.mark.parametrize("role", ROLES)
def test_an_engine_works_as_its_role_and_never_as_a_superuser(database: Database, role: Role) -> None:
    with database.engine(role).connect() as connection:
        found = connection.execute(
            text(
                """SELECT current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"""
            )
        ).one()

    assert tuple(found) == (role, False)


@pytest.mark.parametrize("role", ["app_user", "app_worker", "app_admin"])
def test_a_process_has_one_engine_per_role(database: Database, role: Role) -> None:
    assert database.engine(role) is database.engine(role)


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("postgresql://app_user:x@host/db", None),
        ("postgresql://somebody@host/db", "-crole=app_user"),
        ("postgresql://somebody@host/db?options=-c%20jit%3Doff", "-c jit=off -crole=app_user"),
    ],
)
def test_a_login_takes_the_role_on_unless_it_is_the_role(url: str, options: str | None) -> None:
    assert engines._taking_on("app_user", make_url(url)).query.get("options") == options


def test_a_pool_is_bounded_by_the_settings(database: Database) -> None:
    assert database.engine("app_user").pool.status().startswith("Pool size: 14 ")  # 10, and 4 for exports


def test_a_forked_child_connects_anew_and_the_parent_keeps_its_connection(tenant: UUID) -> None:
    """What Celery's prefork pool does; run apart, because this process may have threads."""
    script = f"""
import os, sys
from uuid import UUID
from sqlalchemy import text
from skeldir.db.session import tenant_session
tenant, ask = UUID("{tenant}"), text("SELECT pg_backend_pid()")
def backend():
    with tenant_session(tenant) as session:
        return session.execute(ask).scalar_one()
mine = backend()
child = os.fork()
if child == 0:
    os._exit(0 if backend() != mine else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert backend() == mine
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=TREE, env=os.environ.copy(), timeout=60)


def test_a_disposed_engine_is_made_anew(tenant: UUID, database: Database) -> None:
    before: Engine = database.engine("app_user")
    engines.dispose_engines()

    with tenant_session(tenant, read_only=True) as session:
        assert session.execute(text("SELECT count(*) FROM tenants")).scalar_one() == 1
    assert database.engine("app_user") is not before


def test_other_settings_close_what_the_former_engine_held(
    tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its idle connections would stay open until somebody collects them."""
    with tenant_session(tenant):
        former = cast("QueuePool", engines.get_engine("app_user").pool)
    assert former.checkedin()
    settings = get_settings().model_copy()
    monkeypatch.setattr("skeldir.db.engine.get_settings", lambda: settings)

    assert engines.get_engine("app_user").pool is not former
    assert not former.checkedin()


def test_alembic_finds_its_settings_on_the_command_line(database: Database) -> None:
    assert database
    ended = subprocess.run(
        [sys.executable, "-m", "alembic", "check"],
        check=False,
        capture_output=True,
        text=True,
        cwd=TREE,
        env=os.environ.copy(),
        timeout=60,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "offset", [timedelta(hours=19, minutes=27), -timedelta(hours=19, minutes=27), timedelta()]
)
def test_an_instant_arrives_whatever_its_offset(tenant: UUID, offset: timedelta) -> None:
    """RFC 3339 knows offsets that PostgreSQL does not; the instant is what counts."""
    instant = datetime(2026, 11, 23, 12, tzinfo=timezone(offset))

    with tenant_session(tenant, read_only=True) as session:
        arrived = session.execute(text("SELECT CAST(:instant AS timestamptz)"), {"instant": instant})
        assert arrived.scalar_one() == instant
