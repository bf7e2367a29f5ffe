"""A tenant gets as many requests per minute as the setting says, however many processes answer them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from skeldir.domain.errors import TooManyRequests
from skeldir.http import rate_limits
from skeldir.http.boundary import Call
from skeldir.http.context import Context
from skeldir.security.principal import Principal
from skeldir.settings import get_settings
from tests.conftest import Database
from tests.contract.serving import PretendCredentials, Response, ask, contract, operation, serve

SCHEMES = {"tenantKeyAuth": {"type": "apiKey", "in": "header", "name": "X-Skeldir-Tenant-Key"}}


class Thing(BaseModel):
    """An answer."""

    count: int


class Credentials(PretendCredentials):
    """The key is the tenant's id."""

    def of_tenant_key(self, key: str) -> Principal:
        return Principal(UUID(key), "tenant_key")


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    rate_limits.forget_leases()
    yield
    rate_limits.forget_leases()


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that sets how many requests per minute the API allows."""

    def allow(per_minute: int) -> None:
        changed = get_settings().model_copy(update={"api_requests_per_minute_max": per_minute})
        monkeypatch.setattr(rate_limits, "get_settings", lambda: changed)

    return allow


def call(
    tenant: UUID, handle: Callable[[Context], object] = lambda _: Thing(count=1), **more: Any
) -> Response:
    """Ask a limited operation whose handler needs no database."""

    def route(asked: Call) -> Any:
        return asked.run(handle, transaction="none", status=200)

    served = operation("operate", security=[{"tenantKeyAuth": []}])
    document = contract({"/x": {"post": served}}, components={"securitySchemes": SCHEMES}, **more)
    app = serve(document, {"operate": route}, functions=Credentials())
    return ask(app, "POST", "/x", headers={"X-Skeldir-Tenant-Key": str(tenant)})


def bucket(database: Database, tenant: UUID) -> tuple[Any, ...] | None:
    """Return what the database holds of the tenant's bucket."""
    with database.connect() as connection:
        return connection.execute(
            "SELECT leased, leased_at, full_at FROM rate_limits WHERE tenant_id = %s", [tenant]
        ).fetchone()


def spend(tenant: UUID, tokens: int) -> None:
    """Charge so many requests."""
    for _ in range(tokens):
        rate_limits.charge(tenant, "api")


def a_minute_later(database: Database, tenant: UUID) -> None:
    """Let the bucket believe that a minute has passed."""
    with database.connect() as connection:
        connection.execute(
            "UPDATE rate_limits SET full_at = full_at - interval '1 minute' WHERE tenant_id = %s", [tenant]
        )


def test_answers_tell_what_remains_and_beyond_the_limit_is_429(
    tenant: UUID, make_tenant: Callable[[], UUID], limit: Callable[[int], None]
) -> None:
    limit(3)
    answers = [call(tenant) for _ in range(4)]

    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit"] for answer in answers[:3]] == [
        f'"api";r={left};t=20' for left in (2, 1, 0)
    ]
    refused = answers[3]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"api";q=3;w=60'}
    assert refused.json()["code"] == "rate_limited"
    assert refused.headers["ratelimit"] == f'"api";r=0;t={refused.headers["retry-after"]}'
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert call(make_tenant()).status == 200


def test_a_refused_request_does_not_run_and_an_error_costs_like_an_answer(
    tenant: UUID, limit: Callable[[int], None]
) -> None:
    limit(2)
    ran: list[Context] = []

    def handle(ctx: Context) -> Thing:
        ran.append(ctx)
        raise RuntimeError

    answers = [call(tenant, handle) for _ in range(3)]

    assert [answer.status for answer in answers] == [500, 500, 429]
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == ["r=1", "r=0", "r=0"]
    assert len(ran) == 2


def test_what_a_contract_exempts_is_not_counted(
    database: Database, tenant: UUID, limit: Callable[[int], None]
) -> None:
    limit(1)
    answers = [call(tenant, **{"x-rate-limit": "none"}) for _ in range(3)]

    assert {answer.status for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers
    assert bucket(database, tenant) is None


def test_a_lease_serves_many_requests_without_the_database(
    database: Database, tenant: UUID, limit: Callable[[int], None]
) -> None:
    limit(6_000)
    call(tenant)
    leased = bucket(database, tenant)
    assert leased is not None
    assert leased[0] == 100

    spend(tenant, 99)
    assert bucket(database, tenant) == leased
    rate_limits.charge(tenant, "api")
    assert bucket(database, tenant) != leased


def test_a_flood_of_refused_requests_does_not_reach_the_database(
    database: Database, tenant: UUID, limit: Callable[[int], None]
) -> None:
    limit(1)
    rate_limits.charge(tenant, "api")
    with pytest.raises(TooManyRequests):
        rate_limits.charge(tenant, "api")
    asked = bucket(database, tenant)

    for _ in range(100):
        with pytest.raises(TooManyRequests):
            rate_limits.charge(tenant, "api")

    assert bucket(database, tenant) == asked


def test_what_a_dead_process_had_leased_comes_back_with_time(
    database: Database, tenant: UUID, limit: Callable[[int], None]
) -> None:
    limit(120)
    for _ in range(60):  # sixty processes, each of which dies with one of its two tokens
        rate_limits.charge(tenant, "api")
        rate_limits.forget_leases()
    with pytest.raises(TooManyRequests):
        spend(tenant, 60)  # what came back in the meantime is spent as well

    a_minute_later(database, tenant)
    rate_limits.forget_leases()

    spend(tenant, 120)


PROCESS = """
import sys
from uuid import UUID
from skeldir.domain.errors import TooManyRequests
from skeldir.http.rate_limits import charge

granted = 0
for _ in range(800):
    try:
        charge(UUID(sys.argv[1]), "api")
        granted += 1
    except TooManyRequests:
        pass
print(granted)
"""


def test_processes_together_grant_no_more_than_the_limit(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four processes ask for 3,200 of 600: they get those, and what comes back while they ask."""
    monkeypatch.setenv("SKELDIR_API_REQUESTS_PER_MINUTE_MAX", "600")
    began = now(database)
    processes = [
        subprocess.Popen([sys.executable, "-c", PROCESS, str(tenant)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    granted = sum(int(process.communicate(timeout=120)[0]) for process in processes)

    # Four processes may have ended with a block of ten that they had not spent.
    assert 600 - 4 * 10 <= granted <= 600 + 10 * (now(database) - began)


def now(database: Database) -> float:
    """Return the database's time in seconds."""
    with database.connect() as connection:
        (seconds,) = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone() or (0,)
    return float(seconds)
