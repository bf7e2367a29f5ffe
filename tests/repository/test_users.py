"""Users and memberships: one person, several tenants, and no way from one tenant to another."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from skeldir.commands import provisioning
from skeldir.db.session import tenant_session
from skeldir.domain.errors import Conflict, NotFound, Unauthorized
from skeldir.http import sessions
from skeldir.http.sessions import Login
from skeldir.repository import users
from skeldir.security.hashing import login_hash
from tests.conftest import Database
from tests.identity import PASSWORD, count, log_in, make_user


def test_a_user_of_two_tenants_keeps_one_password(tenant: UUID, make_tenant: Callable[[], UUID]) -> None:
    user, other = make_user(tenant, "admin"), make_tenant()

    same = provisioning.add_user(other, user.email, "viewer", "another password")

    assert same == user.user_id
    assert isinstance(sessions.log_in(other, user.email, "another password"), Unauthorized)
    assert isinstance(sessions.log_in(other, user.email, PASSWORD), Login)
    with tenant_session(other) as session:
        assert users.lock_membership(session, user.user_id) == "viewer"


def test_adding_a_member_again_changes_nothing(tenant: UUID) -> None:
    user = make_user(tenant, "viewer")

    with pytest.raises(Conflict):
        provisioning.add_user(tenant, user.email, "admin", PASSWORD)

    with tenant_session(tenant) as session:
        assert users.lock_membership(session, user.user_id) == "viewer"


def test_a_removed_member_is_logged_out_and_can_be_added_again(tenant: UUID, database: Database) -> None:
    make_user(tenant, "admin")
    user = make_user(tenant)
    issued = log_in(user).tokens
    with tenant_session(tenant, engine=database.engine("app_admin")) as session:
        sessions.remove_member(session, user.user_id)

    assert isinstance(sessions.refresh(issued.refresh), Unauthorized)
    assert isinstance(sessions.log_in(tenant, user.email, PASSWORD), Unauthorized)

    assert provisioning.add_user(tenant, user.email, "manager", None) == user.user_id
    assert log_in(user)
    assert isinstance(sessions.refresh(issued.refresh), Unauthorized)


def test_the_last_administrator_cannot_be_removed(tenant: UUID, database: Database) -> None:
    admin = make_user(tenant, "admin")

    with tenant_session(tenant, engine=database.engine("app_admin")) as session, pytest.raises(Conflict):
        sessions.remove_member(session, admin.user_id)

    assert log_in(admin)


def test_a_new_user_needs_a_password(tenant: UUID) -> None:
    with pytest.raises(Conflict):
        provisioning.add_user(tenant, "nobody-yet@example.test", "viewer", None)


def test_another_tenants_member_cannot_be_changed(tenant: UUID, make_tenant: Callable[[], UUID]) -> None:
    user = make_user(tenant, "manager")

    with tenant_session(make_tenant()) as session, pytest.raises(NotFound):
        sessions.change_role(session, user.user_id, "admin")


def test_a_user_without_a_name_gets_one_that_says_nothing(tenant: UUID) -> None:
    user_id = provisioning.add_user(tenant, "grace.hopper@example.test", "viewer", PASSWORD)

    with provisioning.provisioning(tenant) as session:
        (member,) = users.list_members(session)
    assert member.user_id == user_id
    assert member.username == f"user-{user_id.hex[-8:]}"


def test_the_api_cannot_read_users_nor_change_who_is_a_member(tenant: UUID) -> None:
    user = make_user(tenant)

    for forbidden in (
        "SELECT password_hash FROM users",
        "UPDATE users SET password_hash = ''",
        "UPDATE memberships SET status = 'revoked'",
        "DELETE FROM memberships",
        "INSERT INTO tenant_keys (key_id, key_hash) VALUES (gen_random_uuid(), '')",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), tenant_session(tenant) as session:
            session.execute(text(forbidden))
    assert log_in(user)
    assert count(tenant, "memberships", "status = 'active'") == 1


def test_a_password_hash_is_renewed_only_by_who_knows_the_present_one(tenant: UUID) -> None:
    user = make_user(tenant)

    with tenant_session(tenant) as session:
        users.renew_password_hash(session, user.user_id, known="a guess", renewed="mine now")
        account = users.find_login(session, tenant, login_hash(user.email))

    assert account is not None
    assert account.password_hash != "mine now"
