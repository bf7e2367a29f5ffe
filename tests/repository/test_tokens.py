"""Cut-offs only move forward, sessions end as a whole, and housekeeping takes only what has expired."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from skeldir.db.session import tenant_session
from skeldir.repository import login_failures, tokens
from tests.conftest import Database
from tests.identity import count, log_in, make_user

LIFETIME = timedelta(minutes=15)


def test_a_cutoff_never_moves_back(tenant: UUID) -> None:
    user, now = make_user(tenant), datetime.now(UTC)

    with tenant_session(tenant) as session:
        first = tokens.raise_cutoff(session, user.user_id, now - timedelta(hours=1))
        assert tokens.raise_cutoff(session, user.user_id, now - timedelta(hours=2)) == first
        assert tokens.raise_cutoff(session, user.user_id) > first


def test_a_cutoff_is_never_in_the_future(tenant: UUID) -> None:
    user = make_user(tenant)

    with tenant_session(tenant) as session:
        asked = datetime.now(UTC) + timedelta(days=1)
        assert tokens.raise_cutoff(session, user.user_id, asked) < asked - timedelta(hours=23)


def test_a_past_cutoff_ends_only_the_sessions_that_began_before_it(tenant: UUID) -> None:
    user = make_user(tenant)
    before, after = log_in(user), log_in(user)
    with tenant_session(tenant) as session:
        issued = after.tokens.access.expires_at - timedelta(minutes=15, microseconds=1)
        tokens.raise_cutoff(session, user.user_id, issued)
        tokens.end_sessions_cut_off(session, user.user_id, LIFETIME)

        ended = tokens.find(session, before.tokens.refresh.token_id)
        alive = tokens.find(session, after.tokens.refresh.token_id)

    assert ended is not None
    assert (ended.used, ended.cut_off) == (True, True)
    assert alive is not None
    assert (alive.used, alive.cut_off) == (False, False)
    assert count(tenant, "access_token_denylist") == 1


def test_ending_a_session_twice_is_ending_it(tenant: UUID) -> None:
    user = make_user(tenant)
    session_id = log_in(user).tokens.refresh.token_id

    for _ in range(2):
        with tenant_session(tenant) as session:
            tokens.end_session(session, session_id, user.user_id, LIFETIME)

    assert count(tenant, "refresh_tokens", "revoked_at IS NOT NULL") == 1
    assert count(tenant, "access_token_denylist") == 1


def test_housekeeping_deletes_what_has_expired_and_nothing_else(tenant: UUID, database: Database) -> None:
    user = make_user(tenant)
    log_in(user)
    with tenant_session(tenant) as session:
        tokens.end_session(session, uuid4(), user.user_id, LIFETIME)

    def prune(now: datetime) -> int:
        with tenant_session(tenant, engine=database.engine("app_worker")) as session:
            return tokens.prune_expired(session, now, 1000)

    assert prune(datetime.now(UTC)) == 0
    assert prune(datetime.now(UTC) + timedelta(hours=1)) == 1
    assert prune(datetime.now(UTC) + timedelta(days=91)) == 1
    assert count(tenant, "refresh_tokens") == 0


def test_housekeeping_forgets_failures_of_tenants_that_never_were(database: Database) -> None:
    nowhere = uuid4()
    with tenant_session(nowhere) as session:
        login_failures.count_attempt(session, b"somebody", timedelta(minutes=15))

    with tenant_session(nowhere, engine=database.engine("app_worker")) as session:
        login_failures.prune(session, datetime.now(UTC) - timedelta(hours=1), 1000)
    assert count(nowhere, "login_failures") == 1

    with tenant_session(nowhere, engine=database.engine("app_worker")) as session:
        assert login_failures.prune(session, datetime.now(UTC), 1000) >= 1
    assert count(nowhere, "login_failures") == 0
