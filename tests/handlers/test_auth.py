"""The auth contract on the wire: who gets in, with what, and when no longer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from generated.registry import CONTRACTS
from skeldir.app import create_app
from skeldir.security.principal import SCOPES, Role
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.identity import PASSWORD, TestUser, count, make_user

SECURED: dict[str, tuple[str, str, Role]] = {
    "logout": ("POST", "/api/auth/logout", "viewer"),
    "verifyToken": ("GET", "/api/auth/verify", "viewer"),
    "adminRevokeTokensBefore": ("POST", "/api/auth/admin/token-cutoff", "admin"),
    "adminRbacCheck": ("GET", "/api/auth/admin/rbac-check", "admin"),
    "adminUpdateMembershipRole": ("POST", "/api/auth/admin/membership-role", "admin"),
}
ROLES: tuple[Role, ...] = ("admin", "manager", "viewer")


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def admin(tenant: UUID) -> TestUser:
    return make_user(tenant, "admin")


def _login(api: Api, user: TestUser, **changes: Any) -> httpx.Response:
    body = {"email": user.email, "password": PASSWORD, "tenant_id": str(user.tenant_id)}
    return api.send("POST", "/api/auth/login", json=body | changes)


def _tokens(api: Api, user: TestUser) -> dict[str, Any]:
    reply = _login(api, user)
    assert reply.status_code == 200, reply.text
    tokens: dict[str, Any] = reply.json()
    return tokens


def _refresh(api: Api, token: str, **body: str) -> httpx.Response:
    return api.send("POST", "/api/auth/refresh", token=token, json=body)


def _verify(api: Api, tokens: dict[str, Any]) -> int:
    return api.send("GET", "/api/auth/verify", token=tokens["access_token"]).status_code


def _change_role(api: Api, token: str, user_id: UUID, role: str) -> httpx.Response:
    body = {"user_id": str(user_id), "role": role}
    return api.send("POST", "/api/auth/admin/membership-role", token=token, json=body)


def _cut_off(api: Api, token: str, user_id: UUID, **body: str) -> httpx.Response:
    sent = {"user_id": str(user_id)} | body
    return api.send("POST", "/api/auth/admin/token-cutoff", token=token, json=sent)


def test_login_answers_with_tokens_and_the_user_as_the_caller_knows_them(api: Api, admin: TestUser) -> None:
    reply = _login(api, admin)
    body = reply.json()

    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == get_settings().access_token_seconds
    assert body["user"] == {"id": str(admin.user_id), "email": admin.email, "username": "Somebody"}


@pytest.mark.parametrize("missing", ["email", "password", "tenant_id"])
def test_an_incomplete_login_is_malformed(api: Api, missing: str) -> None:
    body = {"email": "a@example.test", "password": PASSWORD, "tenant_id": str(uuid4())}
    del body[missing]

    reply = api.send("POST", "/api/auth/login", json=body)

    assert reply.status_code == 400
    assert missing in reply.text


def test_refusals_do_not_tell_why(api: Api, admin: TestUser) -> None:
    replies = [
        _login(api, admin, password="wrong horse"),
        _login(api, admin, email="nobody@example.test"),
        _login(api, admin, tenant_id=str(uuid4())),
    ]

    own = {"correlation_id", "instance", "timestamp"}
    bodies = [{k: v for k, v in reply.json().items() if k not in own} for reply in replies]
    assert [reply.status_code for reply in replies] == [401, 401, 401]
    assert bodies[0] == bodies[1] == bodies[2]
    assert all(reply.headers["www-authenticate"].startswith("Bearer") for reply in replies)


def test_too_many_failures_ask_to_wait_and_count_although_they_are_refused(api: Api, admin: TestUser) -> None:
    allowed = get_settings().login_failures_max
    codes = [_login(api, admin, password="wrong horse").status_code for _ in range(allowed + 1)]
    reply = _login(api, admin)

    assert codes == [401] * allowed + [429]
    assert reply.status_code == 429
    assert int(reply.headers["retry-after"]) > 0
    assert count(admin.tenant_id, "login_failures", f"failures = {allowed + 2}") == 1


def test_a_login_that_nobody_has_is_locked_out_alike(api: Api, admin: TestUser) -> None:
    nobody: dict[str, Any] = {"email": f"{uuid4().hex}@example.test", "tenant_id": str(uuid4())}
    allowed = get_settings().login_failures_max

    codes = [_login(api, admin, **nobody).status_code for _ in range(allowed + 1)]

    assert codes == [401] * allowed + [429]


def test_refreshing_answers_with_new_tokens_that_work(api: Api, admin: TestUser) -> None:
    first = _tokens(api, admin)
    reply = _refresh(api, first["refresh_token"], tenant_id=str(admin.tenant_id))

    assert reply.status_code == 200
    assert reply.json()["refresh_token"] != first["refresh_token"]
    assert _verify(api, reply.json()) == 200


def test_a_refresh_token_used_twice_ends_the_session_on_the_wire(api: Api, admin: TestUser) -> None:
    first = _tokens(api, admin)
    second = _refresh(api, first["refresh_token"]).json()

    again = _refresh(api, first["refresh_token"])

    assert again.status_code == 401
    assert 'error="invalid_token"' in again.headers["www-authenticate"]
    assert _refresh(api, second["refresh_token"]).status_code == 401
    assert _verify(api, second) == 401


def test_a_body_that_disagrees_with_the_credential_is_refused_and_ends_nothing(
    api: Api, admin: TestUser
) -> None:
    tokens, other = _tokens(api, admin), _tokens(api, admin)

    for body in ({"tenant_id": str(uuid4())}, {"refresh_token": other["refresh_token"]}):
        assert _refresh(api, tokens["refresh_token"], **body).status_code == 401
    assert _refresh(api, tokens["refresh_token"], refresh_token=tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("credential", ["", "skr_x", "skr_" + "0" * 32 + "." + "0" * 32 + "." + "A" * 43])
def test_what_is_no_refresh_token_is_refused(api: Api, credential: str) -> None:
    assert _refresh(api, credential).status_code == 401
    assert api.send("POST", "/api/auth/refresh", json={}).status_code == 401


def test_an_access_token_is_no_refresh_token_nor_the_other_way_round(api: Api, admin: TestUser) -> None:
    tokens = _tokens(api, admin)

    assert _refresh(api, tokens["access_token"]).status_code == 401
    assert _verify(api, {"access_token": tokens["refresh_token"]}) == 401


def test_logging_out_ends_the_session_and_no_other(api: Api, admin: TestUser) -> None:
    first, other = _tokens(api, admin), _tokens(api, admin)
    second = _refresh(api, first["refresh_token"]).json()

    reply = api.send("POST", "/api/auth/logout", token=second["access_token"])

    assert reply.json() == {"success": True, "correlation_id": reply.headers["x-correlation-id"]}
    assert [_verify(api, tokens) for tokens in (first, second, other)] == [401, 401, 200]
    assert _refresh(api, second["refresh_token"]).status_code == 401
    assert api.send("POST", "/api/auth/logout", token=second["access_token"]).status_code == 401
    assert _refresh(api, other["refresh_token"]).status_code == 200


def test_verifying_tells_whose_token_it_is(api: Api, admin: TestUser) -> None:
    reply = api.send("GET", "/api/auth/verify", token=_tokens(api, admin)["access_token"])

    body = reply.json()
    assert (body["valid"], body["role"]) == (True, "admin")
    assert (body["tenant_id"], body["user_id"]) == (str(admin.tenant_id), str(admin.user_id))
    assert datetime.fromisoformat(body["expires_at"]) > datetime.now(UTC)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", SECURED)
def test_every_secured_operation_admits_the_roles_that_contain_its_own(
    api: Api, tenant: UUID, role: Role, operation: str
) -> None:
    method, path, needed = SECURED[operation]
    body = (
        {"user_id": str(uuid4()), "role": "viewer"}
        if "Membership" in operation
        else {"user_id": str(uuid4())}
    )
    token = _tokens(api, make_user(tenant, role))["access_token"]

    reply = api.send(
        method, path, token=token, **({"json": body} if "/admin/" in path and method == "POST" else {})
    )

    if needed in SCOPES[role]:
        assert reply.status_code in {200, 404}  # nobody has the random id
    else:
        assert reply.status_code == 403
        assert 'error="insufficient_scope"' in reply.headers["www-authenticate"]


def test_the_table_above_misses_no_secured_operation() -> None:
    (contract,) = (contract for contract in CONTRACTS if contract.name == "auth")

    named = {operation.operation_id for operation in contract.operations}
    assert named == SECURED.keys() | {"login", "refreshToken"}


@pytest.mark.parametrize("operation", SECURED)
def test_no_secured_operation_answers_without_a_token(api: Api, operation: str) -> None:
    method, path, _ = SECURED[operation]
    body = {"json": {"user_id": str(uuid4()), "role": "viewer"}} if method == "POST" else {}

    assert api.send(method, path, **body).status_code == 401
    assert api.send(method, path, token="not.a.token", **body).status_code == 401


def test_a_cutoff_ends_everything_that_was_and_nothing_that_comes(api: Api, admin: TestUser) -> None:
    user = make_user(admin.tenant_id)
    before, token = _tokens(api, user), _tokens(api, admin)["access_token"]

    reply = _cut_off(api, token, user.user_id)

    assert reply.status_code == 200
    assert _verify(api, before) == 401
    assert _refresh(api, before["refresh_token"]).status_code == 401
    after = _tokens(api, user)
    assert _verify(api, after) == 200
    again = _cut_off(api, token, user.user_id, tokens_invalid_before="2020-01-01T00:00:00Z")
    assert again.json()["tokens_invalid_before"] == reply.json()["tokens_invalid_before"]
    assert _verify(api, after) == 200


def test_a_past_cutoff_ends_older_sessions_even_if_they_were_refreshed_since(
    api: Api, admin: TestUser
) -> None:
    user = make_user(admin.tenant_id)
    old = _tokens(api, user)
    instant = datetime.now(UTC)
    refreshed, new = _refresh(api, old["refresh_token"]).json(), _tokens(api, user)

    token = _tokens(api, admin)["access_token"]
    _cut_off(api, token, user.user_id, tokens_invalid_before=instant.isoformat())

    assert [_verify(api, tokens) for tokens in (old, refreshed, new)] == [401, 401, 200]
    assert _refresh(api, refreshed["refresh_token"]).status_code == 401


@pytest.mark.parametrize(
    ("instant", "status"),
    [
        ("9999-12-31T23:59:59-23:59", 409),
        ("0001-01-01T00:00:00+23:59", 200),
        ((datetime.now(UTC) + timedelta(hours=1)).isoformat(), 409),
    ],
    ids=["end", "beginning", "in an hour"],  # the same in every worker of a parallel run
)
def test_cutoffs_at_the_ends_of_time_harm_nobody(
    api: Api, admin: TestUser, instant: str, status: int
) -> None:
    tokens = _tokens(api, admin)

    reply = _cut_off(api, tokens["access_token"], admin.user_id, tokens_invalid_before=instant)

    assert reply.status_code == status
    assert _verify(api, tokens) == 200


def test_a_role_change_is_told_and_ends_the_users_tokens(api: Api, admin: TestUser) -> None:
    user = make_user(admin.tenant_id, "manager")
    before, token = _tokens(api, user), _tokens(api, admin)["access_token"]

    reply = _change_role(api, token, user.user_id, "viewer")

    assert reply.status_code == 200
    assert (reply.json()["role"], reply.json()["revoked_existing_tokens"]) == ("viewer", True)
    assert _verify(api, before) == 401
    assert (
        api.send("GET", "/api/auth/verify", token=_tokens(api, user)["access_token"]).json()["role"]
        == "viewer"
    )


def test_giving_the_same_role_says_that_nothing_changed(api: Api, admin: TestUser) -> None:
    user = make_user(admin.tenant_id, "manager")
    before = _tokens(api, user)

    reply = _change_role(api, _tokens(api, admin)["access_token"], user.user_id, "manager")

    assert reply.json()["revoked_existing_tokens"] is False
    assert "tokens_invalid_before" not in reply.json()
    assert _verify(api, before) == 200


def test_the_last_administrator_cannot_demote_themselves(api: Api, admin: TestUser) -> None:
    tokens = _tokens(api, admin)

    assert _change_role(api, tokens["access_token"], admin.user_id, "viewer").status_code == 409
    assert _verify(api, tokens) == 200


def test_another_tenants_users_are_not_there(
    api: Api, admin: TestUser, make_tenant: Callable[[], UUID]
) -> None:
    theirs = make_user(make_tenant(), "viewer")
    tokens, token = _tokens(api, theirs), _tokens(api, admin)["access_token"]

    assert _change_role(api, token, theirs.user_id, "admin").status_code == 404
    assert _cut_off(api, token, theirs.user_id).status_code == 404
    assert _verify(api, tokens) == 200


def test_the_rbac_check_says_what_the_caller_is(api: Api, admin: TestUser) -> None:
    reply = api.send("GET", "/api/auth/admin/rbac-check", token=_tokens(api, admin)["access_token"])

    assert (reply.json()["role"], reply.json()["user_id"]) == ("admin", str(admin.user_id))
