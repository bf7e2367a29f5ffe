"""A tenant whose ledger is attributed by hand, with everything that a file could trip over."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg

from skeldir.domain.attribution_settings import AttributionSettings
from skeldir.domain.ids import fact_id
from tests.asgi import Api
from tests.conftest import Database
from tests.formats.world import FORMULAS
from tests.identity import log_in, make_user
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import Booking, World

START = datetime(2026, 8, 1, 23, 59, 58, tzinfo=UTC)
ENTRIES, PENDING = 1_000, 5
VERSION = AttributionSettings(lookback_days=30).version("linear")
CHANNELS = ("email", "facebook_paid", "google_search_paid", "tiktok_paid")
CAMPAIGNS = (*FORMULAS, "", "plain", 'say "hi", you', "über")
FALLBACKS = (None, "no_weights", "weightless", None, None)
Cell = tuple[str, str, str]  # day, currency, channel


@dataclass(frozen=True)
class Credit:
    """One allocation to be."""

    booking: Booking
    channel: str
    campaign: str
    cents: int
    fallback: str | None


class Bookkeeper:
    """Somebody of a tenant with a thousand attributed entries and five pending ones."""

    def __init__(self, api: Api, database: Database, tenant_id: UUID) -> None:
        self.api = api
        self.tenant_id = tenant_id
        self.user = make_user(tenant_id, "viewer")
        self.token = log_in(self.user).tokens.access.token
        self.bookings = [_booking(tenant_id, n) for n in range(ENTRIES + PENDING)]
        self.credits = [one for n in range(ENTRIES) for one in _split(n, self.bookings[n])]
        with database.connect() as connection:
            worlds.store(connection, tenant_id, World([], [], self.bookings))
            _store(connection, tenant_id, self.credits)

    def get(self, path: str, method: str = "GET", **asked: Any) -> httpx.Response:
        """Ask for a file."""
        return self.api.send(method, f"/api/export/{path}", token=self.token, params=asked)

    def manifest(self, reply: httpx.Response) -> dict[str, Any]:
        """Ask for the manifest of what was answered."""
        told: dict[str, Any] = self.get(f"manifests/{reply.headers['export-id']}").json()
        return told

    def days(self, chosen: Callable[[Credit], bool] = lambda _: True) -> Mapping[Cell, int]:
        """Add the credits up by hand."""
        cells: dict[Cell, int] = defaultdict(int)
        for credit in filter(chosen, self.credits):
            day = credit.booking.effective_at.date().isoformat()
            cells[day, credit.booking.currency, credit.channel] += credit.cents
        return dict(sorted(cells.items()))


def _booking(tenant_id: UUID, n: int) -> Booking:
    kind = "refunded" if n % 7 == 6 else "captured"
    cents = -(n + 1) if kind == "refunded" else 100 + 3 * n
    at = START + timedelta(hours=n, milliseconds=n)
    order = f"{FORMULAS[n % len(FORMULAS)]}{n // 7}" if n % 3 == 0 else f"order-{n // 7}"
    return Booking(fact_id(tenant_id, str(n)), order, kind, cents, at, "JPY" if n % 5 == 4 else "EUR")


def _split(n: int, booking: Booking) -> list[Credit]:
    """Give a third to each of three channels, and the rest to the last."""
    third = int(booking.effect_cents / 3)
    shares = (third, third, booking.effect_cents - 2 * third)
    fallback = FALLBACKS[n % len(FALLBACKS)]
    return [
        Credit(
            booking, CHANNELS[(n + k) % len(CHANNELS)], CAMPAIGNS[(n + k) % len(CAMPAIGNS)], share, fallback
        )
        for k, share in enumerate(shares)
    ]


def _store(connection: psycopg.Connection, tenant_id: UUID, told: list[Credit]) -> None:
    columns = (
        "allocations (tenant_id, model_version, entry_id, order_id, channel_code, campaign_id,"
        " allocated_cents, currency, effective_at, touch_count, fallback)"
    )
    rows = (
        (
            *(tenant_id, VERSION, one.booking.entry_id, one.booking.order_id, one.channel, one.campaign),
            *(one.cents, one.booking.currency, one.booking.effective_at, 3, one.fallback),
        )
        for one in told
    )
    with connection.cursor() as cursor, cursor.copy(f"COPY {columns} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
