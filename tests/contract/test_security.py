"""What the contract says of security is enforced, and nothing else opens a door."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.types import ASGIApp

from skeldir.domain.errors import Unauthorized
from skeldir.http import credentials
from skeldir.http.boundary import Call
from skeldir.http.credentials import ServiceCredentials
from skeldir.http.parameters import UnservableContract
from skeldir.security.principal import Principal
from tests.contract.serving import TENANT, ask, contract, operation, serve

SCHEMES = {
    "accessBearerAuth": {
        "type": "oauth2",
        "flows": {"password": {"tokenUrl": "/login", "scopes": {"admin": "", "manager": "", "viewer": ""}}},
    },
    "refreshBearerAuth": {"type": "http", "scheme": "bearer"},
    "tenantKeyAuth": {"type": "apiKey", "in": "header", "name": "X-Skeldir-Tenant-Key"},
}


def who(call: Call) -> Any:
    def handle(ctx: Any) -> str:
        principal: Principal | None = ctx.principal
        return '"nobody"' if principal is None else f'"{principal.role or principal.kind}"'

    return call.run(handle, transaction="none", status=200)


OPERATIONS = {
    "public": [],
    "viewer": [{"accessBearerAuth": ["viewer"]}],
    "admin": [{"accessBearerAuth": ["admin"]}],
    "refresh": [{"refreshBearerAuth": []}],
    "key": [{"tenantKeyAuth": []}],
    "either": [{"tenantKeyAuth": []}, {"accessBearerAuth": ["manager"]}],
}


@pytest.fixture(scope="module")
def app(module_patch: pytest.MonkeyPatch) -> ASGIApp:
    # Whether a token was revoked, and how much was asked before, the database says: see test_boundary.
    module_patch.setattr(Call, "refuse_revoked", lambda _: None)
    paths = {f"/{name}": {"get": operation(name, security=security)} for name, security in OPERATIONS.items()}
    document = contract(paths, components={"securitySchemes": SCHEMES}, **{"x-rate-limit": "none"})
    return serve(document, dict.fromkeys(OPERATIONS, who))


@pytest.fixture(scope="module")
def module_patch() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def key(value: str) -> dict[str, str]:
    return {"X-Skeldir-Tenant-Key": value}


@pytest.mark.parametrize(
    ("path", "headers", "caller"),
    [
        ("/public", {}, "nobody"),
        ("/public", bearer("nonsense"), "nobody"),
        ("/viewer", bearer("viewer"), "viewer"),
        ("/viewer", bearer("admin"), "admin"),
        ("/viewer", {"authorization": "bEARER  viewer "}, "viewer"),
        ("/admin", bearer("admin"), "admin"),
        ("/refresh", bearer("anything"), "nobody"),
        ("/key", key("right"), "tenant_key"),
        ("/either", key("right"), "tenant_key"),
        ("/either", bearer("manager"), "manager"),
        ("/either", bearer("manager") | key("wrong"), "manager"),
    ],
)
def test_the_right_credential_opens(app: ASGIApp, path: str, headers: dict[str, str], caller: str) -> None:
    response = ask(app, "GET", path, headers=headers)
    assert (response.status, response.body) == (200, f'"{caller}"'.encode())


@pytest.mark.parametrize(
    ("path", "headers", "status", "challenge"),
    [
        ("/viewer", {}, 401, "Bearer"),
        ("/viewer", bearer("nonsense"), 401, "Bearer"),
        ("/viewer", {"Authorization": "Basic YTpi"}, 401, 'error="invalid_request"'),
        ("/viewer", {"Authorization": "Bearer"}, 401, 'error="invalid_request"'),
        ("/viewer", key("right"), 401, "Bearer"),
        ("/admin", bearer("manager"), 403, 'error="insufficient_scope", scope="admin"'),
        ("/refresh", {}, 401, "Bearer"),
        ("/key", {}, 401, "TenantKey"),
        ("/key", bearer("admin"), 401, "TenantKey"),
        ("/key", key("wrong"), 401, "TenantKey"),
        ("/key", key("suspended"), 403, ""),
        ("/either", {}, 401, "TenantKey"),
        ("/either", bearer("viewer"), 403, "insufficient_scope"),
    ],
)
def test_any_other_credential_is_refused(
    app: ASGIApp, path: str, headers: dict[str, str], status: int, challenge: str
) -> None:
    response = ask(app, "GET", path, headers=headers)
    assert response.status == status
    assert challenge in response.headers.get("www-authenticate", "")
    assert response.json()["status"] == status


def test_the_credential_is_judged_before_anything_else(app: ASGIApp) -> None:
    """Who may not ask learns nothing of what he asked wrongly."""
    assert ask(app, "GET", "/viewer?unknown=1").status == 401


def test_an_operation_that_says_nothing_of_security_is_not_served() -> None:
    silent = operation("silent")
    del silent["security"]
    with pytest.raises(UnservableContract, match=r"operation silent of contract small: .*security"):
        serve(contract({"/silent": {"get": silent}}))


def test_the_security_of_the_whole_contract_holds_for_its_operations() -> None:
    silent = operation("silent")
    del silent["security"]
    document = contract(
        {"/silent": {"get": silent}},
        components={"securitySchemes": SCHEMES},
        security=[{"tenantKeyAuth": []}],
    )
    assert ask(serve(document), "GET", "/silent").status == 401


def test_a_verified_token_is_not_verified_again_but_ends_when_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A signature is checked once; a token's end is looked at every time."""
    verified: list[str] = []
    ends = {"long": timedelta(minutes=5), "short": timedelta(seconds=-1)}

    def verify(token: str) -> Principal:
        verified.append(token)
        if verified.count("short") > 1:
            raise Unauthorized("the access token has expired")
        return Principal(TENANT, "user", expires_at=datetime.now(UTC) + ends[token])

    monkeypatch.setattr(credentials, "verify_access_token", verify)
    functions = ServiceCredentials()
    assert functions.of_access_token("long") is functions.of_access_token("long")
    functions.of_access_token("short")
    with pytest.raises(Unauthorized):
        functions.of_access_token("short")
    assert verified == ["long", "short", "short"]


def test_the_memory_for_tokens_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "REMEMBERED_TOKENS_MAX", 3)
    monkeypatch.setattr(credentials, "verify_access_token", lambda _: Principal(TENANT, "user"))
    functions = ServiceCredentials()
    for number in range(10):
        functions.of_access_token(str(number))
    assert len(functions._verified) <= 3
