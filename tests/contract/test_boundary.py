"""One transaction around each handler: what commits, what is rolled back, what is tried again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from pydantic import BaseModel
from sqlalchemy import create_engine, text

from skeldir.db import engine as engines
from skeldir.db.session import tenant_session
from skeldir.domain.errors import Conflict, SkeldirError
from skeldir.http.boundary import TRIES, Call
from skeldir.http.context import Context, Reply
from skeldir.security.principal import Principal
from skeldir.settings import get_settings
from tests.conftest import Database
from tests.contract.serving import PretendCredentials, Response, ask, contract, operation, serve
from tests.identity import log_in, make_user

SCHEMES = {"tenantKeyAuth": {"type": "apiKey", "in": "header", "name": "X-Skeldir-Tenant-Key"}}
INSERT = text("INSERT INTO orders (order_id, journey_id, ordered_at) VALUES (:order_id, 'j', now())")
COUNT = text("SELECT count(*) FROM orders")


class Thing(BaseModel):
    """An answer."""

    count: int


class Credentials(PretendCredentials):
    """The key is the tenant's id."""

    def of_tenant_key(self, key: str) -> Principal:
        return Principal(UUID(key), "tenant_key")


def run(
    tenant: UUID, handle: Callable[[Context], object], transaction: Any = "write", **more: Any
) -> Response:
    """Run one handler behind a whole application."""

    def route(call: Call) -> Any:
        return call.run(handle, transaction=transaction, status=200)

    method = "get" if transaction == "read" else "post"
    served = operation("operate", security=[{"tenantKeyAuth": []}])
    served["responses"] |= more.pop("responses", {})
    document = contract({"/x": {method: served}}, components={"securitySchemes": SCHEMES})
    headers = {"X-Skeldir-Tenant-Key": str(tenant)} | more.pop("headers", {})
    app = serve(document, {"operate": route}, functions=Credentials(), **more)
    return ask(app, method.upper(), "/x", headers=headers)


def insert(ctx: Context) -> None:
    ctx.session.execute(INSERT, {"order_id": str(ctx.correlation_id)})


def orders(tenant: UUID) -> int:
    with tenant_session(tenant) as session:
        return int(session.execute(COUNT).scalar_one())


def test_a_return_commits(tenant: UUID) -> None:
    def handle(ctx: Context) -> Thing:
        insert(ctx)
        return Thing(count=1)

    response = run(tenant, handle)
    assert (response.status, response.json(), orders(tenant)) == (200, {"count": 1}, 1)
    assert response.headers["cache-control"] == "no-store"


def test_a_returned_error_commits_and_is_then_told(tenant: UUID) -> None:
    def handle(ctx: Context) -> SkeldirError:
        insert(ctx)
        return Conflict("noted")

    assert (run(tenant, handle).status, orders(tenant)) == (409, 1)


@pytest.mark.parametrize("error", [Conflict("no"), RuntimeError("no")])
def test_a_raise_rolls_back(tenant: UUID, error: Exception) -> None:
    def handle(ctx: Context) -> None:
        insert(ctx)
        raise error

    status = 409 if isinstance(error, Conflict) else 500
    assert (run(tenant, handle).status, orders(tenant)) == (status, 0)


def test_an_answer_that_cannot_be_written_rolls_back(tenant: UUID) -> None:
    def handle(ctx: Context) -> Reply[Thing]:
        insert(ctx)
        return Reply(Thing(count=1), headers={"X-Broken": "two\r\nlines"})

    assert (run(tenant, handle).status, orders(tenant)) == (500, 0)


def test_an_answer_that_breaks_its_contract_rolls_back(tenant: UUID) -> None:
    """With response validation on, what the contract does not promise does not happen."""

    def handle(ctx: Context) -> Reply[Thing]:
        insert(ctx)
        return Reply(Thing(count=1), status=201)

    assert (run(tenant, handle).status, orders(tenant)) == (201, 1)
    answer = run(tenant, handle, validate_responses=True)
    assert (answer.status, answer.json()["code"], orders(tenant)) == (500, "invalid_response", 1)


def test_a_read_sees_one_snapshot_and_cannot_write(tenant: UUID) -> None:
    def handle(ctx: Context) -> Thing:
        level = ctx.session.execute(text("SHOW transaction_isolation")).scalar_one()
        assert level == "repeatable read"
        insert(ctx)
        return Thing(count=1)

    assert (run(tenant, handle, "read").status, orders(tenant)) == (500, 0)


def test_a_transaction_that_met_another_one_is_tried_again(tenant: UUID) -> None:
    tries: list[UUID] = []

    def handle(ctx: Context) -> Thing:
        tries.append(ctx.correlation_id)
        ctx.session.execute(INSERT, {"order_id": f"try {len(tries)}"})
        if len(tries) < TRIES:
            raise psycopg.errors.DeadlockDetected
        return Thing(count=len(tries))

    assert (run(tenant, handle).status, len(tries), orders(tenant)) == (200, TRIES, 1)


def test_it_is_not_tried_for_ever(tenant: UUID) -> None:
    tries: list[Context] = []

    def handle(ctx: Context) -> None:
        tries.append(ctx)
        raise psycopg.errors.SerializationFailure

    response = run(tenant, handle)
    assert (response.status, response.headers["retry-after"], len(tries)) == (503, "1", TRIES)


def test_a_handler_without_a_transaction_has_no_session(tenant: UUID) -> None:
    def handle(ctx: Context) -> Thing:
        with pytest.raises(RuntimeError, match="x-transaction: none"):
            _ = ctx.session
        return Thing(count=0)

    assert run(tenant, handle, "none").status == 200


def test_a_revoked_token_is_refused_without_a_transaction_too(tenant: UUID) -> None:
    """An operation that opens its own sessions must not be the one that forgets to ask."""
    user = make_user(tenant, "admin")
    token = log_in(user).tokens.access.token

    def route(call: Call) -> Any:
        return call.run(lambda _: Thing(count=0), transaction="none", status=200)

    async def route_async(call: Call) -> Any:
        async def handle(_: Context) -> Thing:
            return Thing(count=0)

        return await call.run_async(handle, status=200)

    from skeldir.http.credentials import ServiceCredentials  # noqa: PLC0415

    scheme = {"type": "oauth2", "flows": {"password": {"tokenUrl": "/", "scopes": {"admin": ""}}}}
    secured = {"security": [{"accessBearerAuth": ["admin"]}]}
    document = contract(
        {
            "/sync": {"get": operation("sync", **secured)},
            "/async": {"get": operation("async", **secured, **{"x-execution": "async"})},
        },
        components={"securitySchemes": {"accessBearerAuth": scheme}},
    )
    app = serve(document, {"sync": route, "async": route_async}, functions=ServiceCredentials())
    headers = {"Authorization": f"Bearer {token}"}
    assert [ask(app, "GET", path, headers=headers).status for path in ("/sync", "/async")] == [200, 200]
    with tenant_session(tenant, engine=engines.get_engine("app_admin")) as session:
        session.execute(
            text("""INSERT INTO token_cutoffs (user_id, tokens_invalid_before)
                    VALUES (:user_id, now() + interval '1 hour')"""),
            {"user_id": user.user_id},
        )
    for path in ("/sync", "/async"):
        refused = ask(app, "GET", path, headers=headers)
        assert (refused.status, "Bearer" in refused.headers["www-authenticate"]) == (401, True)


def test_a_database_that_does_not_answer_is_a_503(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = create_engine(database.superuser.set(port=1), isolation_level="AUTOCOMMIT")
    monkeypatch.setitem(engines._engines, "app_user", (get_settings(), nowhere))
    response = run(tenant, lambda _: Thing(count=1))
    assert (response.status, response.json()["code"]) == (503, "unavailable")
    assert response.headers["retry-after"] == "1"


def test_data_carries_a_tag_and_is_not_sent_again(tenant: UUID) -> None:
    documented = {"responses": {"304": {"description": "Held."}}}
    first = run(tenant, lambda _: Thing(count=1), "read", **documented)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    held = run(tenant, lambda _: Thing(count=1), "read", headers={"If-None-Match": tag}, **documented)
    assert (held.status, held.body, held.headers["etag"]) == (304, b"", tag)
    assert "content-type" not in held.headers
    changed = run(tenant, lambda _: Thing(count=2), "read", headers={"If-None-Match": tag}, **documented)
    assert changed.status == 200


def test_a_reply_has_its_own_status_and_headers(tenant: UUID) -> None:
    reply = Reply(Thing(count=1), status=202, headers={"Location": "/y", "Cache-Control": "private"})
    response = run(tenant, lambda _: reply)
    assert (response.status, response.headers["location"]) == (202, "/y")
    assert response.headers["cache-control"] == "private"


def test_nothing_is_answered_with_no_body(tenant: UUID) -> None:
    response = run(tenant, lambda _: Reply(None, status=204))
    assert (response.status, response.body) == (204, b"")
    assert "content-length" not in response.headers
    assert "content-type" not in response.headers
