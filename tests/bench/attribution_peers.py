"""What attribution is measured beside: client engines end to end, an ORM loop, and the physical floor.

All do the same: they read the tenant's rows, compute linear attribution with the same exact cents, and write
to the same table under the same row-level security and checks. COPY knows no row-level security, so engines
copy to a staging table and insert from there. The ORM loop alone writes to a bare table, which flatters it:
it inserts row by row, and the check refuses an entry's first row.
"""

import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from uuid import UUID

import psycopg
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from skeldir.db.session import tenant_session
from tests.bench import attribution_duckdb, attribution_polars
from tests.repository.attribution_world import LOOKBACK_DAYS, Booking, Sale, Visit, World, expected

_STAGING: Final = """
CREATE UNLOGGED TABLE bench_staging (
    entry_id uuid, channel_code text, campaign_id text, allocated_cents bigint)
"""
_BARE: Final = """
CREATE TABLE bench_allocations (tenant_id uuid, model_version text, entry_id uuid, channel_code text,
    campaign_id text, allocated_cents bigint,
    PRIMARY KEY (tenant_id, model_version, entry_id, channel_code, campaign_id))
"""
_STORE: Final = """
INSERT INTO allocations (model_version, entry_id, order_id, channel_code, campaign_id, allocated_cents,
                         currency, effective_at, touch_count)
SELECT 'peer', staged.entry_id, entry.order_id, channel_code, campaign_id, allocated_cents, entry.currency,
       entry.effective_at, 0
  FROM bench_staging AS staged JOIN ledger_entries AS entry USING (entry_id)
 ORDER BY staged.entry_id, channel_code, campaign_id
"""
_MICROSECONDS: Final = "CAST(extract(epoch FROM {}) * 1000000 AS bigint)"
READ: Final = {
    "touches": f"""SELECT journey_id, {_MICROSECONDS.format("occurred_at")}, channel_code, campaign_id
                     FROM touchpoints WHERE tenant_id = '{{tenant}}'""",
    "sales": f"""SELECT order_id, journey_id, {_MICROSECONDS.format("ordered_at")}
                   FROM orders WHERE tenant_id = '{{tenant}}'""",
    "entries": f"""SELECT entry_id, order_id, currency, {_MICROSECONDS.format("effective_at")}, effect_cents
                     FROM ledger_entries WHERE tenant_id = '{{tenant}}' AND effect_cents <> 0""",
}
_DIGEST: Final = """
    SELECT md5(string_agg(concat_ws(' ', entry_id, channel_code, campaign_id, allocated_cents), ','
                          ORDER BY entry_id, channel_code COLLATE "C", campaign_id COLLATE "C"))
      FROM {} WHERE tenant_id = %s AND model_version = %s
"""

Compute = Callable[[Path, int], None]
"""Reads `touches.csv`, `sales.csv` and `entries.csv` of a folder and writes `allocations.csv` into it."""

ENGINES: Final[dict[str, tuple[str, Compute]]] = {
    "DuckDB": ("duckdb", attribution_duckdb.compute),
    "polars": ("polars", attribution_polars.compute),
}
"""By name: the package that must be there, and the computation."""


def is_installed(package: str) -> bool:
    """Tell whether a peer's package is there."""
    return find_spec(package) is not None


def prepare(superuser: psycopg.Connection) -> None:
    """Make what the peers stage their rows in."""
    superuser.execute(_STAGING)
    superuser.execute(_BARE)
    superuser.execute("GRANT SELECT, INSERT ON bench_staging TO app_worker")


def in_an_engine(superuser: psycopg.Connection, tenant: UUID, compute: Compute, lookback_days: int) -> None:
    """Copy the tenant's rows out, compute, and store the allocations, in one transaction as the worker.

    Its commit waits for the disk no more than the worker's does.
    """
    folder = Path(tempfile.mkdtemp(prefix="skeldir-bench-"))
    with superuser.transaction(), superuser.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL ROLE app_worker")
        cursor.execute(f"SET LOCAL app.current_tenant_id = '{tenant}'")
        for name, query in READ.items():
            with (
                (folder / f"{name}.csv").open("wb") as stream,
                cursor.copy(f"COPY ({query.format(tenant=tenant)}) TO STDOUT (FORMAT csv)") as copy,
            ):
                for block in copy:
                    stream.write(block)
        compute(folder, lookback_days)
        with (
            (folder / "allocations.csv").open("rb") as stream,
            cursor.copy("COPY bench_staging FROM STDIN (FORMAT csv)") as copy,
        ):
            while block := stream.read(1 << 16):
                copy.write(block)
        cursor.execute(_STORE)
    shutil.rmtree(folder)


def forget(superuser: psycopg.Connection) -> None:
    """Delete a peer's rows, so that the next finds the table as this one did."""
    superuser.execute("TRUNCATE bench_staging")
    superuser.execute("DELETE FROM allocations WHERE model_version = 'peer'")
    superuser.execute("VACUUM allocations")


def same(superuser: psycopg.Connection, tenant: UUID, model_version: str, table: str = "allocations") -> bool:
    """Tell whether a peer's rows are ours, to the cent."""
    theirs = superuser.execute(_DIGEST.format(table), (tenant, "peer")).fetchone()
    ours = superuser.execute(_DIGEST.format("allocations"), (tenant, model_version)).fetchone()
    return theirs is not None and theirs == ours


def prepare_floor(connection: psycopg.Connection, tenant: UUID, model_version: str) -> int:
    """Put the rows of a result aside, in the order of their key; return how many."""
    connection.execute("DROP TABLE IF EXISTS bench_precomputed")
    connection.execute(
        f"""CREATE TABLE bench_precomputed AS SELECT * FROM allocations
             WHERE tenant_id = '{tenant}' AND model_version = '{model_version}'
             ORDER BY entry_id, channel_code, campaign_id"""
    )
    connection.execute("UPDATE bench_precomputed SET model_version = 'floor'")
    connection.execute("VACUUM FULL bench_precomputed")
    connection.execute("GRANT SELECT ON bench_precomputed TO app_worker")
    row = connection.execute("SELECT count(*) FROM bench_precomputed").fetchone()
    return 0 if row is None else int(row[0])


def floor(engine: Engine, tenant: UUID) -> None:
    """Insert what is known already: the same table, key, row-level security and checks."""
    with tenant_session(tenant, is_durable=False, engine=engine) as session:
        session.execute(text("INSERT INTO allocations SELECT * FROM bench_precomputed"))


def forget_floor(connection: psycopg.Connection) -> None:
    """Delete the floor's rows."""
    connection.execute("DELETE FROM allocations WHERE model_version = 'floor'")
    connection.execute("VACUUM allocations")


class _Base(DeclarativeBase):
    pass


class _Order(_Base):
    __tablename__ = "orders"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(primary_key=True)
    journey_id: Mapped[str]
    ordered_at: Mapped[datetime]


class _Entry(_Base):
    __tablename__ = "ledger_entries"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[str]
    kind: Mapped[str]
    effect_cents: Mapped[int]
    currency: Mapped[str]
    effective_at: Mapped[datetime]


class _Touch(_Base):
    __tablename__ = "touchpoints"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    touchpoint_id: Mapped[UUID] = mapped_column(primary_key=True)
    journey_id: Mapped[str]
    occurred_at: Mapped[datetime]
    channel_code: Mapped[str]
    campaign_id: Mapped[str]


class _Allocation(_Base):
    __tablename__ = "bench_allocations"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    model_version: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_code: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str] = mapped_column(primary_key=True)
    allocated_cents: Mapped[int]


def orm_loop(engine: Engine, tenant: UUID) -> None:
    """Order by order: load it, its entries and its touches; compute; add one object per row."""
    with Session(engine) as session:
        for order in session.scalars(select(_Order).where(_Order.tenant_id == tenant)).all():
            entries = session.scalars(
                select(_Entry).where(_Entry.tenant_id == tenant, _Entry.order_id == order.order_id)
            )
            touches = session.scalars(
                select(_Touch).where(
                    _Touch.tenant_id == tenant,
                    _Touch.journey_id == order.journey_id,
                    _Touch.occurred_at > order.ordered_at - timedelta(days=LOOKBACK_DAYS),
                )
            )
            world = World(
                [
                    Visit(t.touchpoint_id, t.journey_id, t.occurred_at, t.channel_code, t.campaign_id)
                    for t in touches
                ],
                [Sale(order.order_id, order.journey_id, order.ordered_at)],
                [
                    Booking(e.entry_id, e.order_id, e.kind, e.effect_cents, e.effective_at, e.currency)
                    for e in entries
                ],
            )
            for (entry_id, channel, campaign), cents in expected(world, "linear").items():
                session.add(
                    _Allocation(
                        tenant_id=tenant,
                        model_version="peer",
                        entry_id=entry_id,
                        channel_code=channel,
                        campaign_id=campaign,
                        allocated_cents=cents,
                    )
                )
        session.commit()
