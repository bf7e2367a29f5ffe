"""Users and their memberships. No e-mail address is stored: a login is found by its keyed hash."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.ids import uuid7
from skeldir.security.principal import Role

FIND_LOGIN = text("""
    SELECT user_id, username, password_hash
      FROM skeldir_lookup.login(CAST(:tenant_id AS uuid), CAST(:login_hash AS bytea))
""")

# The lock is the mutex of everything about a user's sessions: see repository/tokens.py.
LOCK_MEMBERSHIP = text("""
    SELECT m.role
      FROM memberships m JOIN tenants t ON t.tenant_id = m.tenant_id
     WHERE m.user_id = :user_id AND m.status = 'active' AND t.status = 'active'
       FOR NO KEY UPDATE OF m
""")

# In the order of their ids, so that two administrators who demote each other wait, not deadlock.
LOCK_WITH_ADMINS = text("""
    SELECT user_id, role FROM memberships
     WHERE status = 'active' AND (user_id = :user_id OR role = 'admin')
     ORDER BY user_id
       FOR NO KEY UPDATE
""")

SET_ROLE = text("""
    UPDATE memberships SET role = :role, updated_at = clock_timestamp() WHERE user_id = :user_id
""")

RENEW_PASSWORD_HASH = text("""
    SELECT skeldir_lookup.renew_password_hash(CAST(:user_id AS uuid), :known, :renewed)
""")

FIND_USER = text("SELECT user_id FROM skeldir_lookup.user_by_login(CAST(:login_hash AS bytea))")

ADD_USER = text("""
    INSERT INTO users (user_id, login_hash, username, password_hash)
    VALUES (:user_id, :login_hash, :username, :password_hash)
""")

ADD_MEMBERSHIP = text("""
    INSERT INTO memberships AS m (user_id, role) VALUES (:user_id, :role)
    ON CONFLICT (tenant_id, user_id) DO UPDATE
       SET role = excluded.role, status = 'active', updated_at = clock_timestamp()
     WHERE m.status = 'revoked'
    RETURNING user_id
""")

REVOKE_MEMBERSHIP = text("""
    UPDATE memberships SET status = 'revoked', updated_at = clock_timestamp()
     WHERE user_id = :user_id AND status = 'active'
""")

LIST_MEMBERS = text("""
    SELECT m.user_id, u.username, m.role, m.status
      FROM memberships m JOIN users u ON u.user_id = m.user_id
     ORDER BY m.created_at, m.user_id
""")


@dataclass(frozen=True, slots=True)
class Account:
    """What a login needs to know of an active user of an active tenant."""

    user_id: UUID
    username: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Member:
    """A user as the tenant knows them."""

    user_id: UUID
    username: str
    role: Role
    status: str


def find_login(session: Session, tenant_id: UUID, login_hash: bytes) -> Account | None:
    """Return the account that may log in to a tenant by this login, or None."""
    parameters = {"tenant_id": tenant_id, "login_hash": login_hash}
    row = session.execute(FIND_LOGIN, parameters).mappings().one_or_none()
    return None if row is None else Account(**row)


def lock_membership(session: Session, user_id: UUID) -> Role | None:
    """Lock a user's membership until the transaction ends; returns the role, None when not active."""
    role: Role | None = session.execute(LOCK_MEMBERSHIP, {"user_id": user_id}).scalar_one_or_none()
    return role


def lock_with_admins(session: Session, user_id: UUID) -> dict[UUID, Role]:
    """Lock a user's membership and those of all administrators; returns the roles of the active ones."""
    return {row.user_id: row.role for row in session.execute(LOCK_WITH_ADMINS, {"user_id": user_id})}


def set_role(session: Session, user_id: UUID, role: Role) -> None:
    """Give a member another role; who calls it ends the tokens that carry the old one."""
    session.execute(SET_ROLE, {"user_id": user_id, "role": role})


def renew_password_hash(session: Session, user_id: UUID, *, known: str, renewed: str) -> None:
    """Replace a password hash by one with today's parameters, if it is still the one that we know."""
    parameters = {"user_id": user_id, "known": known, "renewed": renewed}
    session.execute(RENEW_PASSWORD_HASH, parameters)


def find_user(session: Session, login_hash: bytes) -> UUID | None:
    """Return the user of a login, of whichever tenant; for provisioning only."""
    found: UUID | None = session.execute(FIND_USER, {"login_hash": login_hash}).scalar_one_or_none()
    return found


def add_user(session: Session, *, login_hash: bytes, username: str | None, password_hash: str) -> UUID:
    """Add a user who is no member yet; without a name they get one that says nothing about them."""
    user_id = uuid7()
    parameters = {
        "user_id": user_id,
        "login_hash": login_hash,
        "username": username or f"user-{user_id.hex[-8:]}",
        "password_hash": password_hash,
    }
    session.execute(ADD_USER, parameters)
    return user_id


def add_membership(session: Session, user_id: UUID, role: Role) -> bool:
    """Make a user an active member; False when they are one already, whose role then stays."""
    parameters = {"user_id": user_id, "role": role}
    return session.execute(ADD_MEMBERSHIP, parameters).one_or_none() is not None


def revoke_membership(session: Session, user_id: UUID) -> None:
    """End a membership; who calls it ends the user's tokens."""
    session.execute(REVOKE_MEMBERSHIP, {"user_id": user_id})


def list_members(session: Session) -> list[Member]:
    """Return the tenant's users, the oldest first."""
    return [Member(**row) for row in session.execute(LIST_MEMBERS).mappings()]
