"""Windows of time: half open, in UTC, so that neighbouring windows share no instant."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from skeldir.domain.errors import FieldError, Unprocessable

WINDOW_DAYS_MAX: Final = 366

BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
END: Final = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """The instants from `start` on and before `end`."""

    start: datetime
    end: datetime


def recompute_window(start: datetime, end: datetime) -> Window:
    """Return the window a job may work on, in UTC.

    Raises Unprocessable when it is empty, backwards or too long for one job.
    """
    if end <= start:
        raise _refused("body.window_end", "window_empty", "must be later than window_start")
    if end - start > timedelta(days=WINDOW_DAYS_MAX):
        raise _refused("body.window_end", "window_too_long", f"spans more than {WINDOW_DAYS_MAX} days")
    return Window(start.astimezone(UTC), end.astimezone(UTC))


def days(first: date | None, last: date | None) -> Window:
    """Return the instants of the UTC days from `first` to `last`, both included; None is unbounded.

    Raises Unprocessable when the last day is before the first.
    """
    if first is not None and last is not None and last < first:
        raise _refused("query.end_date", "range_backwards", "is before start_date")
    start = BEGINNING if first is None else datetime.combine(first, time(), UTC)
    if last is None or last >= END.date():
        return Window(start, END)
    return Window(start, datetime.combine(last + timedelta(days=1), time(), UTC))


def _refused(field: str, code: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field} {message}", errors=(FieldError(field, code, message),))
