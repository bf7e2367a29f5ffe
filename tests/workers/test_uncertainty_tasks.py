"""The tasks of uncertainty, run in this process: what is stored, when it is computed, and what it is of."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from skeldir.db.session import tenant_session
from skeldir.domain import windows
from skeldir.domain.ids import fact_id
from skeldir.domain.models import MODELS, Model
from skeldir.domain.windows import Window
from skeldir.queue import messages
from skeldir.queue.messages import Message
from skeldir.queue.sending import enqueue
from skeldir.repository import channel_intervals, recompute_jobs
from skeldir.repository.channel_intervals import Estimate
from tests import waiting
from tests.conftest import Database
from tests.domain.bootstrap_by_hand import by_hand
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import SETTINGS, Booking, Sale, Visit, World, expected
from tests.workers.conftest import eventually, running
from workers import attribution, uncertainty
from workers.attribution import attribute_marked
from workers.base import TenantTask
from workers.recomputing import WindowTask, recompute_window
from workers.summaries import refresh_summaries
from workers.uncertainty import (
    estimate_intervals,
    refresh_intervals,
    request_intervals,
    usual_windows,
)

ALL_DAYS = windows.days(None, None)
SEPTEMBER = windows.days(date(2026, 9, 1), date(2026, 9, 30))


def run(task: Any, **arguments: object) -> Any:
    """Run a task here and now, as a worker would."""
    return task.apply(
        kwargs={name: str(value) for name, value in arguments.items()}, task_id=str(uuid4())
    ).get()


def tell(database: Database, tenant: UUID, world: World) -> None:
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
        worlds.mark(connection, tenant, world.journeys, 60)
    run(attribute_marked, tenant_id=tenant)


def ask(tenant: UUID, window: Window = ALL_DAYS, model: Model = "linear") -> Estimate:
    with tenant_session(tenant) as session:
        return channel_intervals.request(session, tenant, model, SETTINGS.version(model), window)


def answer(tenant: UUID, asked: Estimate) -> str:
    return str(run(estimate_intervals, tenant_id=tenant, estimate_id=asked.estimate_id)["outcome"])


def sent(database: Database, tenant: UUID) -> list[str]:
    with database.connect() as connection:
        return waiting.names(connection, tenant)


def die(*_: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def effect_and_die(task: TenantTask, *arguments: Any, **options: Any) -> Iterator[Session]:
    with TenantTask.effect(task, *arguments, **options) as session:
        yield session
    die()


def known(tenant: UUID, asked: Estimate) -> Estimate:
    with tenant_session(tenant) as session:
        found = channel_intervals.get(session, asked.estimate_id)
    assert found is not None
    return found


def stored(tenant: UUID, asked: Estimate) -> list[tuple[object, ...]]:
    with tenant_session(tenant) as session:
        found = channel_intervals.intervals(session, asked.estimate_id)
    return sorted((*astuple(one)[:4], one.certainty and astuple(one.certainty)) for one in found)  # type: ignore[type-var]


def shop(journeys: int = 120) -> World:
    """Return a world whose amounts stay within what a report can add up."""
    made = worlds.make(11, journeys)
    made.bookings = [booking for booking in made.bookings if abs(booking.effect_cents) < 10**12]
    return made


def figures(world: World, model: Model, window: Window) -> list[tuple[str, str, str, int]]:
    """Add up by hand what each journey gave to each channel."""
    entries = {booking.entry_id: booking for booking in world.bookings}
    journeys = {sale.order_id: sale.journey_id for sale in world.sales}
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    for (entry_id, channel, _), cents in expected(world, model).items():
        entry = entries[entry_id]
        if window.start <= entry.effective_at < window.end:
            sums[journeys[entry.order_id], entry.currency, channel] += cents
    return [(*key, cents) for key, cents in sums.items()]


@pytest.mark.parametrize(("model", "window"), [("linear", ALL_DAYS), ("last_touch", SEPTEMBER)])
def test_what_is_stored_equals_the_draws_made_by_hand(
    database: Database, tenant: UUID, model: Model, window: Window
) -> None:
    """Every stored figure is that of an independent implementation, fed with independent allocations."""
    world = shop()
    tell(database, tenant, world)
    asked = ask(tenant, window, model)
    assert answer(tenant, asked) == "computed"
    by_now = stored(tenant, asked)
    assert by_now == sorted(by_hand(figures(world, model, window)))
    assert any(certainty for *_, certainty in by_now) == (model == "linear")


def test_neither_the_order_of_rows_nor_their_chunks_nor_the_tenant_changes_a_figure(
    database: Database, make_tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same shop told in another order, to another tenant, has the same intervals from the same inputs."""
    found = []
    for number, world in enumerate((shop(), shop().shuffled(3))):
        monkeypatch.setattr(channel_intervals, "_ROWS_AT_ONCE", (5_000, 7)[number])
        tenant = make_tenant(f"Shop {number}")
        tell(database, tenant, world)
        asked = ask(tenant)
        answer(tenant, asked)
        found.append((stored(tenant, asked), known(tenant, asked).fingerprint))
    assert found[0] == found[1]


def test_nothing_is_computed_while_the_inputs_are_the_same(database: Database, tenant: UUID) -> None:
    """Asked again, the answer is confirmed; after a refund, which comes late, it is computed anew."""
    world = shop(60)
    tell(database, tenant, world)
    asked = ask(tenant)
    assert known(tenant, asked).checked_at is None
    answer(tenant, asked)
    first = known(tenant, asked)
    assert answer(tenant, ask(tenant)) == "unchanged"
    again = known(tenant, asked)
    assert (again.computed_at, again.fingerprint) == (first.computed_at, first.fingerprint)
    assert first.checked_at is not None
    assert again.checked_at is not None
    assert again.checked_at > first.checked_at

    before = stored(tenant, asked)
    sale = world.sales[0]
    refund = Booking(uuid4(), sale.order_id, "refunded", -100, sale.ordered_at + timedelta(days=3))
    paid = Booking(uuid4(), sale.order_id, "captured", 90_000, sale.ordered_at)
    with database.connect() as connection:
        worlds.store(connection, tenant, World(bookings=[paid, refund]))
        worlds.mark(connection, tenant, [sale.journey_id], 60)
    run(attribute_marked, tenant_id=tenant)
    assert answer(tenant, ask(tenant)) == "computed"
    assert known(tenant, asked).fingerprint != first.fingerprint
    assert stored(tenant, asked) != before


def test_what_a_former_method_computed_is_computed_anew(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although the allocations are the same."""
    tell(database, tenant, shop(5))
    asked = ask(tenant)
    with monkeypatch.context() as formerly:
        formerly.setattr(channel_intervals, "METHOD_VERSION", channel_intervals.METHOD_VERSION - 1)
        assert [answer(tenant, ask(tenant)) for _ in range(2)] == ["computed", "unchanged"]
    former = known(tenant, asked)
    assert answer(tenant, ask(tenant)) == "computed"
    assert known(tenant, asked).computed_at != former.computed_at


def test_the_usual_windows_are_estimated_without_being_asked_for(database: Database, tenant: UUID) -> None:
    """One run answers them under every model, and what somebody asked for; the next has nothing to do."""
    tell(database, tenant, shop(20))
    mine = ask(tenant, SEPTEMBER)
    result = run(refresh_intervals, tenant_id=tenant)
    assert result == {
        "outcome": "refreshed",
        "computed": 4 * len(MODELS) + 1,
        "unchanged": 0,
        "nothing_to_do": 0,
    }
    assert known(tenant, mine).checked_at is not None
    for model in MODELS:
        for window in usual_windows(datetime.now(UTC)):
            with tenant_session(tenant) as session:
                assert channel_intervals.find(session, SETTINGS.version(model), window) is not None
    assert run(refresh_intervals, tenant_id=tenant)["computed"] == 0


def test_the_default_model_is_looked_at_hourly_and_the_others_daily(database: Database, tenant: UUID) -> None:
    """After an hour the default model's windows are due, after a day all; what is long forgotten goes."""
    tell(database, tenant, shop(5))
    run(refresh_intervals, tenant_id=tenant)
    old = ask(tenant, SEPTEMBER)
    age(database, tenant, "1 hour")
    assert run(refresh_intervals, tenant_id=tenant)["unchanged"] == 4
    age(database, tenant, "23 hours")
    assert run(refresh_intervals, tenant_id=tenant)["unchanged"] == 4 * len(MODELS)
    age(database, tenant, "36 days")
    run(refresh_intervals, tenant_id=tenant)
    with tenant_session(tenant) as session:
        assert channel_intervals.get(session, old.estimate_id) is None


def age(database: Database, tenant: UUID, interval: str) -> None:
    """Let everything have happened earlier by an interval."""
    earlier = ", ".join(
        f"{name} = {name} - interval '{interval}'" for name in ("requested_at", "computed_at", "checked_at")
    )
    with database.connect() as connection:
        connection.execute(f"UPDATE interval_estimates SET {earlier} WHERE tenant_id = %s", (tenant,))


def test_of_two_at_once_one_works(database: Database, tenant: UUID) -> None:
    """Whoever comes while the tenant's estimates are being made leaves them alone."""
    with tenant_session(tenant, engine=database.engine("app_worker")) as other:
        assert channel_intervals.take_turn(other)
        assert run(refresh_intervals, tenant_id=tenant) == {"outcome": "busy"}


def test_an_estimate_that_is_not_its_turn_is_made_soon_after(
    database: Database, tenant: UUID, tmp_path: Path
) -> None:
    """It comes again by itself, nobody looking for it, and is no failure meanwhile."""
    tell(database, tenant, shop(5))
    asked = ask(tenant)
    hasty = "tests.workers.observed_tasks"  # all its tries of one message are over within a second
    with database.connect() as superuser, running(tmp_path, application=hasty):
        waiting.clear(superuser)
        with tenant_session(tenant, engine=database.engine("app_worker")) as other:
            assert channel_intervals.take_turn(other)
            with tenant_session(tenant) as session:
                enqueue(session, messages.estimate_intervals(tenant_id=tenant, estimate_id=asked.estimate_id))
            again = "SELECT 1 FROM skeldir_broker.scheduled_messages WHERE due_at > now() + interval '1 s'"
            eventually(lambda: superuser.execute(again).fetchone(), seconds=20)
            assert known(tenant, asked).checked_at is None
        eventually(lambda: known(tenant, asked).checked_at)
        failures = "SELECT 1 FROM worker_failed_jobs WHERE tenant_id = %s"
        assert superuser.execute(failures, [tenant]).fetchone() is None


def test_a_run_that_takes_long_leaves_the_rest_to_another(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When its time is up the task sends for the rest, which the next run then does.

    It sends in the transaction that has the tenant's turn: sooner, an idle worker would find that taken.
    """
    monkeypatch.setattr(uncertainty, "BUDGET_SECONDS", -1.0)
    tell(database, tenant, shop(5))
    with database.connect() as connection:
        waiting.clear(connection)
        assert run(refresh_intervals, tenant_id=tenant)["computed"] == 1
        assert [one["task"] for one in waiting.headers(connection)] == ["maintenance.refresh_intervals"]
    monkeypatch.setattr(uncertainty, "BUDGET_SECONDS", 60.0)
    assert run(refresh_intervals, tenant_id=tenant)["computed"] == 4 * len(MODELS) - 1


@pytest.mark.parametrize("hours", [24, 12])
def test_a_recomputed_window_of_days_is_estimated(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """A recompute that changed something asks for its window's intervals, if somebody could be told.

    It asks with its result, so that neither comes without the other, whenever the worker dies.
    """
    with database.connect() as connection:
        at = worlds.START + timedelta(hours=1)
        worlds.store(
            connection,
            tenant,
            World([], [Sale("o", "j", at)], [Booking(UUID(int=1), "o", "captured", 9, at)]),
        )
    window = Window(worlds.START, worlds.START + timedelta(hours=hours))
    with tenant_session(tenant) as session:
        job = recompute_jobs.request(session, fact_id(tenant, "w"), window, SETTINGS.parameters("linear"))
    with monkeypatch.context() as patched:
        patched.setattr(recompute_jobs, "computed", die)
        with pytest.raises(KeyboardInterrupt):
            run(recompute_window, tenant_id=tenant, job_id=job.job_id)
    assert sent(database, tenant) == []
    with monkeypatch.context() as patched:
        patched.setattr(WindowTask, "effect", effect_and_die)
        with pytest.raises(KeyboardInterrupt):
            run(recompute_window, tenant_id=tenant, job_id=job.job_id)
    with tenant_session(tenant) as session:
        recompute_jobs.request(session, fact_id(tenant, "w"), window, SETTINGS.parameters("linear"))
    assert run(recompute_window, tenant_id=tenant, job_id=job.job_id)["outcome"] == "unchanged"
    wanted = ["maintenance.request_intervals", "maintenance.estimate_intervals"] if hours == 24 else []
    assert sent(database, tenant) == wanted[:1]
    if wanted:
        run(request_intervals, tenant_id=tenant, job_id=job.job_id)
    with tenant_session(tenant) as session:
        asked = channel_intervals.find(session, job.model_version, window)
    assert (asked is not None) == (hours == 24)
    assert sent(database, tenant) == wanted


def test_a_first_attribution_has_its_intervals_estimated_at_once(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the hourly run has looked before, and found nothing; later runs send nothing."""
    sent: list[Message] = []
    monkeypatch.setattr(attribution, "send", lambda message, **_: sent.append(message))
    run(refresh_intervals, tenant_id=tenant)
    tell(database, tenant, shop(5))
    assert [message.name for message in sent] == [
        "attribution.refresh_summaries",
        "maintenance.refresh_intervals",
    ]
    assert run(refresh_intervals, tenant_id=tenant)["computed"] > 0
    assert stored(tenant, ask(tenant)) != []
    run(refresh_summaries, tenant_id=tenant)
    sent.clear()
    journey = shop(5).sales[0].journey_id
    tell(database, tenant, World([Visit(uuid4(), journey, worlds.START, "email")], [], []))
    assert sent == []


def test_random_worlds_have_journeys_of_several_orders() -> None:
    """The worlds above do join orders into journeys; otherwise the tests would not see it."""
    sales = [sale.journey_id for sale in shop().sales]
    assert len(set(sales)) < len(sales)
