"""Builders of users, sessions and tokens for tests."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text

from skeldir.commands import provisioning
from skeldir.db.session import tenant_session
from skeldir.domain.ids import uuid7
from skeldir.http import sessions
from skeldir.http.sessions import Login
from skeldir.security import passwords
from skeldir.security.principal import Role

PASSWORD = "correct horse battery"
_HASH = passwords.hash_password(PASSWORD)  # once: argon2 is slow on purpose


@dataclass(frozen=True)
class TestUser:
    """Somebody who can log in."""

    __test__ = False
    tenant_id: UUID
    user_id: UUID
    email: str
    role: Role


def make_user(tenant_id: UUID, role: Role = "viewer", email: str | None = None) -> TestUser:
    """Provision a user with PASSWORD."""
    email = email or f"{uuid7().hex}@example.test"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provisioning, "hash_password", lambda _: _HASH)
        user_id = provisioning.add_user(tenant_id, email, role, PASSWORD, username="Somebody")
    return TestUser(tenant_id, user_id, email, role)


def log_in(user: TestUser) -> Login:
    """Begin a session; fails the test when it is refused."""
    begun = sessions.log_in(user.tenant_id, user.email, PASSWORD)
    assert isinstance(begun, Login), begun
    return begun


def count(tenant_id: UUID, table: str, where: str = "true") -> int:
    """Count a tenant's rows, as the API sees them."""
    with tenant_session(tenant_id) as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one())
