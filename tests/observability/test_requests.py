"""The last minute of a process, for its health."""

import pytest

from skeldir.observability import requests
from skeldir.observability.requests import _LastMinute, measured

SECOND = 1_000_000_000


def test_a_minute_is_added_up_and_then_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    minute, now = _LastMinute(), 1_000 * SECOND
    monkeypatch.setattr(requests.time, "perf_counter_ns", lambda: now)
    minute.add(now - 61 * SECOND, 9_000, 500)
    for microseconds, status in ((100, 200), (300, 404), (200, 500)):
        minute.add(now - 30 * SECOND, microseconds, status)
    minute.add(now, 200, 200)
    told = minute.figures()
    assert (told.requests_per_minute, told.average_response_microseconds) == (4, 200)
    assert told.error_rate_ppm == 250_000


def test_nothing_yet_is_no_division_by_zero() -> None:
    told = _LastMinute().figures()
    assert (told.average_response_microseconds, told.error_rate_ppm) == (0, 0)


def test_a_request_is_active_until_it_was_answered() -> None:
    before = requests.figures()
    with measured() as measurement:
        assert requests.figures().active_requests == before.active_requests + 1
        measurement.status = 200
    after = requests.figures()
    assert after.active_requests == before.active_requests
    assert after.requests_per_minute >= before.requests_per_minute
