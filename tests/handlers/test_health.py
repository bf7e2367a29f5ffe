"""Health tells the truth."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine, text

from handlers import health, watch
from skeldir.db import engine as engines
from skeldir.domain.errors import Unavailable
from skeldir.http.context import Context, RequestFacts
from skeldir.queue import messages
from skeldir.queue.messages import QUEUES
from skeldir.queue.sending import send
from skeldir.repository.worker_reports import ALIVE_SECONDS
from skeldir.settings import get_settings
from tests import waiting
from tests.conftest import Database

CONTEXT = Context(RequestFacts("GET", "/api/health", {}, b"", "127.0.0.1"), uuid4())


FORGET = "DELETE FROM skeldir_broker.schedule_entries"


@pytest.fixture(autouse=True)
def asked_anew() -> None:
    watch.look.forget()


@pytest.mark.usefixtures("database")
def test_a_migrated_database_with_its_walls_is_ready() -> None:
    assert health.readiness_probe(CONTEXT).ready is True


def test_a_login_that_row_level_security_does_not_bind_is_not_ready(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A superuser as the API's login would see every tenant: no traffic may reach it."""
    superuser = create_engine(database.superuser, isolation_level="AUTOCOMMIT")
    monkeypatch.setitem(engines._engines, "app_user", (get_settings(), superuser))
    with pytest.raises(Unavailable, match=r"Row-level security does not bind this login on .*events"):
        health.readiness_probe(CONTEXT)
    superuser.dispose()


@pytest.mark.usefixtures("database")
def test_an_older_schema_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_newest_revisions", lambda: ("9999",))
    with pytest.raises(Unavailable, match="needs 9999"):
        health.readiness_probe(CONTEXT)
    assert health.get_health_status(CONTEXT).status == "degraded"


def test_a_database_that_does_not_answer_is_not_ready_and_health_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = create_engine(database.superuser.set(port=1), isolation_level="AUTOCOMMIT")
    monkeypatch.setitem(engines._engines, "app_user", (get_settings(), nowhere))
    with pytest.raises(Unavailable, match="does not answer"):
        health.readiness_probe(CONTEXT)
    status = health.get_health_status(CONTEXT)
    assert (status.status, status.services.database) == ("unhealthy", "down")


@contextmanager
def heard_of(database: Database, *queues: str, seconds_ago: float = 0.0) -> Iterator[None]:
    """Have a worker that consumes these queues, heard of so long ago."""
    worker_id = uuid4()
    with database.connect() as superuser:
        superuser.execute(
            """INSERT INTO worker_heartbeats (worker_id, worker_name, queues, process_count, seen_at)
               VALUES (%s, 'celery@there', %s, 1, clock_timestamp() - make_interval(secs => %s))""",
            [worker_id, list(queues), seconds_ago],
        )
        watch.look.forget()
        yield
        superuser.execute("DELETE FROM worker_heartbeats WHERE worker_id = %s", [worker_id])
        watch.look.forget()


@pytest.fixture
def nobody(database: Database) -> Iterator[None]:
    """Have no worker, and nothing that waits for one; a beat that has just sent something."""
    with database.connect() as superuser:
        waiting.clear(superuser)  # what other tests sent nobody has taken
        superuser.execute("DELETE FROM worker_heartbeats")
        superuser.execute(FORGET)
        superuser.execute("SELECT skeldir_broker.last_runs('{an entry}')")
        yield
        superuser.execute(FORGET)


@pytest.mark.usefixtures("nobody")
def test_missing_workers_make_the_service_degraded_and_nothing_worse(database: Database) -> None:
    """One that has been silent for long is missing."""
    assert health.get_health_status(CONTEXT).services.worker == "down"
    assert health.get_health_status(CONTEXT).status == "degraded"
    assert health.readiness_probe(CONTEXT).ready is True
    with heard_of(database, *QUEUES, seconds_ago=ALIVE_SECONDS + 1):
        assert health.get_health_status(CONTEXT).services.worker == "down"
        told = health.get_health_status(CONTEXT).queues
        assert [(one.workers, (one.heartbeat_age_seconds or 0) > ALIVE_SECONDS) for one in told] == [
            (0, True)
        ] * len(QUEUES)
    with heard_of(database, *QUEUES):
        assert health.get_health_status(CONTEXT).status == "healthy"


@pytest.mark.usefixtures("nobody")
def test_a_queue_without_a_worker_is_missed_though_others_have_theirs(database: Database) -> None:
    with heard_of(database, "attribution", "llm"), heard_of(database, "attribution", "housekeeping"):
        status = health.get_health_status(CONTEXT)
        assert (status.status, status.services.worker) == ("degraded", "degraded")
        assert {one.queue: one.workers for one in status.queues} == {
            "attribution": 2,
            "housekeeping": 1,
            "llm": 1,
            "maintenance": 0,
        }


@pytest.mark.usefixtures("nobody")
def test_a_message_that_nobody_takes_shows_as_a_degraded_queue(database: Database, tenant: UUID) -> None:
    """A message as the service sends it is not late at once, and is after a while."""
    with database.connect() as superuser, heard_of(database, *QUEUES):
        send(messages.prune_tenant(tenant_id=tenant))
        assert health.get_health_status(CONTEXT).status == "healthy"
        waiting.age(superuser, 31)
        watch.look.forget()
        services = health.get_health_status(CONTEXT).services
        waiting.clear(superuser)
    assert (services.queue, services.worker) == ("degraded", "degraded")


@pytest.mark.usefixtures("nobody")
def test_a_schedule_that_sends_nothing_any_more_or_never_did_makes_the_service_degraded(
    database: Database,
) -> None:
    """By the database's clock, whatever a beat's says; what is sent makes up for it."""
    sent = "SELECT skeldir_broker.record_run(entry, last_run_at, %s) FROM skeldir_broker.schedule_entries"
    long_ago = "UPDATE skeldir_broker.schedule_entries SET recorded_at = recorded_at - interval '31 seconds'"
    seen = []
    with database.connect() as superuser, heard_of(database, *QUEUES):
        for statement, parameters in ((long_ago, []), (sent, ["2001-01-01Z"]), (long_ago, []), (FORGET, [])):
            superuser.execute(statement, parameters)
            watch.look.forget()
            health_status = health.get_health_status(CONTEXT)
            seen.append((health_status.status, health_status.services.schedule))
    assert seen == [("degraded", "down"), ("healthy", "up"), ("degraded", "down"), ("degraded", "down")]
    assert health.readiness_probe(CONTEXT).ready is True


def test_every_login_of_the_service_is_bound(database: Database) -> None:
    with database.engine("app_user").connect() as connection:
        assert connection.execute(text("SELECT row_security_active('tenants'::regclass)")).scalar_one()
