"""Two other ways to do the same: a loop of ORM objects, and a computation in the client.

Both write to a bare table, without row-level security, checks or other indexes: that flatters them.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
from sqlalchemy import Engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from skeldir.domain.models import MODELS
from tests.repository.attribution_world import LOOKBACK_DAYS, Booking, Sale, Visit, World, expected

BARE_TABLE = """
CREATE TABLE IF NOT EXISTS bench_allocations (tenant_id uuid, model text, entry_id uuid, channel_code text,
    campaign_id text, allocated_cents bigint,
    PRIMARY KEY (tenant_id, model, entry_id, channel_code, campaign_id))
"""


_READ = (
    """SELECT touchpoint_id, journey_id, occurred_at, channel_code, campaign_id
         FROM touchpoints WHERE tenant_id = %s""",
    "SELECT order_id, journey_id, ordered_at FROM orders WHERE tenant_id = %s",
    """SELECT entry_id, order_id, kind, effect_cents, effective_at, currency
         FROM ledger_entries WHERE tenant_id = %s""",
)


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
    model: Mapped[str] = mapped_column(primary_key=True)
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
            for model in MODELS:
                for (entry_id, channel, campaign), cents in expected(world, model).items():
                    session.add(
                        _Allocation(
                            tenant_id=tenant,
                            model=model,
                            entry_id=entry_id,
                            channel_code=channel,
                            campaign_id=campaign,
                            allocated_cents=cents,
                        )
                    )
        session.commit()


def in_the_client(connection: psycopg.Connection, tenant: UUID) -> None:
    """Three queries, everything computed in Python, the rows sent back by one pipelined insert."""
    with connection.transaction():
        visits, sales, bookings = (connection.execute(query, (tenant,)).fetchall() for query in _READ)
        world = World(
            [Visit(*row) for row in visits],
            [Sale(*row) for row in sales],
            [Booking(*row) for row in bookings],
        )
        with connection.cursor() as cursor:
            for model in MODELS:
                rows = [(tenant, model, *key, cents) for key, cents in expected(world, model).items()]
                cursor.executemany("INSERT INTO bench_allocations VALUES (%s, %s, %s, %s, %s, %s)", rows)


def totals(connection: psycopg.Connection, tenant: UUID) -> dict[str, int]:
    """Return what a peer allocated under each model, to compare with the ledger."""
    found: dict[str, int] = defaultdict(int)
    query = "SELECT model, sum(allocated_cents) FROM bench_allocations WHERE tenant_id = %s GROUP BY model"
    for model, cents in connection.execute(query, (tenant,)).fetchall():
        found[model] = int(cents)
    return dict(found)
