"""Messages that were put aside: tasks that were begun again and again and never settled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import Executable, Result, Row, text
from sqlalchemy.orm import Session

from skeldir.broker.channel import lane
from skeldir.domain.errors import Conflict, NotFound
from skeldir.domain.failed_jobs import kept_arguments

_OWN: Final = text("SELECT * FROM skeldir_broker.parked_tasks(:lane, :limit, :before, :message_id)")
_SETTLE_OWN: Final = text("SELECT skeldir_broker.settle_parked(:lane, :message_id, :is_wanted)")
_ALL: Final = text("SELECT * FROM skeldir_broker.all_parked_tasks(:limit, :message_id)")
_PRUNE_OWNERLESS: Final = text("SELECT skeldir_broker.prune_ownerless_parked(:days, :rows_max)")
_SETTLE_ANY: Final = text("SELECT skeldir_broker.settle_any_parked(:message_id, :is_wanted)")


class _Executes(Protocol):
    """A session or a connection."""

    def execute(self, statement: Executable, parameters: Mapping[str, Any], /) -> Result[Any]: ...


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """A parked message, without what its arguments may quote."""

    message_id: int
    queue: str
    task_name: str
    """Empty where the message cannot be read."""
    tenant_id: UUID | None
    """None for a system task."""
    arguments: Mapping[str, str]
    correlation_id: UUID | None
    attempts: int
    sent_at: datetime
    parked_at: datetime


def page(session: Session, tenant_id: UUID, limit: int, *, before: int | None = None) -> list[ParkedMessage]:
    """Return a page of the tenant's messages, the latest first; before a message's id if one is given."""
    values = {"lane": lane(tenant_id), "limit": limit, "before": before, "message_id": None}
    return [_message(row) for row in session.execute(_OWN, values)]


def settle(session: Session, tenant_id: UUID, message_id: int, *, is_wanted: bool) -> ParkedMessage:
    """Put one of the tenant's messages back into its queue, or throw it away; returns it as it was.

    Raises NotFound, also for another tenant's, and Conflict where the queue is no more.
    """
    values = {"lane": lane(tenant_id), "limit": 1, "before": None, "message_id": message_id}
    row = session.execute(_OWN, values).one_or_none()
    return _settled(session, _SETTLE_OWN, row, {"lane": lane(tenant_id), "is_wanted": is_wanted})


def list_all(connection: _Executes, limit: int) -> list[ParkedMessage]:
    """Return everybody's messages, the latest first; for operators."""
    return [_message(row) for row in connection.execute(_ALL, {"limit": limit, "message_id": None})]


def settle_any(connection: _Executes, message_id: int, *, is_wanted: bool) -> ParkedMessage:
    """Do the same as `settle` with anybody's message; for operators."""
    row = connection.execute(_ALL, {"limit": 1, "message_id": message_id}).one_or_none()
    return _settled(connection, _SETTLE_ANY, row, {"is_wanted": is_wanted})


def prune_ownerless(connection: _Executes, days: int, rows_max: int) -> int:
    """Delete some messages of no tenant, parked longer ago than so many days; returns how many.

    Tenants' own go by their retention. Raises what the database does for less than a week.
    """
    values = {"days": days, "rows_max": rows_max}
    return int(connection.execute(_PRUNE_OWNERLESS, values).scalar_one())


def _settled(
    connection: _Executes, statement: Executable, row: Row[Any] | None, values: Mapping[str, Any]
) -> ParkedMessage:
    if row is None:
        raise NotFound("There is no such parked message.")
    was_settled = connection.execute(statement, {**values, "message_id": row.message_id}).scalar_one_or_none()
    if was_settled is None:  # by somebody else meanwhile
        raise NotFound("There is no such parked message.")
    if not was_settled:
        raise Conflict(f"There is no queue {row.queue} any more.")
    return _message(row)


def _message(row: Row[Any]) -> ParkedMessage:
    values = row._asdict()
    values["arguments"] = kept_arguments(row.arguments)
    for name in ("tenant_id", "correlation_id"):
        values[name] = _id(values[name])
    return ParkedMessage(**values)


def _id(told: str | None) -> UUID | None:
    try:
        return UUID(told) if told else None
    except ValueError:
        return None
