"""A log line is JSON with a time, a correlation id and no secret."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
import structlog
import uvicorn

from skeldir.observability import correlation
from skeldir.observability.logging import REDACTED, _Handler, configure_logging
from skeldir.settings import Settings

CORRELATION = "6f1c1d7e-6f4b-4a53-9d3e-3a2f4c0e8a11"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave the loggers of the other tests as they were."""
    root = logging.getLogger()
    handlers, level, configuration = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**configuration)


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(capsys.readouterr().err.splitlines()[-1])
    return line


def test_a_line_has_a_time_a_level_and_the_correlation_id(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    correlation.accept_or_make(CORRELATION)
    structlog.get_logger("skeldir.test").warning("something_happened", count=1)
    line = last_line(capsys)
    assert (line["event"], line["level"], line["count"]) == ("something_happened", "warning", 1)
    assert line["correlation_id"] == CORRELATION
    assert datetime.fromisoformat(line["timestamp"]).utcoffset() is not None


def test_what_a_library_logs_is_a_line_of_the_same_kind(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    logging.getLogger("uvicorn.error").warning("listening on %s", "postgresql://app:hunter2@db/x")
    line = last_line(capsys)
    assert line["event"] == f"listening on postgresql://app:{REDACTED}@db/x"
    assert line["level"] == "warning"


def test_configuring_again_adds_no_second_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    configure_logging(Settings())
    structlog.get_logger("skeldir.test").warning("once")
    assert capsys.readouterr().err.count("once") == 1
    assert sum(isinstance(handler, _Handler) for handler in logging.getLogger().handlers) == 1


def test_the_level_is_the_setting(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_level="error"))
    structlog.get_logger("skeldir.test").warning("too quiet")
    assert capsys.readouterr().err == ""


SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    "told",
    [
        {"password": SECRET},
        {"webhook_secret": SECRET},
        {"Authorization": f"Bearer {SECRET}"},
        {"refreshToken": SECRET},
        {"X-Skeldir-Tenant-Key": "skt_" + SECRET},
        {"tenant_key": SECRET},
        {"cookie": SECRET},
        {"request": {"headers": [{"email": SECRET}], "stripe_signature": SECRET}},
        {"detail": f"sent Authorization: bearer {SECRET}"},
        {"path": f"/api/webhooks/stripe/in/{SECRET}?x=1"},
        {"why": f"skt_{SECRET} and whsec_{SECRET} were wrong"},
        {"why": f"eyJ{SECRET}.{SECRET}.{SECRET} has expired"},
        {"url": f"postgresql://app:{SECRET}@db/skeldir"},
    ],
)
def test_a_secret_never_reaches_the_log(capsys: pytest.CaptureFixture[str], told: dict[str, Any]) -> None:
    configure_logging(Settings())
    structlog.get_logger("skeldir.test").warning("told", **told)
    written = capsys.readouterr().err
    assert SECRET not in written
    assert REDACTED in written


def test_neither_does_one_in_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    try:
        int(f"postgresql://app:{SECRET}@db/skeldir")
    except ValueError:
        structlog.get_logger("skeldir.test").exception("failed")
    line = last_line(capsys)
    assert SECRET not in json.dumps(line)
    assert "ValueError" in line["exception"]


def test_what_only_names_a_secret_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    structlog.get_logger("skeldir.test").warning("told", token_id=UUID(CORRELATION), refresh_token_days=30)
    line = last_line(capsys)
    assert (line["token_id"], line["refresh_token_days"]) == (CORRELATION, 30)


def test_the_server_does_not_write_a_line_of_its_own_for_each_request() -> None:
    """Building the application, which the server does last, does not turn them on again."""
    config = uvicorn.Config("skeldir.app:create_app", factory=True, access_log=False, log_config=None)
    config.load()

    assert not logging.getLogger("uvicorn.access").hasHandlers()


def fail(error: Exception, cause: Exception | None = None) -> None:
    raise error from cause


def test_an_error_is_told_by_its_kind_and_its_places_alone(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    names = ["Ada Lovelace", "ada@example.com"]
    try:
        try:
            fail(LookupError(f"{names[0]} is not there"))
        except LookupError as cause:
            fail(ValueError(f"{names[1]} is not there"), cause)
    except ValueError:
        structlog.get_logger("skeldir.test").exception("failed")
    told = last_line(capsys)["exception"]
    assert not any(name in told for name in names)
    assert told.count("in fail") == 2
    assert "ValueError\nbecause of\n" in told
    assert told.endswith("LookupError")


def test_what_a_server_said_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody finds out why the database is away without it, and it quotes no row."""
    configure_logging(Settings())
    try:
        fail(psycopg.OperationalError("connection to server at db:5432 failed: Connection refused\nhint"))
    except psycopg.OperationalError:
        structlog.get_logger("skeldir.test").exception("failed")
    assert last_line(capsys)["exception"].endswith(
        "psycopg.OperationalError: connection to server at db:5432 failed: Connection refused"
    )


@pytest.mark.parametrize(
    ("text", "values", "told"),
    [
        ("%s ready.", ("celery@host.example.com",), "celery@host.example.com ready."),
        ("%s ready.", ("celery-0a1b2c3d@host.example.com",), "celery-0a1b2c3d@host.example.com ready."),
        ("exited with %r", ("signal 9 (SIGKILL)",), "exited with 'signal 9 (SIGKILL)'"),
        ("error: %r", (LookupError("Ada Lovelace"),), "error: 'LookupError'"),
        ("body was: %s", ("[[], {'name': 'Ada'}]",), f"body was: {REDACTED}"),
        ("got %s", ("ada@example.com",), f"got {REDACTED}"),
        ("got ada.lovelace@example.com", (), f"got {REDACTED}"),
        ("Task %(name)s: %(exc)s", ({"name": "t", "exc": "KeyError('Ada')"},), f"Task t: {REDACTED}"),
    ],
)
def test_of_what_celery_quotes_only_what_is_no_sentence_is_told(
    capsys: pytest.CaptureFixture[str], text: str, values: tuple[object, ...], told: str
) -> None:
    configure_logging(Settings())
    logging.getLogger("celery.test").warning(text, *values, extra={"data": "Ada"})
    line = last_line(capsys)
    assert line["event"] == told
    assert "data" not in line


def test_what_a_line_tells_beside_its_text_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    logging.getLogger("workers.test").warning("told", extra={"order_count": 2, "token": SECRET})
    line = last_line(capsys)
    assert (line["order_count"], line["token"]) == (2, REDACTED)
