"""Settings come from where they are said to come from."""

import pytest
from pydantic import ValidationError

from skeldir.settings import Settings, load_settings


def test_given_variables_are_all_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKELDIR_LOOKBACK_DAYS", "7")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere")

    assert load_settings({}).lookback_days == 30
    assert load_settings({}).database_url is None
    assert load_settings({"DATABASE_URL": "postgresql://here"}).database_url == "postgresql://here"
    assert Settings().lookback_days == 7


def test_settings_show_no_secret_to_whoever_prints_them() -> None:
    urls = ("DATABASE_URL", "SKELDIR_WORKER_DATABASE_URL", "SKELDIR_OWNER_DATABASE_URL")
    secret = dict.fromkeys(urls, "postgresql://app:hunter2@db/x") | {
        "SKELDIR_KEYS": '{"pepper": "hunter2"}',
        "SKELDIR_BROKER_URL": "amqp://app:hunter2@mq//",
    }

    assert "hunter2" not in repr(load_settings(secret))


def test_another_broker_is_rabbitmq_or_refused() -> None:
    with pytest.raises(ValidationError, match="broker_url"):
        load_settings({"SKELDIR_BROKER_URL": "redis://localhost"})
