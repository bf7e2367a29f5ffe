"""What this process answered during the last minute; kept on the event loop, so no lock is needed."""

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

_SECONDS: Final = 60
_NANOSECONDS: Final = 1_000_000_000
_FAILED: Final = 500


@dataclass(frozen=True, slots=True)
class RequestFigures:
    """The last minute of this process."""

    requests_per_minute: int
    average_response_microseconds: int
    error_rate_ppm: int
    active_requests: int


class _LastMinute:
    """A ring of one bucket per second: which second, count, microseconds, answers of 500 and above."""

    def __init__(self) -> None:
        self.active = 0
        self._buckets = [[-1, 0, 0, 0] for _ in range(_SECONDS)]

    def add(self, now: int, microseconds: int, status: int) -> None:
        second = now // _NANOSECONDS
        bucket = self._buckets[second % _SECONDS]
        if bucket[0] != second:
            bucket[:] = (second, 0, 0, 0)
        bucket[1] += 1
        bucket[2] += microseconds
        bucket[3] += status >= _FAILED

    def figures(self) -> RequestFigures:
        oldest = time.perf_counter_ns() // _NANOSECONDS - _SECONDS
        recent = [bucket for bucket in self._buckets if bucket[0] > oldest]
        count, took, failed = (sum(bucket[column] for bucket in recent) for column in (1, 2, 3))
        return RequestFigures(
            requests_per_minute=count,
            average_response_microseconds=took // count if count else 0,
            error_rate_ppm=failed * 1_000_000 // count if count else 0,
            active_requests=self.active,
        )


_last_minute: Final = _LastMinute()


class measured:  # noqa: N801 - a context manager, used as `with measured() as measurement`
    """Measure one request; set `status` to what was answered before leaving."""

    __slots__ = ("_begun", "status")

    def __init__(self) -> None:
        self._begun = time.perf_counter_ns()
        self.status = 0

    def __enter__(self) -> Self:
        _last_minute.active += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _last_minute.active -= 1
        now = time.perf_counter_ns()
        _last_minute.add(now, (now - self._begun) // 1_000, self.status)


def figures() -> RequestFigures:
    """Add the last minute up."""
    return _last_minute.figures()
