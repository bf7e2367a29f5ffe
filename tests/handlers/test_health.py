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
from skeldir.queue.broker import CONSUMER, PUBLISHER
from skeldir.queue.sending import send
from skeldir.settings import get_settings
from tests import waiting
from tests.conftest import Database

CONTEXT = Context(RequestFacts("GET", "/api/health", {}, b"", "127.0.0.1"), uuid4())


@pytest.fixture(autouse=True)
def asked_anew() -> None:
    watch.queues.forget()


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
def connected(database: Database, name: str) -> Iterator[None]:
    """Hold a connection of the workers' login under a name."""
    url, names = database.url("app_worker"), {"application_name": name}
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args=names)
    with engine.connect():
        yield
    engine.dispose()


def test_missing_workers_make_the_service_degraded_and_nothing_worse(database: Database) -> None:
    """The schedule alone, which only publishes, is no worker."""
    with database.connect() as superuser:
        waiting.clear(superuser)  # what other tests sent nobody has taken
    assert health.get_health_status(CONTEXT).services.worker == "down"
    assert health.get_health_status(CONTEXT).status == "degraded"
    assert health.readiness_probe(CONTEXT).ready is True
    with connected(database, PUBLISHER):
        assert health.get_health_status(CONTEXT).services.worker == "down"
    with connected(database, CONSUMER):
        assert health.get_health_status(CONTEXT).status == "healthy"


def test_a_message_that_nobody_takes_shows_as_a_degraded_queue(database: Database, tenant: UUID) -> None:
    """A message as the service sends it is not late at once, and is after a while."""
    with database.connect() as superuser, connected(database, CONSUMER):
        waiting.clear(superuser)
        send(messages.prune_tenant(tenant_id=tenant))
        assert health.get_health_status(CONTEXT).status == "healthy"
        waiting.age(superuser, 31)
        watch.queues.forget()
        services = health.get_health_status(CONTEXT).services
        waiting.clear(superuser)
    assert (services.queue, services.worker) == ("degraded", "degraded")


def test_every_login_of_the_service_is_bound(database: Database) -> None:
    with database.engine("app_user").connect() as connection:
        assert connection.execute(text("SELECT row_security_active('tenants'::regclass)")).scalar_one()
