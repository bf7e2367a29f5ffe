"""What can be exported, and what one export was asked for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from skeldir.domain.windows import Window, days

Dataset = Literal["revenue", "allocations"]
ExportFormat = Literal["csv", "json", "ndjson", "parquet", "xlsx"]


@dataclass(frozen=True, slots=True)
class ExportFilters:
    """Which rows: UTC days, both included; channels by code; None is all."""

    start_date: date | None = None
    end_date: date | None = None
    channels: Sequence[str] | None = None
    currency: str | None = None

    def window(self) -> Window:
        """Return the instants of the days; raises Unprocessable when the last is before the first."""
        return days(self.start_date, self.end_date)


@dataclass(frozen=True, slots=True)
class ChannelTotal:
    """One channel in the days of an export, and how certain its figure is, or why nobody knows."""

    channel_code: str
    revenue_cents: int
    credible_interval: Mapping[str, int] | None
    confidence_ppm: int | None
    interval_as_of: datetime | None
    interval_missing: str | None


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """One currency's ledger in the days of an export, and what the exported rows add up to.

    Allocated plus pending is the ledger's net; the exported are the allocated unless channels were chosen.
    """

    currency: str
    ledger_net_cents: int
    allocated_cents: int
    pending_cents: int
    exported_cents: int = 0
    channels: Sequence[ChannelTotal] = ()


@dataclass(slots=True)
class Tally:
    """What has been counted of an export so far."""

    row_count: int = 0
    exported_cents: Counter[str] = field(default_factory=Counter)
