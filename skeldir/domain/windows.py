"""Windows of time: half open, in UTC, so that neighbouring windows share no instant."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from skeldir.domain.errors import FieldError, Unprocessable

WINDOW_DAYS_MAX: Final = 366

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
END: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""No instant outside is a commercial one; and near the calendar's ends no time zone can be changed."""


@dataclass(frozen=True, slots=True)
class Window:
    """The instants from `start` on and before `end`."""

    start: datetime
    end: datetime

    @property
    def is_of_days(self) -> bool:
        """Tell whether it consists of whole UTC days, and so can be named by its first and last one."""
        return all(instant.astimezone(UTC).time() == time() for instant in (self.start, self.end))


def is_plausible(instant: datetime) -> bool:
    """Tell whether anything can have happened at an instant."""
    return BEGINNING <= instant <= END


def recompute_window(start: datetime, end: datetime, *, days_max: int = WINDOW_DAYS_MAX) -> Window:
    """Return the window a job or another computation may work on, in UTC.

    Raises Unprocessable when it is empty, backwards or longer than `days_max`.
    """
    for field, instant in (("body.window_start", start), ("body.window_end", end)):
        if not is_plausible(instant):
            raise _refused(field, "time_out_of_range", "is not between the years 1970 and 2200")
    if end <= start:
        raise _refused("body.window_end", "window_empty", "must be later than window_start")
    if end - start > timedelta(days=days_max):
        raise _refused("body.window_end", "window_too_long", f"spans more than {days_max} days")
    return Window(start.astimezone(UTC), end.astimezone(UTC))


def days(first: date | None, last: date | None, *, place: str = "query") -> Window:
    """Return the instants of the UTC days from `first` to `last`, both included; None is unbounded.

    Raises Unprocessable when the last day is before the first: no schema can say that of two parameters.
    """
    if first is not None and last is not None and last < first:
        raise _refused(f"{place}.end_date", "range_backwards", "is before start_date")
    return Window(
        BEGINNING if first is None else datetime.combine(first, time(), UTC),
        END
        if last is None or last >= END.date()
        else datetime.combine(last + timedelta(days=1), time(), UTC),
    )


def asked_days(first: date | None, last: date | None) -> Window:
    """Return what `days` does, of a body; raises Unprocessable also when nothing can have happened then."""
    window = days(first, last, place="body")
    if window.end <= max(window.start, BEGINNING):
        field = "body.end_date" if window.end <= BEGINNING else "body.start_date"
        raise _refused(field, "time_out_of_range", "is not between the years 1970 and 2200")
    return window


def _refused(field: str, code: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field} {message}", errors=(FieldError(field, code, message),))
