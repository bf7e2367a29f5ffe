"""What this process answered during the last minute; kept on the event loop, so no lock is needed."""

import time
from dataclasses import dataclass
from typing import Final

SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class RequestFigures:
    """The last minute of this process."""

    requests_per_minute: int
    average_response_microseconds: int
    error_rate_ppm: int
    active_requests: int


class RequestMeter:
    """A ring of one bucket per second: count, microseconds, answers of 500 and above."""

    def __init__(self) -> None:
        self._buckets = [[0, 0, 0, 0] for _ in range(SECONDS)]
        self._active = 0

    def begin(self) -> int:
        """Note that a request began; returns what `end` is to be given."""
        self._active += 1
        return time.perf_counter_ns()

    def end(self, begun: int, status: int) -> int:
        """Note that it was answered; returns the microseconds that it took."""
        self._active -= 1
        now = time.perf_counter_ns()
        second = now // 1_000_000_000
        took = (now - begun) // 1_000
        bucket = self._buckets[second % SECONDS]
        if bucket[0] != second:
            bucket[:] = (second, 0, 0, 0)
        bucket[1] += 1
        bucket[2] += took
        if status >= 500:  # noqa: PLR2004
            bucket[3] += 1
        return took

    def figures(self) -> RequestFigures:
        """Add the last minute up."""
        oldest = time.perf_counter_ns() // 1_000_000_000 - SECONDS
        recent = [bucket for bucket in self._buckets if bucket[0] > oldest]
        count = sum(bucket[1] for bucket in recent)
        took = sum(bucket[2] for bucket in recent)
        failed = sum(bucket[3] for bucket in recent)
        return RequestFigures(
            requests_per_minute=count,
            average_response_microseconds=took // count if count else 0,
            error_rate_ppm=failed * 1_000_000 // count if count else 0,
            active_requests=self._active,
        )


meter: Final = RequestMeter()
