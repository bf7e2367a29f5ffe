"""The attribution tasks, run in this process: which marks they take, and that each works once."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.db.session import tenant_session
from skeldir.domain.models import MODELS
from skeldir.repository import attribution, dirty_marks, recompute_jobs, task_effects
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import World
from tests.workers.attributing import (
    MARK,
    NOON,
    REFUND,
    count,
    request_window,
    run,
    tell,
)
from workers.attribution import attribute_marked
from workers.recomputing import recompute_window


def test_marked_journeys_are_attributed_and_their_marks_are_gone(database: Database, tenant: UUID) -> None:
    """One run takes the marks and leaves the allocations of all models."""
    tell(database, tenant)
    result = run(attribute_marked, tenant_id=tenant)
    assert (result["outcome"], result["journeys"], result["written"]) == ("attributed", 1, len(MODELS))
    assert count(database, tenant, "dirty_marks") == 0


def test_a_journey_rests_before_it_is_attributed(database: Database, tenant: UUID) -> None:
    """A journey marked this moment is left for later, together with its older marks."""
    tell(database, tenant, age_seconds=10)
    with tenant_session(tenant) as session:
        dirty_marks.mark(session, {"j": NOON})
    assert run(attribute_marked, tenant_id=tenant)["journeys"] == 0
    assert count(database, tenant, "dirty_marks") == 2


def test_a_busy_journey_does_not_wait_for_ever(database: Database, tenant: UUID) -> None:
    """However often a journey is marked, the age of its first mark ends the waiting."""
    tell(database, tenant, age_seconds=31)
    with tenant_session(tenant) as session:
        dirty_marks.mark(session, {"j": NOON})
    assert run(attribute_marked, tenant_id=tenant)["journeys"] == 1
    assert count(database, tenant, "dirty_marks") == 0


def test_an_ingest_that_is_open_while_a_job_runs_loses_no_mark(database: Database, tenant: UUID) -> None:
    """What commits after the job's snapshot keeps its mark, and the next job finds it."""
    tell(database, tenant)
    with tenant_session(tenant) as ingest:
        ingest.execute(REFUND, {"entry_id": UUID(int=2), "at": NOON})
        minute_ago = datetime.now(UTC) - timedelta(minutes=1)
        ingest.execute(MARK, {"mark_id": uuid4(), "at": NOON, "marked_at": minute_ago})
        assert run(attribute_marked, tenant_id=tenant)["written"] == len(MODELS)
    assert count(database, tenant, "dirty_marks") == 1
    assert count(database, tenant, "allocations") == len(MODELS)
    assert run(attribute_marked, tenant_id=tenant)["written"] == len(MODELS)
    assert count(database, tenant, "dirty_marks") == 0
    assert count(database, tenant, "allocations") == 2 * len(MODELS)


def test_of_two_jobs_at_once_one_works_and_one_reports(database: Database, tenant: UUID) -> None:
    """The second job says that it is not its turn and leaves every mark where it is."""
    tell(database, tenant)
    with tenant_session(tenant, engine=database.engine("app_worker")) as working:
        assert attribution.take_turn(working)
        assert run(attribute_marked, tenant_id=tenant) == {"outcome": "busy"}
    assert count(database, tenant, "dirty_marks") == 1
    assert run(attribute_marked, tenant_id=tenant)["outcome"] == "attributed"


def test_a_job_sees_all_that_the_job_before_it_wrote(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that ends while another begins must not leave rows that the other neither sees nor replaces."""
    tell(database, tenant)
    job = request_window(tenant)
    claim, computed = task_effects.claim, recompute_jobs.computed
    in_window, claimed, ended = threading.Event(), threading.Event(), threading.Event()

    def claim_and_wait(session: Session, *arguments: Any) -> bool:
        is_first = claim(session, *arguments)
        if in_window.is_set():
            claimed.set()
            assert ended.wait(30)
        return is_first

    def compute_late(session: Session, *arguments: Any) -> None:
        in_window.set()
        with database.connect() as connection:
            worlds.store(connection, tenant, World([worlds.Visit(UUID(int=5), "j", NOON, "email")], [], []))
            worlds.mark(connection, tenant, ["j"])
        claimed.wait(2)
        computed(session, *arguments)

    monkeypatch.setattr(task_effects, "claim", claim_and_wait)
    monkeypatch.setattr(recompute_jobs, "computed", compute_late)

    def run_window() -> None:
        run(recompute_window, tenant_id=tenant, job_id=job.job_id)
        ended.set()

    other = threading.Thread(target=run_window)
    other.start()
    assert in_window.wait(30)
    outcomes = [run(attribute_marked, tenant_id=tenant)["outcome"]]
    other.join()
    in_window.clear()
    outcomes.append(run(attribute_marked, tenant_id=tenant)["outcome"])
    assert outcomes == ["busy", "attributed"]
    with tenant_session(tenant) as session:
        rows = session.execute(text("SELECT DISTINCT channel_code, allocated_cents FROM allocations")).all()
    assert rows == [("email", 900)]


def test_a_task_delivered_twice_works_once(database: Database, tenant: UUID) -> None:
    """The second delivery finds the effect of the first and touches nothing, whatever waits by then."""
    tell(database, tenant)
    task_id = str(uuid4())
    assert run(attribute_marked, task_id=task_id, tenant_id=tenant)["outcome"] == "attributed"
    with database.connect() as connection:
        worlds.mark(connection, tenant, ["another"])
    assert run(attribute_marked, task_id=task_id, tenant_id=tenant) == {"outcome": "already_done"}
    assert count(database, tenant, "dirty_marks") == 1


def test_a_failed_run_leaves_its_marks_and_may_be_repeated(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marks, allocations and the record of the effect are one transaction: all of it or nothing."""
    tell(database, tenant)
    task_id = str(uuid4())

    def break_down(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(attribution, "attribute_journeys", break_down)
        with pytest.raises(RuntimeError, match="power cut"):
            run(attribute_marked, task_id=task_id, tenant_id=tenant)
    assert count(database, tenant, "dirty_marks") == 1
    assert run(attribute_marked, task_id=task_id, tenant_id=tenant)["outcome"] == "attributed"
