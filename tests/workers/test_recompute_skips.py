"""Which jobs are closed by one statement, without a turn."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.domain.ids import fact_id
from skeldir.domain.windows import Window
from skeldir.repository import recompute_jobs, recompute_skips
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import SETTINGS, Booking, Sale, World
from tests.workers.attributing import NOON, tell
from tests.workers.attributing import run as run_task
from workers.attribution import attribute_marked
from workers.recomputing import recompute_window

MIDNIGHT = NOON.replace(hour=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INSTANT = timedelta(microseconds=1)

WINDOWS = {
    "whole days": (MIDNIGHT, MIDNIGHT + 2 * DAY),
    "one day": (MIDNIGHT, MIDNIGHT + DAY),
    "cut at its beginning": (NOON, MIDNIGHT + 2 * DAY),
    "cut at its end": (MIDNIGHT - DAY, NOON + HOUR),
    "cut at both ends": (NOON - DAY, NOON + DAY),
    "two parts and no whole day": (NOON, NOON + DAY),
    "within a day": (NOON - HOUR, NOON + HOUR),
    "from midnight on": (MIDNIGHT, NOON + HOUR),
    "until midnight": (NOON, MIDNIGHT + DAY),
    "an instant more than a day": (MIDNIGHT - INSTANT, MIDNIGHT + DAY),
    "an instant": (NOON, NOON + INSTANT),
}


def request(tenant: UUID, window: Window) -> UUID:
    job_id = fact_id(tenant, f"{window.start} {window.end}")
    with tenant_session(tenant) as session:
        recompute_jobs.request(session, job_id, window, SETTINGS.parameters("linear"))
    return job_id


def skip(database: Database, tenant: UUID, job_id: UUID) -> bool:
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        return recompute_skips.skip(session, job_id)


def sold(at: datetime, name: str) -> World:
    entry = Booking(fact_id(UUID(int=0), name), name, "captured", 900, at)
    return World([], [Sale(name, f"of {name}", at)], [entry])


def asked_again(database: Database, tenant: UUID) -> UUID:
    """Have a window computed, and ask for it once more although nothing has changed."""
    tell(database, tenant)
    window = Window(NOON - DAY, NOON + DAY)
    job_id = request(tenant, window)
    run_task(recompute_window, tenant_id=tenant, job_id=job_id)
    return request(tenant, window)


@contextmanager
def asking_again(database: Database, tenant: UUID, job_id: UUID) -> Iterator[None]:
    """Ask for a job's run before the body, and commit that after it."""
    with database.connect() as connection, connection.transaction():
        connection.execute(
            "UPDATE recompute_jobs SET start_count = 0 WHERE tenant_id = %s AND job_id = %s", (tenant, job_id)
        )
        yield


@pytest.mark.parametrize("name", WINDOWS)
def test_a_job_is_closed_exactly_if_an_order_in_its_window_is_as_before(
    database: Database, tenant: UUID, name: str
) -> None:
    """However the window cuts its first and last day; what happens right outside it does not count."""
    window = Window(*WINDOWS[name])
    inside = [window.start, window.end - INSTANT]
    outside = [window.start - INSTANT, window.end]
    for nth, at in enumerate(inside + outside):
        tell(database, tenant, sold(at, f"order {nth}"))
    job_id = request(tenant, window)
    assert not skip(database, tenant, job_id)
    assert run_task(recompute_window, tenant_id=tenant, job_id=job_id)["outcome"] == "computed"
    run_task(attribute_marked, tenant_id=tenant)

    for nth in (2, 3, None):
        if nth is not None:
            visit = worlds.Visit(UUID(int=100 + nth), f"of order {nth}", window.start - DAY, "email")
            tell(database, tenant, World([visit], [], []))
            mark(database, tenant, f"of order {nth}")
        request(tenant, window)
        assert skip(database, tenant, job_id)
        run_task(attribute_marked, tenant_id=tenant)

    for nth in (0, 1):
        visit = worlds.Visit(UUID(int=100 + nth), f"of order {nth}", window.start - DAY, "email")
        tell(database, tenant, World([visit], [], []))
        mark(database, tenant, f"of order {nth}")
        request(tenant, window)
        assert not skip(database, tenant, job_id)
        run_task(attribute_marked, tenant_id=tenant)
        assert not skip(database, tenant, job_id)
        assert run_task(recompute_window, tenant_id=tenant, job_id=job_id)["outcome"] == "computed"


def mark(database: Database, tenant: UUID, journey_id: str) -> None:
    with database.connect() as connection:
        worlds.mark(connection, tenant, [journey_id], 60)


def test_a_run_that_is_asked_for_meanwhile_is_not_skipped(database: Database, tenant: UUID) -> None:
    """Who asks may have reasons that the snapshot does not show: the row has changed, so it is left alone."""
    job_id = asked_again(database, tenant)
    seen: list[bool] = []
    skipping = threading.Thread(target=lambda: seen.append(skip(database, tenant, job_id)))
    with asking_again(database, tenant, job_id):
        skipping.start()
        database.wait_for_lock()
    skipping.join()
    assert seen == [False]
    assert skip(database, tenant, job_id)


def test_a_task_whose_job_is_asked_for_meanwhile_runs_it(database: Database, tenant: UUID) -> None:
    """What it has locked while it looked is free again when it starts the job over another connection."""
    job_id = asked_again(database, tenant)
    outcomes: list[object] = []
    running = threading.Thread(
        target=lambda: outcomes.append(run_task(recompute_window, tenant_id=tenant, job_id=job_id)),
        daemon=True,
    )
    with asking_again(database, tenant, job_id):
        running.start()
        database.wait_for_lock()
    running.join(30)
    assert outcomes == [{"outcome": "unchanged"}]


def test_a_job_that_runs_is_nobodys_to_skip(database: Database, tenant: UUID) -> None:
    """Its worker would find its row changed, and lose what it did."""
    job_id = asked_again(database, tenant)
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        assert recompute_jobs.start(session, job_id, 2)
    assert not skip(database, tenant, job_id)


@pytest.mark.parametrize(
    "column", ["taxonomy_version = 0, fingerprint = 'of before'", "computed_revision = NULL"]
)
def test_a_result_of_another_taxonomy_or_none_is_computed(
    database: Database, tenant: UUID, column: str
) -> None:
    """Although its inputs are the same."""
    job_id = asked_again(database, tenant)
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        session.execute(text(f"UPDATE recompute_jobs SET {column}"))
    assert not skip(database, tenant, job_id)
    assert run_task(recompute_window, tenant_id=tenant, job_id=job_id)["outcome"] == "computed"
