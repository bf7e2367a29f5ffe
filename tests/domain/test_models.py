"""The models' names, shares and windows."""

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from skeldir.domain.attribution_settings import AttributionSettings, ModelParameters
from skeldir.domain.errors import Unprocessable
from skeldir.domain.models import MODELS, share_ppm
from skeldir.domain.windows import BEGINNING, END, Window, days, recompute_window

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_a_version_names_everything_that_decides_a_result() -> None:
    """Model, rule, look-back and what the model reads: another of any of them is another version."""
    chosen = [
        AttributionSettings(30),
        AttributionSettings(7),
        AttributionSettings(30, half_life_days=8),
        AttributionSettings(30, position_weights=(30, 30, 40)),
        AttributionSettings(30, custom_weights={"email": 1}),
        AttributionSettings(30, custom_weights={"email": 2}),
        AttributionSettings(30, markov_weights={"email": 1}),
    ]
    versions = {settings.version(model) for model in MODELS for settings in chosen}
    assert AttributionSettings(30).version("linear") == "linear.1+30d"
    assert AttributionSettings(30).version("time_decay") == "time_decay.1+30d+7hl"
    assert AttributionSettings(30).version("position_based") == "position_based.1+30d+40-20-40"
    assert len(versions) == 2 * len(MODELS) + 5


def test_parameters_are_kept_whole() -> None:
    """What a job was asked with comes back as it went, whatever the model."""
    settings = AttributionSettings(14, 1, "markov", 3, (1, 2, 97), 2, {"email": 5}, {"organic": 6})
    for model in MODELS:
        parameters = settings.parameters(model)
        kept = json.loads(json.dumps(parameters.to_json()))
        assert ModelParameters.from_json(model, kept) == parameters


@pytest.mark.parametrize(
    ("part", "whole", "ppm"),
    [(1, 3, 333_333), (2, 3, 666_666), (0, 0, 0), (5, 0, 0), (-1, 3, -333_334), (10**15, 1, 10**12)],
)
def test_a_share_is_rounded_down_and_bounded(part: int, whole: int, ppm: int) -> None:
    """Integers all the way; nothing of nothing is nothing."""
    assert share_ppm(part, whole) == ppm


def test_days_become_half_open_instants() -> None:
    """The last day is counted whole, and the day after it is not touched."""
    window = days(date(2026, 11, 1), date(2026, 11, 2))
    assert window == Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))
    assert days(None, None) == Window(BEGINNING, END)
    assert days(None, date.max) == Window(BEGINNING, END)


def test_days_that_run_backwards_are_refused() -> None:
    """The refusal names the field."""
    with pytest.raises(Unprocessable) as refusal:
        days(date(2026, 11, 2), date(2026, 11, 1))
    assert refusal.value.errors[0].field == "query.end_date"


def test_a_window_is_kept_in_utc() -> None:
    """The same instants make the same window, whatever clock they were read from."""
    tokyo = timezone(timedelta(hours=9))
    window = recompute_window(NOON.astimezone(tokyo), NOON + timedelta(days=1))
    assert window.start.tzinfo is UTC
    assert window == Window(NOON, NOON + timedelta(days=1))


def test_whole_days_are_those_of_utc() -> None:
    """Whatever clock their instants are read from: Tokyo's midnights make no day."""
    tokyo = timezone(timedelta(hours=9))
    midnight = NOON.replace(hour=0, minute=0)
    for zone, is_of_days in ((UTC, True), (tokyo, False)):
        start = midnight.replace(tzinfo=zone)
        for told in (UTC, tokyo):
            window = Window(start.astimezone(told), (start + timedelta(days=1)).astimezone(told))
            assert window.is_of_days == is_of_days


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (NOON, NOON, "window_empty"),
        (NOON, NOON - timedelta(1), "window_empty"),
        (NOON, NOON + timedelta(367), "window_too_long"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=5))), NOON, "time_out_of_range"),
        (NOON, datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), "time_out_of_range"),
    ],
)
def test_a_window_no_job_can_have_is_refused(start: datetime, end: datetime, code: str) -> None:
    """Empty, backwards, too long, or where the calendar ends."""
    with pytest.raises(Unprocessable) as refusal:
        recompute_window(start, end)
    assert refusal.value.errors[0].code == code
