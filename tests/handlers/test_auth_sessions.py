"""Sessions: one use for a refresh token, an end for the session whose token is used twice."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import argon2
import psycopg
import pytest

from skeldir.db.session import TokenCheck, tenant_session
from skeldir.domain.errors import Conflict, SkeldirError, TooManyRequests, Unauthorized
from skeldir.http import sessions
from skeldir.http.sessions import Login, Tokens
from skeldir.repository import tokens, users
from skeldir.security.refresh import RefreshToken, new_refresh_token
from skeldir.security.tokens import verify_access_token
from skeldir.settings import get_settings
from tests.conftest import Database
from tests.identity import PASSWORD, TestUser, count, log_in, make_user


@pytest.fixture
def user(tenant: UUID) -> TestUser:
    return make_user(tenant, "manager")


def _refresh(token: RefreshToken) -> Tokens:
    renewed = sessions.refresh(token)
    assert isinstance(renewed, Tokens), renewed
    return renewed


def _is_accepted(issued: Tokens) -> bool:
    """Tell whether the boundary would let an access token in."""
    principal = verify_access_token(issued.access.token)
    assert principal.token_id
    assert principal.user_id
    assert principal.issued_at
    check = TokenCheck(
        jti=principal.token_id,
        session_id=principal.session_id,
        user_id=principal.user_id,
        issued_at=principal.issued_at,
    )
    try:
        with tenant_session(principal.tenant_id, token=check):
            return True
    except Unauthorized:
        return False


def _is_refused(token: RefreshToken) -> bool:
    return isinstance(sessions.refresh(token), Unauthorized)


def test_a_login_gives_tokens_that_say_who_it_is(user: TestUser) -> None:
    begun = log_in(user)
    principal = verify_access_token(begun.tokens.access.token)

    assert (principal.tenant_id, principal.user_id) == (user.tenant_id, user.user_id)
    assert principal.scopes == {"manager", "viewer"}
    assert begun.username == "Somebody"
    assert _is_accepted(begun.tokens)


def test_neither_the_e_mail_address_nor_the_secret_is_stored(user: TestUser, database: Database) -> None:
    begun = log_in(user)

    with database.connect() as connection:
        rows = connection.execute(
            "SELECT to_jsonb(u)::text || to_jsonb(r)::text || r.secret_hash::text FROM users u"
            " JOIN refresh_tokens r USING (user_id) WHERE user_id = %s",
            [user.user_id],
        ).fetchall()
    assert len(rows) == 1
    assert user.email not in rows[0][0]
    assert user.email.encode().hex() not in rows[0][0]
    assert begun.tokens.refresh.secret not in rows[0][0]
    assert begun.tokens.refresh.secret.encode().hex() not in rows[0][0]


def test_each_refresh_spends_its_token_and_keeps_the_session(user: TestUser) -> None:
    first = log_in(user).tokens
    second = _refresh(first.refresh)
    third = _refresh(second.refresh)

    ids = {verify_access_token(issued.access.token).session_id for issued in (first, second, third)}
    assert ids == {first.refresh.token_id}
    assert len({first.refresh.secret, second.refresh.secret, third.refresh.secret}) == 3
    assert _is_accepted(third)


def test_refreshing_does_not_prolong_a_session(user: TestUser) -> None:
    _refresh(log_in(user).tokens.refresh)

    with tenant_session(user.tenant_id) as session:
        expiries = session.connection().exec_driver_sql("SELECT DISTINCT expires_at FROM refresh_tokens")
        assert len(expiries.fetchall()) == 1


def test_a_token_used_twice_ends_its_session_and_no_other(user: TestUser) -> None:
    stolen, other = log_in(user).tokens, log_in(user).tokens
    successor = _refresh(stolen.refresh)

    assert _is_refused(stolen.refresh)

    assert _is_refused(successor.refresh)
    assert not _is_accepted(successor)
    assert not _is_accepted(stolen)
    assert _is_accepted(other)
    assert _refresh(other.refresh)


def test_knowing_a_token_s_id_is_not_enough_to_end_its_session(user: TestUser) -> None:
    issued = log_in(user).tokens
    _refresh(issued.refresh)

    assert _is_refused(replace(issued.refresh, secret=new_refresh_token(user.tenant_id).secret))

    assert _is_accepted(issued)
    assert count(user.tenant_id, "refresh_tokens", "revoked_at IS NOT NULL") == 0


def test_an_unknown_token_and_another_tenants_token_are_refused(
    user: TestUser, make_tenant: Callable[[], UUID]
) -> None:
    issued = log_in(user).tokens

    assert _is_refused(new_refresh_token(user.tenant_id))
    assert _is_refused(new_refresh_token(uuid4()))
    assert _is_refused(replace(issued.refresh, tenant_id=make_tenant()))
    assert _refresh(issued.refresh)


def test_an_expired_session_cannot_be_refreshed(user: TestUser, database: Database) -> None:
    issued = log_in(user).tokens
    with database.connect() as connection:
        connection.execute("UPDATE refresh_tokens SET expires_at = now() WHERE user_id = %s", [user.user_id])

    assert _is_refused(issued.refresh)


def test_who_is_no_member_any_more_cannot_refresh(user: TestUser, database: Database) -> None:
    issued = log_in(user).tokens
    with tenant_session(user.tenant_id, engine=database.engine("app_admin")) as session:
        users.revoke_membership(session, user.user_id)

    assert _is_refused(issued.refresh)


def test_a_suspended_tenants_sessions_and_logins_are_refused(user: TestUser, database: Database) -> None:
    issued = log_in(user).tokens
    _set_status(database, user.tenant_id, "suspended")

    assert _is_refused(issued.refresh)
    assert not _is_accepted(issued)
    assert isinstance(sessions.log_in(user.tenant_id, user.email, PASSWORD), Unauthorized)

    _set_status(database, user.tenant_id, "active")
    assert _is_accepted(issued)
    assert _refresh(issued.refresh)


def test_a_role_change_ends_the_tokens_of_the_old_role_and_none_of_the_new(user: TestUser) -> None:
    before = log_in(user).tokens
    with tenant_session(user.tenant_id) as session:
        assert sessions.change_role(session, user.user_id, "viewer") is not None
    after = log_in(user).tokens  # most likely within the same second

    assert not _is_accepted(before)
    assert _is_refused(before.refresh)
    assert _is_accepted(after)
    assert verify_access_token(after.access.token).scopes == {"viewer"}
    assert _refresh(after.refresh)


def test_giving_a_member_the_role_they_have_ends_nothing(user: TestUser) -> None:
    issued = log_in(user).tokens
    with tenant_session(user.tenant_id) as session:
        assert sessions.change_role(session, user.user_id, "manager") is None

    assert _is_accepted(issued)


def test_the_last_administrator_stays_one(tenant: UUID) -> None:
    admin = make_user(tenant, "admin")

    with tenant_session(tenant) as session, pytest.raises(Conflict, match="last one"):
        sessions.change_role(session, admin.user_id, "viewer")

    second = make_user(tenant, "admin")
    with tenant_session(tenant) as session:
        assert sessions.change_role(session, admin.user_id, "viewer")
    with tenant_session(tenant) as session, pytest.raises(Conflict, match="last one"):
        sessions.change_role(session, second.user_id, "manager")


def test_two_administrators_who_demote_each_other_at_once_leave_one(tenant: UUID) -> None:
    first, second = make_user(tenant, "admin"), make_user(tenant, "admin")

    def demote(user_id: UUID) -> bool:
        try:
            with tenant_session(tenant) as session:
                return sessions.change_role(session, user_id, "viewer") is not None
        except Conflict:
            return False

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(demote, [first.user_id, second.user_id]))

    assert sorted(done) == [False, True]
    assert count(tenant, "memberships", "role = 'admin'") == 1


def test_of_two_refreshes_at_the_same_time_one_wins_and_the_session_lives(
    user: TestUser, database: Database
) -> None:
    issued = log_in(user).tokens
    answers = _while_locked(database, user, [lambda: sessions.refresh(issued.refresh)] * 4)

    won = [answer for answer in answers if isinstance(answer, Tokens)]
    assert len(won) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 3
    assert _is_accepted(won[0])
    assert _refresh(won[0].refresh)
    assert count(user.tenant_id, "refresh_tokens") == 3


def test_a_logout_and_a_refresh_at_the_same_time_leave_no_session(user: TestUser, database: Database) -> None:
    issued = log_in(user).tokens

    def log_out() -> None:
        with tenant_session(user.tenant_id) as session:
            users.lock_membership(session, user.user_id)
            tokens.end_session(session, issued.refresh.token_id, user.user_id, timedelta(minutes=15))

    answers = _while_locked(database, user, [log_out, lambda: sessions.refresh(issued.refresh)])

    assert count(user.tenant_id, "refresh_tokens", "revoked_at IS NULL") == 0
    for answer in answers:
        assert not isinstance(answer, Tokens) or not _is_accepted(answer)


def test_a_wrong_password_is_counted_although_it_is_refused(user: TestUser) -> None:
    for _ in range(2):
        assert isinstance(sessions.log_in(user.tenant_id, user.email, "wrong horse"), Unauthorized)

    assert count(user.tenant_id, "login_failures", "failures = 2") == 1


def test_after_too_many_failures_the_right_password_is_refused_too(user: TestUser) -> None:
    for _ in range(get_settings().login_failures_max):
        assert isinstance(sessions.log_in(user.tenant_id, user.email, "wrong horse"), Unauthorized)

    refusal = sessions.log_in(user.tenant_id, user.email.upper(), PASSWORD)

    assert isinstance(refusal, TooManyRequests)
    assert 0 < int(refusal.headers["Retry-After"]) <= get_settings().login_failures_window_seconds
    assert isinstance(sessions.log_in(user.tenant_id, make_user(user.tenant_id).email, PASSWORD), Login)


def test_a_lockout_ends_with_its_window(user: TestUser, database: Database) -> None:
    for _ in range(get_settings().login_failures_max + 1):
        sessions.log_in(user.tenant_id, user.email, "wrong horse")
    with database.connect() as connection:
        connection.execute(
            "UPDATE login_failures SET window_started_at = now() - interval '1 day' WHERE tenant_id = %s",
            [user.tenant_id],
        )

    assert log_in(user)
    assert count(user.tenant_id, "login_failures") == 0


def test_guesses_in_parallel_are_all_counted(user: TestUser) -> None:
    with ThreadPoolExecutor(8) as pool:
        guesses = pool.map(lambda _: sessions.log_in(user.tenant_id, user.email, "wrong horse"), range(12))

    refusals = [type(guess) for guess in guesses]
    assert refusals.count(Unauthorized) == get_settings().login_failures_max


def test_success_clears_the_failures(user: TestUser) -> None:
    for _ in range(get_settings().login_failures_max - 1):
        sessions.log_in(user.tenant_id, user.email, "wrong horse")
    log_in(user)

    assert isinstance(sessions.log_in(user.tenant_id, user.email, "wrong horse"), Unauthorized)
    assert count(user.tenant_id, "login_failures", "failures = 1") == 1


@pytest.mark.parametrize("case", ["known user", "unknown user", "unknown tenant", "other tenant"])
def test_every_refused_login_costs_one_hash_and_says_the_same(
    user: TestUser, make_tenant: Callable[[], UUID], monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    hashed: list[argon2.Parameters] = []
    real = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, stored: str, password: str) -> bool:
        hashed.append(argon2.extract_parameters(stored))
        return real(self, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    tenant_id, email = {
        "known user": lambda: (user.tenant_id, user.email),
        "unknown user": lambda: (user.tenant_id, "nobody@example.test"),
        "unknown tenant": lambda: (uuid4(), user.email),
        "other tenant": lambda: (make_tenant(), user.email),
    }[case]()
    refusal = sessions.log_in(tenant_id, email, "wrong horse")

    assert isinstance(refusal, Unauthorized)
    assert refusal.detail == "The e-mail address, the password or the tenant is wrong."
    assert refusal.headers == {"WWW-Authenticate": 'Bearer realm="skeldir"'}
    assert [(p.memory_cost, p.time_cost, p.parallelism) for p in hashed] == [(19_456, 2, 1)]


def test_a_hash_with_older_parameters_is_renewed_at_the_next_login(
    user: TestUser, database: Database
) -> None:
    older = argon2.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    with database.connect() as connection:
        connection.execute("UPDATE users SET password_hash = %s WHERE user_id = %s", [older, user.user_id])
    log_in(user)

    with database.connect() as connection:
        row = connection.execute("SELECT password_hash FROM users WHERE user_id = %s", [user.user_id])
        (stored,) = row.fetchone() or ("",)
    assert argon2.extract_parameters(stored).memory_cost == 19_456
    assert log_in(user)


def _set_status(database: Database, tenant_id: UUID, status: str) -> None:
    with database.connect() as connection:
        connection.execute("UPDATE tenants SET status = %s WHERE tenant_id = %s", [status, tenant_id])


def _while_locked(database: Database, user: TestUser, acts: Sequence[Callable[[], object]]) -> list[object]:
    """Start all acts and let none go on before all wait for the user's membership."""
    with database.connect() as connection, ThreadPoolExecutor(len(acts)) as pool:
        with connection.transaction():
            connection.execute("SELECT FROM memberships WHERE user_id = %s FOR UPDATE", [user.user_id])
            started = [pool.submit(act) for act in acts]
            with database.connect() as watcher:
                _wait_until_waiting(watcher, len(acts))
        return [future.result(timeout=30) for future in started]


def _wait_until_waiting(connection: psycopg.Connection, waiting: int) -> None:
    asked = threading.Event()
    for _ in range(600):
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock'"
        ).fetchone()
        if row == (waiting,):
            return
        asked.wait(0.05)
    raise AssertionError("they never waited")


def test_errors_say_nothing_of_what_was_sent(user: TestUser) -> None:
    refusal = sessions.log_in(user.tenant_id, user.email, "wrong horse")

    assert isinstance(refusal, SkeldirError)
    assert user.email not in refusal.detail
