"""Operations of api-contracts/openapi/v1/journeys.yaml."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from pydantic import MISSING

from generated.models.journeys import (
    ConversionJourney,
    CreditTotal,
    EntryCredit,
    EntryCredits,
    JourneyCurrency,
    WeighedTouch,
)
from skeldir.domain.errors import NotFound
from skeldir.domain.models import Model, share_ppm
from skeldir.http.context import Context
from skeldir.http.cursors import make_cursor, read_cursor
from skeldir.repository import attribution_settings, conversion_journeys, payments
from skeldir.repository.conversion_journeys import Place

OPERATION: Final = "getConversionJourney"

Row = Mapping[str, Any]


def get_conversion_journey(
    ctx: Context, *, order_id: str, model: Model | None, limit: int, cursor: str | None
) -> ConversionJourney:
    """Show an order's touches and what each is worth, and its entries and to whom they are credited."""
    parameters = attribution_settings.current(ctx.session).parameters(model)
    order = conversion_journeys.order(ctx.session, payments.order_of(ctx.session, order_id))
    if order is None:
        raise NotFound("There is no such order.")
    filters = {"model_version": parameters.version, "order_id": order.order_id}
    found = conversion_journeys.touches(
        ctx.session,
        parameters,
        order_id=order.order_id,
        journey_id=order.journey_id,
        limit=limit + 1,
        after=None if cursor is None else _place(read_cursor(ctx.tenant_id, OPERATION, filters, cursor)),
    )
    shown, rest = found[:limit], found[limit:]
    credited = conversion_journeys.credits_of(ctx.session, order.order_id, parameters.version)
    entries = conversion_journeys.entries(ctx.session, order.order_id, parameters.version)
    next_cursor = None
    if rest:
        next_cursor = make_cursor(ctx.tenant_id, OPERATION, filters, _position(shown[-1].place))
    return ConversionJourney(
        order_id=order.order_id,
        journey_id=order.journey_id,
        ordered_at=order.ordered_at,
        model=parameters.model,
        model_version=parameters.version,
        lookback_days=parameters.lookback_days,
        touch_count=shown[0].touch_count if shown else 0,
        fallback=next((touch.fallback for touch in shown if touch.fallback), None) or MISSING,
        currencies=[_currency(code, list(rows)) for code, rows in _by(credited, "currency")],
        entries=[_entry(list(rows)) for _, rows in _by(entries, "entry_id")],
        touches=[_touch(touch) for touch in shown],
        next_cursor=next_cursor,
    )


def _by(rows: Iterable[Row], name: str) -> Iterable[tuple[Any, Iterable[Row]]]:
    return groupby(rows, key=lambda row: row[name])


def _currency(code: str, rows: list[Row]) -> JourneyCurrency:
    pending_cents = sum(row["cents"] for row in rows if row["channel_code"] is None)
    allocated_cents = sum(row["cents"] for row in rows if row["channel_code"] is not None)
    return JourneyCurrency(
        currency=code,
        ledger_net_cents=allocated_cents + pending_cents,
        allocated_cents=allocated_cents,
        pending_cents=pending_cents,
        credits=[
            CreditTotal(
                channel_code=row["channel_code"],
                campaign_id=row["campaign_id"],
                allocated_cents=row["cents"],
                share_ppm=share_ppm(row["cents"], allocated_cents),
            )
            for row in rows
            if row["channel_code"] is not None
        ],
    )


def _entry(rows: list[Row]) -> EntryCredits:
    first = rows[0]
    return EntryCredits(
        entry_id=first["entry_id"],
        kind=first["kind"],
        currency=first["currency"],
        effective_at=first["effective_at"],
        effect_cents=first["effect_cents"],
        credits=[
            EntryCredit(
                channel_code=row["channel_code"],
                campaign_id=row["campaign_id"],
                allocated_cents=row["allocated_cents"],
            )
            for row in rows
            if row["channel_code"] is not None
        ],
    )


def _touch(touch: conversion_journeys.WeighedTouch) -> WeighedTouch:
    return WeighedTouch(
        touchpoint_id=touch.touchpoint_id,
        occurred_at=touch.occurred_at,
        channel_code=touch.channel_code,
        campaign_id=touch.campaign_id,
        source=touch.source or MISSING,
        medium=touch.medium or MISSING,
        origin="recorded" if touch.is_recorded else "hinted",
        weight=touch.weight,
        share_ppm=touch.share_ppm,
    )


def _position(place: Place) -> list[str]:
    return [place.occurred_at.isoformat(), str(place.touchpoint_id)]


def _place(position: list[str]) -> Place:
    occurred_at, touchpoint_id = position
    return Place(datetime.fromisoformat(occurred_at), UUID(touchpoint_id))
