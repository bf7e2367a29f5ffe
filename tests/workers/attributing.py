"""A tenant with an order, and how tests run the attribution tasks and look at what they leave."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.domain.ids import fact_id
from skeldir.domain.windows import Window
from skeldir.repository import recompute_jobs
from skeldir.repository.recompute_jobs import Job
from tests import waiting
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import SETTINGS, Booking, Sale, World

NOON = worlds.START.replace(hour=12)
WINDOW = Window(NOON - timedelta(days=1), NOON + timedelta(days=1))
LINEAR = SETTINGS.version("linear")
ONE_ORDER = World([], [Sale("o", "j", NOON)], [Booking(UUID(int=1), "o", "captured", 900, NOON)])

REFUND = text("""
    INSERT INTO ledger_entries (entry_id, order_id, kind, reference, amount_cents, effect_cents, currency,
                                effective_at, booked_at, source)
    VALUES (:entry_id, 'o', 'refunded', 'r', 300, -300, 'EUR', :at, :at, 'shopify')
""")
MARK = text("""
    INSERT INTO dirty_marks (mark_id, journey_id, earliest, marked_at)
    VALUES (:mark_id, 'j', :at, :marked_at)
""")


def run(task: Any, *, task_id: str | None = None, **arguments: object) -> Any:
    """Run a task here and now, as a worker would: retries included."""
    kwargs = {name: str(value) for name, value in arguments.items()}
    return task.apply(kwargs=kwargs, task_id=task_id or str(uuid4())).get()


def tell(database: Database, tenant: UUID, world: World = ONE_ORDER, *, age_seconds: int = 60) -> None:
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
        worlds.mark(connection, tenant, [sale.journey_id for sale in world.sales], age_seconds)


def count(database: Database, tenant: UUID, table: str) -> int:
    with database.connect() as connection:
        row = connection.execute(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", (tenant,)).fetchone()
    assert row is not None
    return int(row[0])


def request_window(tenant: UUID) -> Job:
    job_id = fact_id(tenant, "window")
    with tenant_session(tenant) as session:
        return recompute_jobs.request(session, job_id, WINDOW, SETTINGS.parameters("linear"))


def job_of(tenant: UUID, job_id: UUID) -> Job:
    with tenant_session(tenant) as session:
        job = recompute_jobs.get(session, job_id)
    assert job is not None
    return job


def sent(database: Database, tenant: UUID) -> list[str]:
    with database.connect() as connection:
        return waiting.names(connection, tenant)
