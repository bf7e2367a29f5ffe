"""New versions of models come to cover every order, whatever happens meanwhile, and old ones go."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.domain.attribution_settings import AttributionSettings
from skeldir.domain.ids import fact_id
from skeldir.domain.models import MODELS
from skeldir.domain.windows import BEGINNING, END, Window
from skeldir.queue.messages import Message
from skeldir.repository import (
    attribution,
    attribution_settings,
    channel_reports,
    model_fits,
    performance_days,
    recompute_jobs,
    summaries,
)
from skeldir.settings import get_settings
from tests import waiting
from tests.conftest import Database
from tests.identity import count
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import SETTINGS, World
from tests.workers.backfilling import captures, choose, fill, run, tell
from workers import housekeeping, models
from workers.attribution import attribute_marked
from workers.housekeeping import fill_back
from workers.models import backfill, refit_models
from workers.recomputing import recompute_window
from workers.summaries import refresh_summaries

EVERYTHING = Window(BEGINNING, END)
VERSIONS = text("SELECT DISTINCT model_version FROM allocations")
ROWS = text("""
    SELECT entry_id, channel_code, campaign_id, allocated_cents
      FROM allocations
     WHERE model_version = :version
""")


def covered(database: Database, tenant: UUID, settings: AttributionSettings, world: World) -> bool:
    """Tell whether every model is what the oracle says under these settings and no other rows are left.

    Nor may a summary differ from its rows.
    """
    with tenant_session(tenant, read_only=True) as session:
        if set(session.execute(VERSIONS).scalars()) != {settings.version(model) for model in MODELS}:
            return False
        for model in MODELS:
            rows = session.execute(ROWS, {"version": settings.version(model)})
            if {(row[0], row[1], row[2]): row[3] for row in rows} != worlds.expected(world, model, settings):
                return False
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        return sum(summaries.drift(session, version) for version in summaries.listed(session)) == 0


def pending(tenant: UUID, settings: AttributionSettings) -> int:
    """Count the cents that reports say are pending, over all models; checks their sums on the way."""
    cents = 0
    with tenant_session(tenant, read_only=True) as session:
        for model in MODELS:
            for total in channel_reports.report(session, settings.version(model), EVERYTHING):
                assert total.allocated_cents + total.pending_cents == total.ledger_net_cents
                cents += abs(total.pending_cents)
    return cents


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a backfill take many steps where a worker would take one."""
    monkeypatch.setattr(models, "ROWS_MAX", 40)


@pytest.mark.usefixtures("small_steps")
def test_what_was_chosen_comes_to_cover_every_order(database: Database, tenant: UUID) -> None:
    """Pending until then, exact after; the rows of what was chosen before are gone."""
    world = captures(31, journeys=60)
    tell(database, tenant, world)
    run(attribute_marked, tenant)
    assert fill(tenant)
    assert covered(database, tenant, SETTINGS, world)
    chosen = choose(tenant, lookback_days=7, half_life_days=2, custom_weights={"email": 3})
    assert pending(tenant, chosen) == len(MODELS) * sum(map(abs, world.net_cents().values()))
    steps = fill(tenant)
    assert len(steps) > 10
    assert pending(tenant, chosen) == 0
    assert covered(database, tenant, chosen, world)


@pytest.mark.usefixtures("small_steps")
def test_orders_that_come_meanwhile_are_covered_too(database: Database, tenant: UUID) -> None:
    """Before the place that a backfill has come to, or after it; it may even have passed."""
    first, later = captures(32, journeys=40), captures(33, journeys=40)
    tell(database, tenant, first)
    run(attribute_marked, tenant)
    chosen = choose(tenant, lookback_days=9)
    for _ in range(3):
        run(backfill, tenant)
    merged = {sale.order_id: sale for sale in later.sales}
    new = [sale for order_id, sale in merged.items() if order_id not in {one.order_id for one in first.sales}]
    told = {sale.order_id for sale in new}
    more = World(later.visits, new, [one for one in later.bookings if one.order_id in told])
    tell(database, tenant, more)
    run(backfill, tenant)
    run(attribute_marked, tenant)
    fill(tenant)
    both = World(first.visits + more.visits, first.sales + more.sales, first.bookings + more.bookings)
    assert new
    assert covered(database, tenant, chosen, both)


@pytest.mark.usefixtures("small_steps")
def test_what_is_chosen_again_is_not_what_it_was_then(database: Database, tenant: UUID) -> None:
    """What was left of a version while another was current is out of date: deleted first, then made anew."""
    world, more = captures(34, journeys=40), captures(35, journeys=40)
    tell(database, tenant, world)
    run(attribute_marked, tenant)
    fill(tenant)
    choose(tenant, lookback_days=9)
    run(backfill, tenant)
    later = World(more.visits)
    tell(database, tenant, later)
    run(attribute_marked, tenant)
    again = choose(tenant, lookback_days=SETTINGS.lookback_days)
    assert again.version("linear") == SETTINGS.version("linear")
    left = count(tenant, "allocations")
    steps = fill(tenant)
    assert left > 0
    assert sum(step.get("deleted", 0) for step in steps) == left
    assert covered(database, tenant, again, World(world.visits + later.visits, world.sales, world.bookings))


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("deleted_while", ["superseded", "chosen_again"])
def test_a_window_whose_rows_are_deleted_is_computed_anew(
    database: Database, tenant: UUID, deleted_while: str
) -> None:
    """From the same inputs: a result is unchanged while it is there. It is told what it was computed from."""
    tell(database, tenant, captures(39, journeys=40))
    run(attribute_marked, tenant)
    first = choose(tenant, lookback_days=20)
    fill(tenant)
    window = Window(worlds.START, worlds.START + timedelta(days=300))
    job_id = fact_id(tenant, "a window")

    def recompute() -> Any:
        with tenant_session(tenant) as session:
            recompute_jobs.request(session, job_id, window, first.parameters("linear"))
        kwargs = {"tenant_id": str(tenant), "job_id": str(job_id)}
        return recompute_window.apply(kwargs=kwargs, task_id=str(uuid4())).get()["outcome"]

    def found() -> tuple[list[channel_reports.CurrencyReport], tuple[object, ...]]:
        with tenant_session(tenant, read_only=True) as session:
            job = recompute_jobs.get(session, job_id)
            assert job
            report = channel_reports.report(session, first.version("linear"), window)
            return report, (job.fingerprint, job.computed_at, job.computed_run_count)

    assert [recompute(), recompute()] == ["computed", "unchanged"]
    report, origin = found()
    assert {total.pending_cents for total in report} == {0}
    choose(tenant, lookback_days=25)
    if deleted_while == "superseded":
        fill(tenant)
    choose(tenant, lookback_days=20)
    for _ in range(100):
        if found()[0] == report:
            run(backfill, tenant)
    now, still = found()
    assert now != report
    assert still == origin
    assert [recompute(), recompute()] == ["computed", "unchanged"]
    assert found()[0] == report


def test_what_reports_are_read_from_goes_with_the_rows(database: Database, tenant: UUID) -> None:
    """When a version's rows have gone and come again, nothing of them is counted twice."""
    world = captures(38, journeys=30)
    tell(database, tenant, world)
    run(attribute_marked, tenant)
    fill(tenant)
    run(refresh_summaries, tenant)
    linear = SETTINGS.version("linear")
    with tenant_session(tenant, read_only=True) as session:
        assert performance_days.is_listed(session, linear)
    choose(tenant, lookback_days=9)
    fill(tenant)
    again = choose(tenant, lookback_days=SETTINGS.lookback_days)
    fill(tenant)
    assert covered(database, tenant, again, world)
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        attribution.begin_scan(session)
        if performance_days.is_listed(session, linear):
            assert performance_days.refresh(session, linear) == 0


def test_a_refit_covers_every_order_by_what_it_learnt(database: Database, tenant: UUID) -> None:
    """Linear before, by the fit's effects after; a second one finds nothing new and writes nothing."""
    world = captures(36, journeys=60)
    tell(database, tenant, world)
    run(attribute_marked, tenant)
    assert run(refit_models, tenant)["outcome"] == "fitted"
    with tenant_session(tenant, read_only=True) as session:
        fitted = attribution_settings.current(session)
    assert fitted.markov_weights
    fill(tenant)
    assert covered(database, tenant, fitted, world)
    assert run(refit_models, tenant)["outcome"] == "unchanged"
    assert [step["outcome"] for step in fill(tenant)] == ["over"]


def test_a_fit_for_settings_that_changed_meanwhile_is_not_kept(
    tenant: UUID, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who changed them has sent for another fit."""
    tell(database, tenant, captures(37, journeys=30))
    fit_markov = model_fits.fit_markov

    def while_somebody_chooses(*arguments: Any) -> Any:
        fitted = fit_markov(*arguments)
        choose(tenant, lookback_days=3)
        return fitted

    with monkeypatch.context() as patched:
        patched.setattr(model_fits, "fit_markov", while_somebody_chooses)
        assert run(refit_models, tenant)["outcome"] == "superseded"
    with tenant_session(tenant, read_only=True) as session:
        assert model_fits.newest(session) is None


def test_another_look_back_of_the_service_covers_every_order_within_a_minute(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who never chose follows it as soon as workers have it, with nothing told; who chose does not."""
    world = captures(12, 20)
    tell(database, tenant, world)
    run(attribute_marked, tenant)
    fill(tenant)
    assert tenant not in sent_for(monkeypatch)
    settings = get_settings().model_copy(update={"lookback_days": 14})
    for module in (housekeeping, attribution_settings):
        monkeypatch.setattr(module, "get_settings", lambda: settings)
    assert tenant in sent_for(monkeypatch)
    fill(tenant)
    assert covered(database, tenant, AttributionSettings(lookback_days=14), world)
    assert tenant not in sent_for(monkeypatch)
    choose(tenant, lookback_days=9)
    fill(tenant)
    assert tenant not in sent_for(monkeypatch)


def sent_for(monkeypatch: pytest.MonkeyPatch) -> set[UUID]:
    """Run what Beat sends every minute, and return for whom it has sent."""
    sent: list[Message] = []
    with monkeypatch.context() as patch:
        patch.setattr(housekeeping, "send", lambda message, **_: sent.append(message))
        patch.setattr(housekeeping, "_is_behind", lambda *_, **__: False)
        fill_back.apply().get()
    assert {message.name for message in sent} <= {"attribution.backfill"}
    return {UUID(message.arguments["tenant_id"]) for message in sent}


def test_whoever_is_not_covered_is_found(database: Database, tenant: UUID) -> None:
    """Also a tenant that was there before there were backfills; nobody is found for ever."""
    with database.connect() as connection:
        waiting.clear(connection)
    assert fill_back.apply().get() >= 1
    fill(tenant)
    with tenant_session(tenant, read_only=True) as session:
        open_ones = session.execute(
            text("SELECT count(*) FROM attribution_backfills WHERE completed_at IS NULL")
        ).scalar_one()
    assert open_ones == 0
