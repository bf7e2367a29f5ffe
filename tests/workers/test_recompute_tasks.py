"""The task of a window, run in this process: what it computes, when, and who may ask meanwhile."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.db.session import tenant_session
from skeldir.domain.ids import fact_id
from skeldir.domain.models import MODELS
from skeldir.repository import attribution, recompute_inputs, recompute_jobs
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import SETTINGS, Booking, Sale, World
from tests.workers.attributing import (
    NOON,
    ONE_ORDER,
    WINDOW,
    count,
    job_of,
    request_window,
    run,
    sent,
    tell,
)
from workers import recomputing
from workers.attribution import attribute_marked
from workers.base import RETRIES_MAX
from workers.measuring import WAITED
from workers.recomputing import STARTS_MAX, recompute_window, resume_windows


def test_a_window_is_computed_once_for_the_same_inputs(database: Database, tenant: UUID) -> None:
    """The second run compares digests and stops there; another touch makes the third compute again."""
    tell(database, tenant)
    job = request_window(tenant)
    outcomes = []
    for world in (World(), World(), World([worlds.Visit(UUID(int=5), "j", NOON, "email")], [], [])):
        with database.connect() as connection:
            worlds.store(connection, tenant, world)
            worlds.mark(connection, tenant, world.journeys)
        job = request_window(tenant)
        run(recompute_window, tenant_id=tenant, job_id=job.job_id)
        job = job_of(tenant, job.job_id)
        outcomes.append((job.status, job.last_outcome, job.run_count))
    assert outcomes == [
        ("succeeded", "computed", 1),
        ("succeeded", "unchanged", 2),
        ("succeeded", "computed", 3),
    ]
    assert job.fingerprint
    assert job.started_at
    assert job.finished_at
    with tenant_session(tenant) as session:
        rows = session.execute(text("SELECT DISTINCT channel_code FROM allocations")).all()
    assert rows == [("email",)]


def test_a_job_asked_for_during_its_run_is_run_again(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often, that is one more run; the first keeps its result, and its end sends for the next."""
    tell(database, tenant)
    job = request_window(tenant)
    computed, runs = recompute_jobs.computed, []

    def interrupted(session: Session, *arguments: Any) -> None:
        runs.append(arguments)
        for _ in range(RETRIES_MAX + 2):
            asked = request_window(tenant)
            assert (asked.status, asked.run_count) == ("running", 2)
        computed(session, *arguments)

    monkeypatch.setattr(recompute_jobs, "computed", interrupted)
    assert run(recompute_window, tenant_id=tenant, job_id=job.job_id)["outcome"] == "computed"
    first = job_of(tenant, job.job_id)
    assert (first.status, first.run_count, first.computed_run_count) == ("queued", 2, 1)
    assert sent(database, tenant) == ["attribution.recompute_window"]

    outcomes = [run(recompute_window, tenant_id=tenant, job_id=job.job_id) for _ in range(2)]
    assert outcomes == [{"outcome": "unchanged"}, {"outcome": "nothing_to_do"}]
    done = job_of(tenant, job.job_id)
    assert (done.status, done.run_count, done.last_outcome, len(runs)) == ("succeeded", 2, "unchanged", 1)


@pytest.mark.parametrize("is_over", [False, True])
def test_a_request_outlives_the_worker_of_the_run_before(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch, *, is_over: bool
) -> None:
    """Whether it dies before its result or right after that, before it sends for the next run."""
    tell(database, tenant)
    job = request_window(tenant)
    computed = recompute_jobs.computed

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    def interrupted(session: Session, *arguments: Any) -> None:
        request_window(tenant)
        computed(session, *arguments)
        if not is_over:
            die()

    with monkeypatch.context() as patched:
        patched.setattr(recompute_jobs, "computed", interrupted)
        patched.setattr(recomputing, "_send_next", die)
        with pytest.raises(KeyboardInterrupt):
            run(recompute_window, tenant_id=tenant, job_id=job.job_id)
    left = job_of(tenant, job.job_id)
    assert (left.status, left.run_count) == ("queued" if is_over else "running", 2)
    with database.connect() as connection:
        connection.execute("UPDATE recompute_jobs SET started_at = started_at - interval '2 minutes'")
    assert run(resume_windows, tenant_id=tenant) == 1
    outcome = run(recompute_window, tenant_id=tenant, job_id=job.job_id)["outcome"]
    assert outcome == ("unchanged" if is_over else "computed")
    done = job_of(tenant, job.job_id)
    assert (done.status, done.run_count, done.is_asked_again) == ("succeeded", 2, False)
    assert run(resume_windows, tenant_id=tenant) == 0


def test_a_job_left_by_a_dead_worker_is_sent_again(database: Database, tenant: UUID) -> None:
    """A job that is running for too long, and one whose message was lost, are due; others are not."""
    job = request_window(tenant)
    assert run(resume_windows, tenant_id=tenant) == 1
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        recompute_jobs.start(session, job.job_id, starts_max=1)
    assert run(resume_windows, tenant_id=tenant) == 0
    with tenant_session(tenant) as session:
        session.execute(text("UPDATE recompute_jobs SET started_at = started_at - interval '2 minutes'"))
    assert run(resume_windows, tenant_id=tenant) == 1
    run(recompute_window, tenant_id=tenant, job_id=job.job_id)
    assert job_of(tenant, job.job_id).status == "succeeded"


def test_a_job_that_is_sent_again_while_it_runs_is_not_disturbed(database: Database, tenant: UUID) -> None:
    """However long it runs: only who has the tenant's turn may start a job, and the others try later."""
    tell(database, tenant)
    job = request_window(tenant)
    with tenant_session(tenant, engine=database.engine("app_worker")) as working:
        assert attribution.take_turn(working)
        assert run(recompute_window, tenant_id=tenant, job_id=job.job_id) == WAITED
        assert job_of(tenant, job.job_id).status == "queued"
        assert count(database, tenant, "worker_failed_jobs") == 0
    assert run(resume_windows, tenant_id=tenant) == 1
    run(recompute_window, tenant_id=tenant, job_id=job.job_id)
    assert job_of(tenant, job.job_id).status == "succeeded"


def test_a_job_that_ends_its_workers_is_given_up(database: Database, tenant: UUID) -> None:
    """Nobody is left to count tries, so the row does; asked for again, the job starts afresh."""
    tell(database, tenant)
    job = request_window(tenant)
    for _ in range(STARTS_MAX):
        with tenant_session(tenant, engine=database.engine("app_worker")) as session:
            assert recompute_jobs.start(session, job.job_id, STARTS_MAX)
    assert run(recompute_window, tenant_id=tenant, job_id=job.job_id) == {"outcome": "nothing_to_do"}
    given_up = job_of(tenant, job.job_id)
    assert (given_up.status, given_up.error) == ("failed", "StartedTooOften")
    run(recompute_window, tenant_id=tenant, job_id=request_window(tenant).job_id)
    assert job_of(tenant, job.job_id).status == "succeeded"


def test_a_job_that_cannot_be_finished_says_so_without_quoting_data(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row names the kind of failure; asked for again, the job starts afresh."""
    tell(database, tenant)
    job = request_window(tenant)

    def break_down(*_: object) -> None:
        raise ValueError("jane@example.org")

    with monkeypatch.context() as patched:
        patched.setattr(recompute_inputs, "of_window", break_down)
        with pytest.raises(ValueError, match="jane"):
            run(recompute_window, tenant_id=tenant, job_id=job.job_id)
    failed = job_of(tenant, job.job_id)
    assert (failed.status, failed.error) == ("failed", "ValueError")
    run(recompute_window, tenant_id=tenant, job_id=request_window(tenant).job_id)
    assert job_of(tenant, job.job_id).error is None


def test_a_window_takes_in_whole_orders_and_no_others(database: Database, tenant: UUID) -> None:
    """A refund after the window belongs to an order within it; an order outside is left alone."""
    late = NOON + timedelta(days=30)
    world = World([], [Sale("in", "j", NOON), Sale("out", "k", late)])
    world.bookings += [
        Booking(UUID(int=1), "in", "captured", 900, NOON),
        Booking(UUID(int=2), "in", "refunded", -100, late),
        Booking(UUID(int=3), "out", "captured", 5, late),
    ]
    tell(database, tenant, world)
    run(recompute_window, tenant_id=tenant, job_id=request_window(tenant).job_id)
    with tenant_session(tenant) as session:
        found = session.execute(text("SELECT DISTINCT order_id, allocated_cents FROM allocations"))
        assert {tuple(row) for row in found} == {("in", 900), ("in", -100)}
    assert count(database, tenant, "dirty_marks") == 1


@pytest.mark.parametrize("is_asked", [False, True])
def test_of_two_recomputes_of_one_window_at_once_one_works_and_one_reports(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch, *, is_asked: bool
) -> None:
    """The second says that the first is running, a message again or a request of its own, which waits."""
    tell(database, tenant)
    job = request_window(tenant)
    working, reported = threading.Event(), threading.Event()
    computed, outcomes = recompute_jobs.computed, []

    def compute_slowly(session: Session, *arguments: Any) -> None:
        working.set()
        assert reported.wait(30)
        computed(session, *arguments)

    monkeypatch.setattr(recompute_jobs, "computed", compute_slowly)
    first = threading.Thread(
        target=lambda: outcomes.append(run(recompute_window, tenant_id=tenant, job_id=job.job_id))
    )
    first.start()
    assert working.wait(30)
    if is_asked:
        request_window(tenant)
    assert run(recompute_window, tenant_id=tenant, job_id=job.job_id) == {"outcome": "running"}
    reported.set()
    first.join()
    assert [outcome["outcome"] for outcome in outcomes] == ["computed"]
    done = job_of(tenant, job.job_id)
    assert (done.status, done.computed_run_count) == ("queued" if is_asked else "succeeded", 1)
    assert len(sent(database, tenant)) == done.run_count - 1 == is_asked


def test_only_what_is_dirty_is_computed_again(database: Database, tenant: UUID) -> None:
    """Of a window that was computed before, orders whose inputs are the same are not even looked at."""
    world = World(
        [],
        [Sale(f"o-{n}", f"j-{n}", NOON) for n in range(20)],
        [Booking(UUID(int=n + 1), f"o-{n}", "captured", 900, NOON) for n in range(20)],
    )
    tell(database, tenant, world)
    job = request_window(tenant)
    assert run(recompute_window, tenant_id=tenant, job_id=job.job_id)["outcome"] == "computed"
    tell(database, tenant, World([worlds.Visit(UUID(int=50), "j-3", NOON, "email")], [], []))
    with database.connect() as connection:
        worlds.mark(connection, tenant, ["j-3", "j-4"])
    request_window(tenant)
    result = run(recompute_window, tenant_id=tenant, job_id=job.job_id)
    assert (result["outcome"], result["orders"]) == ("computed", 2)
    assert result["vanished"] == len(MODELS)
    run(attribute_marked, tenant_id=tenant)
    request_window(tenant)
    assert run(recompute_window, tenant_id=tenant, job_id=job.job_id) == {"outcome": "unchanged"}


def many(sales: int) -> World:
    return World(
        [],
        [Sale(f"o-{n}", f"j-{n}", NOON) for n in range(sales)],
        [Booking(UUID(int=n + 1), f"o-{n}", "captured", 900, NOON) for n in range(sales)],
    )


def allocated(tenant: UUID) -> tuple[int, int]:
    """Return of how many orders there are allocations, and how many transactions wrote them."""
    query = text("SELECT count(DISTINCT order_id), count(DISTINCT CAST(xmin AS text)) FROM allocations")
    with tenant_session(tenant) as session:
        orders, transactions = session.execute(query).one()
    return orders, transactions


def test_many_marked_journeys_are_settled_some_at_a_time_before_their_window(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many a window rests on, no transaction takes more of them than a job of marks does."""
    tell(database, tenant, many(5))
    monkeypatch.setattr(recomputing, "JOURNEYS_MAX", 2)
    job = request_window(tenant)
    assert run(recompute_window, tenant_id=tenant, job_id=job.job_id)["outcome"] == "computed"
    assert count(database, tenant, "dirty_marks") == 0
    assert allocated(tenant) == (5, 3)
    request_window(tenant)
    assert run(recompute_window, tenant_id=tenant, job_id=job.job_id) == {"outcome": "unchanged"}


def test_what_is_marked_beyond_the_bound_is_no_part_of_the_result(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marked while the window is about to be computed: left, like its digest, to who takes the marks."""
    tell(database, tenant, many(5))
    monkeypatch.setattr(recomputing, "JOURNEYS_MAX", 2)
    job = request_window(tenant)
    with monkeypatch.context() as patched:
        patched.setattr(recomputing, "_attribute_portion", lambda *_: False)
        assert run(recompute_window, tenant_id=tenant, job_id=job.job_id)["outcome"] == "computed"
    assert (count(database, tenant, "dirty_marks"), allocated(tenant)) == (3, (2, 1))
    with tenant_session(tenant) as session:
        assert [day.order_count for day in recompute_inputs.of_window(session, WINDOW)] == [2]
    request_window(tenant)
    assert run(recompute_window, tenant_id=tenant, job_id=job.job_id)["outcome"] == "computed"
    assert allocated(tenant)[0] == 5


def test_a_window_under_other_parameters_follows_what_others_settled(
    database: Database, tenant: UUID
) -> None:
    """Jobs settle what is dirty under the models in force; a window of another look-back catches up."""
    tell(database, tenant, World(ONE_ORDER.visits, ONE_ORDER.sales, ONE_ORDER.bookings))
    job_id = fact_id(tenant, "short window")
    short = replace(SETTINGS, lookback_days=7).parameters("linear")

    def ask() -> Any:
        with tenant_session(tenant) as session:
            recompute_jobs.request(session, job_id, WINDOW, short)
        return run(recompute_window, tenant_id=tenant, job_id=job_id)

    assert ask()["outcome"] == "computed"
    with database.connect() as connection:
        worlds.store(connection, tenant, World([worlds.Visit(UUID(int=5), "j", NOON, "email")], [], []))
        worlds.mark(connection, tenant, ["j"])
    run(attribute_marked, tenant_id=tenant)
    assert ask()["outcome"] == "computed"
    with tenant_session(tenant) as session:
        found = session.execute(
            text("SELECT channel_code FROM allocations WHERE model_version = :version"),
            {"version": short.version},
        ).all()
    assert found == [("email",)]
