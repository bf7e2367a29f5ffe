"""Tasks that go wrong as tasks do, on the service's own application and base."""

import os
import signal
import time
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import workers.base
from skeldir.db.statements import fetch_all
from skeldir.observability import correlation
from workers.app import app
from workers.base import SystemTask, TenantTask, task

app.loader.import_default_modules()
workers.base.BACKOFF_SECONDS = 0.01  # type: ignore[misc]

NOTE = text("""
    INSERT INTO odd_tasks.effects (tenant_id, task_id, correlation_id, retries)
    VALUES (:tenant_id, :task_id, :correlation_id, :retries)
""")


def note(self: TenantTask, session: Session, tenant_id: str) -> None:
    """Leave a row that says who worked for whom."""
    values = {
        "tenant_id": UUID(tenant_id),
        "task_id": UUID(self.request.id),
        "correlation_id": correlation.current(),
        "retries": self.request.retries,
    }
    session.execute(NOTE, values)


@task("maintenance.work", TenantTask)
def work(self: TenantTask, *, tenant_id: str, seconds: float = 0.0) -> None:
    with self.effect(tenant_id) as session:
        note(self, session, tenant_id)
        time.sleep(seconds)


@task("maintenance.never_get_through", TenantTask)
def never_get_through(self: TenantTask, *, tenant_id: str) -> None:
    with self.transaction(tenant_id) as session:
        note(self, session, tenant_id)
    with self.transaction(tenant_id, settings={"statement_timeout": "10ms"}) as session:
        fetch_all(session, text("SELECT pg_sleep(10)"))


@task("maintenance.end_its_process_before", TenantTask)
def end_its_process_before(self: TenantTask, *, tenant_id: str) -> None:
    """End the first time, before the commit."""
    with self.effect(tenant_id) as session:
        note(self, session, tenant_id)
        _end_once(self, tenant_id)


@task("maintenance.end_its_process_after", TenantTask)
def end_its_process_after(self: TenantTask, *, tenant_id: str) -> None:
    """End after the commit, before anybody hears of it."""
    with self.effect(tenant_id) as session:
        note(self, session, tenant_id)
    os.kill(os.getpid(), signal.SIGKILL)


@task("maintenance.end_every_process", TenantTask)
def end_every_process(self: TenantTask, *, tenant_id: str) -> None:
    with self.transaction(tenant_id) as session:
        note(self, session, tenant_id)
    os.kill(os.getpid(), signal.SIGKILL)


@task("maintenance.take_too_long", TenantTask)
def take_too_long(_: TenantTask, *, tenant_id: str) -> None:
    assert tenant_id
    time.sleep(30)


@task("maintenance.hear_nothing", TenantTask)
def hear_nothing(_: TenantTask, *, tenant_id: str) -> None:
    assert tenant_id
    while True:
        try:
            time.sleep(30)
        except Exception:  # noqa: BLE001 - the soft limit, which it does not mind
            continue


take_too_long.soft_time_limit = 0.3
hear_nothing.soft_time_limit = 0.2
hear_nothing.time_limit = 0.6


@task("housekeeping.look_around", SystemTask)
def look_around(self: SystemTask) -> None:
    """Fail as long as the database is away, which it is at the first try."""
    if not self.request.retries:
        raise OperationalError("", None, Exception())
    print(f"looked around under {correlation.current()}", flush=True)


def _end_once(self: TenantTask, tenant_id: str) -> None:
    with self.transaction(tenant_id) as session:
        row = session.execute(
            text("INSERT INTO odd_tasks.ended VALUES (:task_id) ON CONFLICT DO NOTHING RETURNING 1"),
            {"task_id": UUID(self.request.id)},
        ).one_or_none()
    if row is not None:
        os.kill(os.getpid(), signal.SIGKILL)
