"""What the overview is asked to show: a model and a range of days, both from the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, cast

from skeldir.domain.models import Model

DEFAULT_MODEL: Final[Model] = "linear"
MODELS: Final[Mapping[Model, tuple[str, str]]] = {
    "linear": ("Linear", "Every touch of the look-back shares an order equally."),
    "first_touch": ("First touch", "The touch that began the journey gets the whole order."),
    "last_touch": ("Last touch", "The touch just before the order gets all of it."),
    "last_non_direct": ("Last non-direct", "The last touch that was not a direct visit gets all of it."),
    "time_decay": ("Time decay", "The nearer to the journey's last touch, the more of the order."),
    "position_based": ("Position-based", "The first and the last touch get most, those between the rest."),
    "markov": ("Markov", "Touches share by how many orders would be lost without their channel."),
    "shapley": ("Shapley", "The channels of a journey share its order equally, however often they touched."),
    "custom": ("Custom", "Touches share by the weights that you gave their channels."),
}
PERIODS: Final[Sequence[tuple[str, int | None]]] = (
    ("7 days", 7),
    ("30 days", 30),
    ("90 days", 90),
    ("All days", None),
)


@dataclass(frozen=True, slots=True)
class Period:
    """A range of days with a name; without bounds it is every day."""

    name: str
    start_date: date | None
    end_date: date | None
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Filters:
    """What to show; `refusal` says why the address could not be followed as it is."""

    model: Model = DEFAULT_MODEL
    start_date: date | None = None
    end_date: date | None = None
    refusal: str | None = None

    @property
    def is_bounded(self) -> bool:
        """Tell whether some days are left out."""
        return self.start_date is not None or self.end_date is not None

    def query(self, *, model: str | None = None, period: Period | None = None) -> dict[str, str]:
        """Return the address parameters of this view with another model or another period."""
        days = period or self
        parameters = {"model": model or self.model}
        if days.start_date is not None:
            parameters["start_date"] = days.start_date.isoformat()
        if days.end_date is not None:
            parameters["end_date"] = days.end_date.isoformat()
        return parameters

    def periods(self, today: date) -> list[Period]:
        """Return the ready-made periods that end today."""
        periods = []
        for name, days in PERIODS:
            start = today - timedelta(days=days - 1) if days else None
            end = today if days else None
            shown = (start, end) == (self.start_date, self.end_date)
            periods.append(Period(name, start, end, is_shown=shown))
        return periods


def read_filters(parameters: Mapping[str, str]) -> Filters:
    """Read the address; what cannot be read is left out and said."""
    model = parameters.get("model", DEFAULT_MODEL)
    known = model in MODELS
    try:
        start, end = _day(parameters, "start_date"), _day(parameters, "end_date")
    except ValueError:
        return Filters(
            cast("Model", model) if known else DEFAULT_MODEL, refusal="A day is written like 2026-11-23."
        )
    if not known:
        return Filters(start_date=start, end_date=end, refusal="There is no such model; this is Linear.")
    refusal = None
    if start is not None and end is not None and start > end:
        start, end, refusal = None, None, "The first day is after the last one; these are all days."
    return Filters(cast("Model", model), start, end, refusal)


def _day(parameters: Mapping[str, str], name: str) -> date | None:
    written = parameters.get(name, "").strip()
    return date.fromisoformat(written) if written else None
