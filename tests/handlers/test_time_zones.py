"""A server in local time: whatever zone its sessions begin in, the service tells and counts UTC."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import text

from skeldir.app import create_app
from skeldir.db.engine import dispose_engines, get_engine
from skeldir.db.session import (
    lookup_session,
    session_beside,
    tenant_session,
    tenant_transaction,
    transaction_over,
)
from skeldir.settings import get_settings
from tests import waiting
from tests.asgi import Api
from tests.conftest import Database
from tests.identity import log_in, make_user
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import Booking, Sale, World
from workers.recomputing import recompute_window
from workers.uncertainty import estimate_intervals, request_intervals

ZONE = text("SHOW TimeZone")
LATE = worlds.START.replace(hour=23, minute=30)
"""In Berlin it is the next day."""
DAY, NEXT_DAY = "2026-08-01", "2026-08-02"
SHOP = World(
    [],
    [Sale(f"o-{n}", f"j-{n}", LATE) for n in range(3)],
    [Booking(UUID(int=n + 1), f"o-{n}", "captured", 900, LATE) for n in range(3)],
)


@pytest.fixture(scope="module")
def berlin(database: Database) -> Iterator[None]:
    """Have every session of the database begin in Berlin's time."""
    name = Identifier(database.name)
    with database.connect() as connection:
        connection.execute(SQL("ALTER DATABASE {} SET timezone TO 'Europe/Berlin'").format(name))
        dispose_engines()
        yield
        connection.execute(SQL("ALTER DATABASE {} RESET timezone").format(name))
        dispose_engines()


@pytest.fixture(scope="module")
def api(berlin: None) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def token(api: Api, database: Database, tenant: UUID) -> str:  # noqa: ARG001  (from now on it is Berlin)
    """Return a manager's token, of a shop with three orders late in a day."""
    with database.connect() as connection:
        worlds.store(connection, tenant, SHOP)
        worlds.mark(connection, tenant, SHOP.journeys)
    return log_in(make_user(tenant, "manager")).tokens.access.token


def run(task: Any, tenant: UUID, **arguments: str) -> Any:
    kwargs = {"tenant_id": str(tenant), **arguments}
    return task.apply(kwargs=kwargs, task_id=str(uuid4())).get()


def get(api: Api, token: str, path: str, **asked: str) -> Any:
    reply = api.send("GET", path, token=token, params=asked)
    assert reply.status_code == 200, reply.text
    return reply.json()


def recompute(api: Api, token: str, tenant: UUID) -> str:
    """Have the orders' day computed; return the job's id."""
    asked = {"model": "linear", "window_start": f"{DAY}T00:00:00Z", "window_end": f"{NEXT_DAY}T00:00:00Z"}
    reply = api.send("POST", "/api/attribution/recompute-jobs", token=token, json=asked)
    job_id = str(reply.json()["job_id"])
    assert run(recompute_window, tenant, job_id=job_id)["outcome"] == "computed"
    return job_id


@pytest.mark.usefixtures("berlin")
def test_every_transaction_is_in_utc(database: Database, tenant: UUID) -> None:
    """Whoever opens it, and over whichever connection."""
    with database.connect() as connection:
        assert connection.execute("SHOW TimeZone").fetchone() == ("Europe/Berlin",)
    with tenant_session(tenant, read_only=True) as session, session_beside(session) as beside:
        assert [one.execute(ZONE).scalar_one() for one in (session, beside)] == ["UTC", "UTC"]
    with lookup_session() as session:
        assert session.execute(ZONE).scalar_one() == "UTC"
    with tenant_transaction(tenant) as transaction:
        assert transaction.execute("SELECT current_setting('TimeZone'), $1", b"") == ("UTC", "")
    with get_engine("app_worker").connect() as pooled, transaction_over(pooled) as session:
        assert session.execute(ZONE).scalar_one() == "UTC"


def test_a_recomputed_day_gets_its_intervals(api: Api, database: Database, tenant: UUID, token: str) -> None:
    """A day of UTC is told as such, and so somebody can ask for what is known of it."""
    job_id = recompute(api, token, tenant)
    told = get(api, token, f"/api/attribution/recompute-jobs/{job_id}/explanation")
    midnights = (f"{DAY}T00:00:00Z", f"{NEXT_DAY}T00:00:00Z")
    assert (told["window_start"], told["window_end"]) == midnights
    assert [(day["starts_at"], day["ends_at"], day["order_count"]) for day in told["inputs"]] == [
        (*midnights, 3)
    ]
    with database.connect() as connection:
        assert "maintenance.request_intervals" in waiting.names(connection, tenant)
    run(request_intervals, tenant, job_id=job_id)
    with tenant_session(tenant) as session:
        estimate_id = session.execute(text("SELECT estimate_id FROM interval_estimates")).scalar_one()
    assert run(estimate_intervals, tenant, estimate_id=str(estimate_id)) == {"outcome": "computed"}
    asked = {"model": "linear", "start_date": DAY, "end_date": DAY}
    known = get(api, token, "/api/attribution/uncertainty", **asked)
    assert known["checked_at"].endswith("Z")
    assert [channel["revenue_cents"] for channel in known["currencies"][0]["channels"]] == [2_700]


def test_the_api_and_files_tell_the_same_instants_and_days(api: Api, tenant: UUID, token: str) -> None:
    """What was booked at half past eleven is of that UTC day, though in Berlin it is the next one's."""
    recompute(api, token, tenant)
    order = get(api, token, "/api/v1/revenue/order", order_id="o-1")
    file = get(api, token, "/api/export/allocations", format="json", model="linear")
    instants = {entry["effective_at"] for entry in order["entries"]}
    assert instants == {row["effective_at"] for row in file["data"]} == {f"{DAY}T23:30:00Z"}
    days = get(api, token, "/api/export/revenue", format="json", model="linear")
    assert [(row["day"], row["revenue_cents"]) for row in days["data"]] == [(DAY, 2_700)]
    for day, cents in ((DAY, 2_700), (NEXT_DAY, 0)):
        span = {"model": "linear", "start_date": day, "end_date": day}
        report = get(api, token, "/api/attribution/channels", **span)
        assert sum(one["allocated_cents"] for one in report["currencies"]) == cents
