"""Ad spend: what a campaign of a channel cost on a day, from rows that are told to figures that are kept."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from datetime import date, timedelta
from typing import Final

from skeldir.domain.currencies import EXPONENTS
from skeldir.domain.errors import FieldError
from skeldir.domain.money import minor_units
from skeldir.domain.pii import personal_kind
from skeldir.domain.refusals import AMOUNT_OUT_OF_RANGE, Refusal
from skeldir.domain.windows import BEGINNING

COST_CENTS_MAX: Final = 10**13

Key = tuple[date, str, str, str]
"""What a figure is for: day, channel, campaign and currency."""


@dataclass(frozen=True, slots=True)
class ToldSpend:
    """A row as it is told: the cost in minor units, or as a decimal."""

    day: date
    channel_code: str
    campaign_id: str
    currency: str
    cost_cents: int | None
    cost: str | None
    impressions: int | None
    clicks: int | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as it is kept; impressions and clicks are None where nobody told them."""

    day: date
    channel_code: str
    campaign_id: str
    currency: str
    cost_cents: int
    impressions: int | None
    clicks: int | None

    @property
    def key(self) -> Key:
        """Return what the figure is for."""
        return (self.day, self.channel_code, self.campaign_id, self.currency)


class Reading:
    """Turns told rows into figures and names every fault by its row and field.

    `channels` are all channels there are, with their states; days end the day after `today`, because
    somewhere on Earth it is tomorrow already.
    """

    def __init__(self, channels: Mapping[str, str], today: date) -> None:
        """Prepare to read one import."""
        self.figures: list[Figure] = []
        self.faults: list[FieldError] = []
        self._channels = channels
        self._last_day = today + timedelta(days=1)
        self._rows: dict[Key, int] = {}
        self._personal: dict[str, str | None] = {"": None}

    def read(self, rows: Iterable[ToldSpend], faults_max: int) -> None:
        """Read rows until there are so many faults."""
        for number, row in enumerate(rows):
            cents = _cents(f"body.rows.{number}", row)
            found = list(self._faults(number, row))
            found += [] if isinstance(cents, int) else [cents]
            self.faults += found
            if len(self.faults) >= faults_max:
                del self.faults[faults_max:]
                return
            if isinstance(cents, int) and not found:
                told = (row.day, row.channel_code, row.campaign_id, row.currency)
                self.figures.append(Figure(*told, cents, row.impressions, row.clicks))

    def _faults(self, number: int, row: ToldSpend) -> Iterator[FieldError]:
        place = f"body.rows.{number}"
        state = self._channels.get(row.channel_code)
        if state is None:
            yield FieldError(f"{place}.channel_code", "unknown_channel", "is not a channel")
        elif state != "active":
            yield FieldError(f"{place}.channel_code", "channel_not_active", f"is a channel that is {state}")
        if not BEGINNING.date() <= row.day <= self._last_day:
            message = f"is not between {BEGINNING.date()} and {self._last_day}"
            yield FieldError(f"{place}.day", "day_out_of_range", message)
        if row.currency not in EXPONENTS:
            yield FieldError(f"{place}.currency", "currency_unknown", "is not known to ISO 4217")
        kind = self._personal_kind(row.campaign_id)
        if kind is not None:
            message = f"looks like personal data ({kind})"
            yield FieldError(f"{place}.campaign_id", "personal_data", message)
        first = self._rows.setdefault((row.day, row.channel_code, row.campaign_id, row.currency), number)
        if first != number:
            message = f"is for the same day, channel, campaign and currency as body.rows.{first}"
            yield FieldError(place, "duplicate_row", message)

    def _personal_kind(self, campaign_id: str) -> str | None:
        if campaign_id not in self._personal:  # campaigns are few, rows many
            # A run of digits alone is a campaign's number, and one in ten looks like a card's.
            self._personal[campaign_id] = None if campaign_id.isdigit() else personal_kind(campaign_id)
        return self._personal[campaign_id]


def digest(figures: Collection[Figure]) -> str:
    """Return the SHA-256 of figures in hexadecimal, whatever their order."""
    rows = sorted((str(figure.day), *astuple(figure)[1:]) for figure in figures)
    return hashlib.sha256(json.dumps(rows, ensure_ascii=True).encode()).hexdigest()


def _cents(place: str, row: ToldSpend) -> int | FieldError:
    """Return the cost in minor units, or what is wrong with it."""
    if row.cost_cents is not None and row.cost is None:
        return row.cost_cents
    if row.cost is None or row.cost_cents is not None:
        return FieldError(f"{place}.cost_cents", "cost_ambiguous", "or cost is needed, and only one of them")
    if row.currency not in EXPONENTS:
        return 0  # the currency is the fault, and is named
    return _exact(f"{place}.cost", row.cost, row.currency)


def _exact(field: str, cost: str, currency: str) -> int | FieldError:
    out_of_range = f"is not between 0 and {COST_CENTS_MAX} minor units"
    try:
        cents = minor_units(cost, currency)
    except Refusal as refusal:
        if refusal.reason_code == AMOUNT_OUT_OF_RANGE:
            return FieldError(field, "amount_out_of_range", out_of_range)
        message = f"is no decimal with at most {EXPONENTS[currency]} decimals, as {currency} has"
        return FieldError(field, "malformed_value", message)
    if cents > COST_CENTS_MAX:
        return FieldError(field, "amount_out_of_range", out_of_range)
    return cents
