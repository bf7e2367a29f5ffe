"""What channel reports must say of a world, counted by hand: one entry at a time, sharing no SQL."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from skeldir.domain.models import Model
from skeldir.domain.windows import Window
from skeldir.repository.channel_reports import CurrencyReport, Mode
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import Booking, World

Told = dict[str, tuple[int, dict[str, tuple[int, int, int]]]]
"""Per currency what is pending, and per channel revenue, reversed cents and orders."""


REVERSALS = ("refunded", "disputed", "dispute_reversed")


def told(reports: list[CurrencyReport]) -> Told:
    """Put a report into the oracle's form."""
    return {
        report.currency: (
            report.pending_cents,
            {
                row.channel_code: (row.revenue_cents, row.reversed_cents, row.order_count)
                for row in report.channels
            },
        )
        for report in reports
    }


def expected(world: World, model: Model, window: Window, mode: Mode) -> Told:
    """Count what is booked in the window, all of it attributed that can be."""
    captured_at = first_captures(world)
    credited: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    of_entry: dict[object, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (entry_id, channel, _), cents in worlds.expected(world, model).items():
        of_entry[entry_id][channel] += cents
    in_order: dict[tuple[str, str, str], int] = defaultdict(int)
    pending: dict[str, int] = defaultdict(int)
    for booking in world.bookings:
        at = counted_at(booking, captured_at, mode)
        is_inside = window.start <= at < window.end
        if is_inside and booking.entry_id not in of_entry:
            pending[booking.currency] += booking.effect_cents
        for channel, cents in of_entry[booking.entry_id].items() if booking.entry_id in of_entry else ():
            if booking.counts_as in ("captured", "adjusted"):
                in_order[booking.order_id, booking.currency, channel] += cents
            if is_inside:
                credited[booking.currency][channel][0] += cents
                credited[booking.currency][channel][1] += cents if booking.counts_as in REVERSALS else 0
    for (order_id, currency, channel), cents in in_order.items():
        at = captured_at.get((order_id, currency), window.end)
        credited[currency][channel][2] += bool(cents and window.start <= at < window.end)
    answer: Told = {}
    for currency in credited.keys() | pending.keys():
        rows = {c: (row[0], row[1], row[2]) for c, row in credited[currency].items() if any(row)}
        if rows or pending[currency]:
            answer[currency] = (pending[currency], rows)
    return answer


def first_captures(world: World) -> dict[tuple[str, str], datetime]:
    """Return when each order was first captured, in each currency; what was taken back is no capture."""
    slots: dict[tuple[str, str, datetime], int] = defaultdict(int)
    for booking in world.bookings:
        if booking.kind == "captured":
            slots[booking.order_id, booking.currency, booking.effective_at] += booking.effect_cents
    first: dict[tuple[str, str], datetime] = {}
    for (order_id, currency, at), cents in sorted(slots.items(), key=lambda item: item[0]):
        if cents:
            first.setdefault((order_id, currency), at)
    return first


def counted_at(booking: Booking, captured_at: Mapping[tuple[str, str], datetime], mode: Mode) -> datetime:
    if mode == "cash" or booking.kind == "captured":
        return booking.effective_at
    return captured_at.get((booking.order_id, booking.currency), booking.effective_at)
