"""Attribution of many orders, of which a second connection computes some while the first writes others."""

from dataclasses import replace
from typing import cast
from uuid import UUID

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy import QueuePool
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from skeldir.db.session import tenant_session
from skeldir.domain.models import MODELS
from skeldir.repository import attribution, attribution_orders, attribution_results
from skeldir.repository.attribution_results import Columns
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import SETTINGS
from tests.repository.test_attribution import EVERYTHING, allocated


@pytest.fixture(autouse=True, params=[40, 10_000])
def portions(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Have a few hundred orders be many portions, or one that is made two."""
    monkeypatch.setattr(attribution, "AHEAD_FROM", 1)
    monkeypatch.setattr(attribution_orders, "SCOPE_MAX", request.param)


def test_what_is_computed_ahead_of_writing_is_of_the_jobs_own_snapshot(
    database: Database, tenant: UUID
) -> None:
    """A large job's second connection sees neither more nor less than its first, whatever was told since."""
    world = worlds.make(seed=8, journeys=600)
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
        engine = database.engine("app_worker")
        with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
            attribution.begin(session)
            attribution.refresh_statistics(session)  # takes the snapshot
            connection.execute(
                "UPDATE touchpoints SET channel_code = 'email' WHERE tenant_id = %s", (tenant,)
            )
            for model in MODELS:
                attribution.attribute_window(session, EVERYTHING, SETTINGS.parameters(model))
    for model in MODELS:
        assert allocated(database, tenant, model) == worlds.expected(world, model), model


def test_amounts_too_large_for_bigints_do_not_keep_a_job_from_computing_ahead_later(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few orders, some of which only numerics hold, and then many, in one transaction."""
    world = worlds.make(seed=8, journeys=600)
    engine = database.engine("app_worker")
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        with monkeypatch.context() as few:
            few.setattr(attribution, "AHEAD_FROM", 10**9)
            attribution.attribute_window(session, EVERYTHING, SETTINGS.parameters("time_decay"))
        attribution.attribute_window(session, EVERYTHING, SETTINGS.parameters("linear"))
    for model in ("time_decay", "linear"):
        assert allocated(database, tenant, model) == worlds.expected(world, model), model


def test_an_error_ahead_of_writing_ends_the_job_and_leaves_nothing(database: Database, tenant: UUID) -> None:
    """Neither rows, nor a connection that is not given back."""
    world = worlds.make(seed=8, journeys=600)
    beyond_all_time = replace(SETTINGS.parameters("linear"), lookback_days=10**9)
    engine = database.engine("app_worker")
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        attribution.attribute_window(session, EVERYTHING, SETTINGS.parameters("linear"))
        with pytest.raises(DataError, match="out of range"):
            attribution.attribute_window(session, EVERYTHING, beyond_all_time)
        session.rollback()
    assert allocated(database, tenant, "linear") == {}
    assert cast("QueuePool", engine.pool).checkedout() == 0


def test_a_time_limit_while_writing_ends_the_job_and_gives_both_connections_back(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is raised wherever the task is; the second connection is then computing, and is waited for."""
    world = worlds.make(seed=8, journeys=600)
    engine = database.engine("app_worker")
    reached: list[str] = []

    def end(_session: Session, model_version: str, _columns: Columns, *, is_first: bool) -> tuple[int, int]:
        assert is_first
        reached.append(model_version)
        if len(reached) < 2:
            return 0, 0
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(attribution_results, "replace", end)
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        with pytest.raises(SoftTimeLimitExceeded):
            attribution.attribute_window(session, EVERYTHING, SETTINGS.parameters("linear"))
        session.rollback()
    assert len(reached) == 2
    assert cast("QueuePool", engine.pool).checkedout() == 0
