"""A request with an Idempotency-Key can be sent again: it is answered as before and does nothing more."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.domain.errors import Conflict, SkeldirError, TooManyRequests
from skeldir.http.boundary import Call
from skeldir.http.context import Context, Reply
from skeldir.security.principal import Principal
from tests.conftest import Database
from tests.contract.serving import PretendCredentials, Response, ask, contract, operation, serve

SCHEMES = {"tenantKeyAuth": {"type": "apiKey", "in": "header", "name": "X-Skeldir-Tenant-Key"}}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "x-runtime": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x20-\x7e]+$"},
}
BODY = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
INSERT = text("INSERT INTO orders (order_id, journey_id, ordered_at) VALUES (:order_id, 'j', now())")
COUNT = text("SELECT count(*) FROM orders")
KEPT = text("SELECT count(*) FROM idempotency_keys")


class Thing(BaseModel):
    """An answer."""

    count: int


class Credentials(PretendCredentials):
    """The key is the tenant's id."""

    def of_tenant_key(self, key: str) -> Principal:
        return Principal(UUID(key), "tenant_key")


class Service:
    """One operation that takes a key; `handle` is what it does."""

    def __init__(self, tenant: UUID, handle: Callable[[Context], object], transaction: Any = "write") -> None:
        def route(call: Call) -> Any:
            return call.run(handle, transaction=transaction, status=200)

        def served(name: str) -> dict[str, Any]:
            security = [{"tenantKeyAuth": []}]
            return operation(name, security=security, parameters=[KEY], requestBody=BODY)

        document = contract(
            {"/x": {"post": served("operate")}, "/y": {"post": served("other")}},
            components={"securitySchemes": SCHEMES},
        )
        self.app = serve(document, {"operate": route, "other": route}, functions=Credentials())
        self.tenant = tenant

    def post(self, key: str | None = "k", path: str = "/x", **body: Any) -> Response:
        """Send the request, as the tenant."""
        headers = {"X-Skeldir-Tenant-Key": str(self.tenant)}
        if key is not None:
            headers["Idempotency-Key"] = key
        return ask(self.app, "POST", path, headers=headers, json_body=body)


def insert(ctx: Context) -> Thing:
    ctx.session.execute(INSERT, {"order_id": str(ctx.correlation_id)})
    return Thing(count=ctx.session.execute(COUNT).scalar_one())


def insert_elsewhere(ctx: Context) -> Thing:
    with tenant_session(ctx.tenant_id) as session:
        session.execute(INSERT, {"order_id": str(ctx.correlation_id)})
        return Thing(count=session.execute(COUNT).scalar_one())


WAYS = pytest.mark.parametrize(
    ("handle", "transaction"), [(insert, "write"), (insert_elsewhere, "none")], ids=["write", "none"]
)


def orders(tenant: UUID, statement: Any = COUNT) -> int:
    with tenant_session(tenant) as session:
        return int(session.execute(statement).scalar_one())


@WAYS
def test_the_same_request_is_answered_as_before(tenant: UUID, handle: Any, transaction: str) -> None:
    service = Service(tenant, lambda ctx: Reply(handle(ctx), 201, {"Location": "/y"}), transaction)

    first, again = service.post(a=1), service.post(a=1)

    assert (first.status, first.body) == (again.status, again.body) == (201, b'{"count":1}')
    assert (first.headers["location"], again.headers["location"]) == ("/y", "/y")
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert first.headers["x-correlation-id"] != again.headers["x-correlation-id"]
    assert orders(tenant) == 1


@WAYS
def test_a_key_that_comes_with_another_request_is_refused(
    tenant: UUID, handle: Any, transaction: str
) -> None:
    service = Service(tenant, handle, transaction)
    service.post(a=1)

    other = service.post(a=2)

    assert (other.status, other.json()["code"], orders(tenant)) == (422, "idempotency_key_reused", 1)


@WAYS
def test_a_key_is_good_for_one_operation_of_one_tenant(
    tenant: UUID, make_tenant: Callable[[], UUID], handle: Any, transaction: str
) -> None:
    service, elsewhere = Service(tenant, handle, transaction), Service(make_tenant(), handle, transaction)

    answers = [service.post(), service.post(path="/y"), elsewhere.post()]

    assert ["idempotency-replayed" in answer.headers for answer in answers] == [False] * 3
    assert (orders(tenant), orders(elsewhere.tenant)) == (2, 1)


@WAYS
def test_without_a_key_every_request_counts(tenant: UUID, handle: Any, transaction: str) -> None:
    service = Service(tenant, handle, transaction)

    assert [service.post(None).json()["count"] for _ in range(2)] == [1, 2]
    assert orders(tenant, KEPT) == 0


@WAYS
def test_while_a_request_is_at_work_its_key_is_a_conflict(
    tenant: UUID, handle: Any, transaction: str
) -> None:
    """Nobody waits: the second caller is told at once, and gets the answer when he asks later."""
    begun, go_on = threading.Event(), threading.Event()

    def slowly(ctx: Context) -> Thing:
        done: Thing = handle(ctx)
        begun.set()
        assert go_on.wait(30)
        return done

    service = Service(tenant, slowly, transaction)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(service.post)
        assert begun.wait(30)
        try:
            second = service.post()
        finally:
            go_on.set()

        assert (second.status, second.json()["code"]) == (409, "idempotency_key_in_use")
        assert first.result().status == 200
    assert service.post().headers["idempotency-replayed"] == "true"
    assert orders(tenant) == 1


@WAYS
def test_of_many_at_once_one_takes_effect(tenant: UUID, handle: Any, transaction: str) -> None:
    service = Service(tenant, handle, transaction)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: service.post(), range(24)))

    assert {answer.status for answer in answers} <= {200, 409}
    assert {answer.body for answer in answers if answer.status == 200} == {b'{"count":1}'}
    assert orders(tenant) == 1


@WAYS
@pytest.mark.parametrize("how", ["raised", "returned"])
def test_a_refusal_is_kept_too(tenant: UUID, handle: Any, transaction: str, how: str) -> None:
    """What a raised refusal had done is undone; what a returned one did stays; neither happens again."""
    ran: list[Context] = []

    def refuse(ctx: Context) -> SkeldirError:
        ran.append(ctx)
        handle(ctx)
        error = Conflict("there is one already")
        if how == "raised":
            raise error
        return error

    service = Service(tenant, refuse, transaction)
    first, again = service.post(), service.post()

    assert (first.status, first.body, len(ran)) == (409, again.body, 1)
    assert (again.status, again.headers["idempotency-replayed"]) == (409, "true")
    assert orders(tenant) == (0 if (how, transaction) == ("raised", "write") else 1)


@WAYS
@pytest.mark.parametrize("error", [RuntimeError("no"), TooManyRequests()])
def test_what_should_be_tried_again_is_not_kept(
    tenant: UUID, handle: Any, transaction: str, error: Exception
) -> None:
    ran: list[Context] = []

    def fail_once(ctx: Context) -> Thing:
        ran.append(ctx)
        if len(ran) == 1:
            raise error
        done: Thing = handle(ctx)
        return done

    service = Service(tenant, fail_once, transaction)

    assert service.post().status == (429 if isinstance(error, TooManyRequests) else 500)
    assert orders(tenant, KEPT) == 0
    again = service.post()
    assert (again.status, "idempotency-replayed" in again.headers, orders(tenant)) == (200, False, 1)


def test_what_is_not_valid_uses_no_key_up(tenant: UUID) -> None:
    service = Service(tenant, insert)
    headers = {"X-Skeldir-Tenant-Key": str(tenant), "Idempotency-Key": "k"}

    assert ask(service.app, "POST", "/x", headers=headers, json_body=[]).status == 400
    assert service.post().status == 200


@pytest.mark.parametrize("key", ["", "\x7f", "\xe9", "x" * 256])
def test_a_key_is_1_to_255_printable_characters(tenant: UUID, key: str) -> None:
    service = Service(tenant, insert)

    refused = service.post(key)

    assert (refused.status, {field for field, _ in refused.fields()}) == (400, {"header.Idempotency-Key"})
    assert service.post("x" * 255).status == service.post('"a b"').status == 200


def test_the_key_of_a_process_that_died_can_be_used_again(database: Database, tenant: UUID) -> None:
    """Its claim is believed for a while; whoever asks the same afterwards takes it over."""

    def die(_: Context) -> Thing:
        raise SystemExit

    dying = Service(tenant, die, "none")
    with pytest.raises(SystemExit):
        dying.post()
    service = Service(tenant, insert_elsewhere, "none")
    assert service.post().status == 409

    with database.connect() as connection:
        connection.execute(
            "UPDATE idempotency_keys SET claimed_until = now() - interval '1 second' WHERE tenant_id = %s",
            [tenant],
        )

    assert service.post(a=1).status == 422
    assert (service.post().status, service.post().headers["idempotency-replayed"]) == (200, "true")
    assert orders(tenant) == 1


def test_the_key_itself_is_not_kept(tenant: UUID) -> None:
    """Callers may choose anything for a key, a customer's address too."""
    Service(tenant, insert).post("ada@example.com")

    with tenant_session(tenant) as session:
        kept = session.execute(text("SELECT CAST(to_jsonb(k) AS text) FROM idempotency_keys k")).scalar_one()
    assert "operate" in kept
    assert "ada@" not in kept
    assert b"ada@".hex() not in kept
