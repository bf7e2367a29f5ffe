"""Operations of the parcels contract of this small tree."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from generated.models.parcels import NewParcel, Parcel, ParcelList

from skeldir.http.context import Context, Reply


def list_parcels(
    ctx: Context, *, state: str, since: date | None, parcel_ids: Sequence[UUID] | None, limit: int
) -> ParcelList:
    raise NotImplementedError(ctx, state, since, parcel_ids, limit)


async def ring_doorbell(ctx: Context) -> str:
    raise NotImplementedError(ctx)


def recall_parcel(ctx: Context, *, parcel_id: UUID, x_recalled_at: datetime) -> None:
    raise NotImplementedError(ctx, parcel_id, x_recalled_at)


def send_parcel(ctx: Context, *, body: NewParcel) -> Reply[Parcel]:
    raise NotImplementedError(ctx, body)
