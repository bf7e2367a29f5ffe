"""Settings come from where they are said to come from."""

import pytest

from skeldir.settings import Settings, load_settings


def test_given_variables_are_all_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKELDIR_LOOKBACK_DAYS", "7")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere")

    assert load_settings({}).lookback_days == 30
    assert load_settings({}).database_url is None
    assert load_settings({"DATABASE_URL": "postgresql://here"}).database_url == "postgresql://here"
    assert Settings().lookback_days == 7
