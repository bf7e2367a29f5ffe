"""The converters of generated routes refuse with a problem that names the field."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from skeldir.contract_model import ContractModel
from skeldir.domain.errors import FieldError, MalformedRequest
from skeldir.http.convert import list_of, optional, required, to_datetime, to_model


class Box(ContractModel):
    """A body with a date inside."""

    days: list[date]


def test_values_are_converted() -> None:
    """Dates, instants, identifiers and lists of them reach the handler as such."""
    sent = {
        "query.day": "2026-02-28",
        "query.at": "2026-02-28t10:00:00.5z",
        "query.ids": ["6f1c1d7e-6f4b-4a53-9d3e-3a2f4c0e8a11"],
    }

    assert required(sent, "query.day", date.fromisoformat) == date(2026, 2, 28)
    assert required(sent, "query.at", to_datetime) == datetime(2026, 2, 28, 10, 0, 0, 500_000, UTC)
    assert required(sent, "query.ids", list_of(UUID)) == [UUID("6f1c1d7e-6f4b-4a53-9d3e-3a2f4c0e8a11")]
    assert optional(sent, "query.none", date.fromisoformat) is None


@pytest.mark.parametrize(
    ("value", "convert"),
    [("0000-01-01", date.fromisoformat), ("2026-06-30T23:59:60Z", to_datetime)],
    ids=["the year 0000", "a leap second"],
)
def test_a_value_that_python_cannot_hold_is_refused(value: str, convert: Any) -> None:
    """JSON Schema accepts it, Python does not: 400, naming the parameter."""
    with pytest.raises(MalformedRequest) as refused:
        required({"query.when": value}, "query.when", convert)

    assert refused.value.status == 400
    assert [error.field for error in refused.value.errors] == ["query.when"]


def test_a_body_that_python_cannot_hold_is_refused() -> None:
    """The way to the value inside the body is the field."""
    with pytest.raises(MalformedRequest) as refused:
        to_model(Box, {"days": ["2026-01-01", "0000-01-01"]})

    (error,) = refused.value.errors
    assert isinstance(error, FieldError)
    assert error.field == "body.days.1"


def test_a_body_becomes_its_model() -> None:
    """A body that JSON Schema accepted is constructed."""
    assert to_model(Box, {"days": ["2026-01-01"]}).days == [date(2026, 1, 1)]
