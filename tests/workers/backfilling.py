"""Worlds whose orders are attributed by the tasks themselves, run here and now."""

from typing import Any
from uuid import UUID, uuid4

from skeldir.db.session import tenant_session
from skeldir.domain.attribution_settings import AttributionSettings
from skeldir.repository import attribution_settings, backfills
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import World
from workers.models import backfill


def run(task: Any, tenant: UUID, **arguments: Any) -> Any:
    """Run a task here and now, as a worker would."""
    return task.apply(kwargs={"tenant_id": str(tenant), **arguments}, task_id=str(uuid4())).get()


def tell(database: Database, tenant: UUID, world: World) -> None:
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
        worlds.mark(connection, tenant, world.journeys)


def fill(tenant: UUID) -> list[dict[str, Any]]:
    """Go on until nothing remains to be done; return what the steps did."""
    steps = []
    while not steps or steps[-1]["outcome"] == "went_on":
        steps.append(run(backfill, tenant))
        assert len(steps) < 1_000
    assert steps[-1]["outcome"] == "over"
    return steps


def captures(seed: int, journeys: int) -> World:
    """Make a world in which everything can be attributed: no reversal without its capture."""
    world = worlds.make(seed, journeys)
    return World(world.visits, world.sales, [one for one in world.bookings if one.effect_cents >= 0])


def choose(tenant: UUID, **wanted: Any) -> AttributionSettings:
    """Choose settings as the API does."""
    with tenant_session(tenant) as session:
        attribution_settings.hold(session)
        chosen = attribution_settings.choose(session, AttributionSettings(**wanted), None)
        backfills.adopt(session, attribution_settings.current(session))
        return chosen
