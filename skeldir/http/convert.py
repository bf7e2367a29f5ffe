"""From values that JSON Schema has judged to the types that handlers take; used by generated routes.

JSON Schema accepts a few values that Python's types refuse (the year 0000, a leap second). Such a
value is refused here, before a transaction is opened, with a problem that names the field.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from skeldir.domain.errors import FieldError, MalformedRequest

Value = TypeVar("Value")
Model = TypeVar("Model", bound=BaseModel)


def required(sent: Mapping[str, Any], field: str, convert: Callable[[str], Value]) -> Value:
    """Convert a parameter that the contract demands; `field` reads `path.job_id`."""
    try:
        return convert(sent[field])
    except ValueError as error:
        raise _refusal(field, str(error)) from error


def optional(sent: Mapping[str, Any], field: str, convert: Callable[[str], Value]) -> Value | None:
    """Convert a parameter that may be absent, which is None."""
    return required(sent, field, convert) if field in sent else None


def to_datetime(text: str) -> datetime:
    """Read an RFC 3339 instant; its letters may be lower case."""
    return datetime.fromisoformat(text.upper())


def list_of(convert: Callable[[str], Value]) -> Callable[[Any], list[Value]]:
    """Convert every item of an array parameter."""
    return lambda items: [convert(item) for item in items]


def to_model(model: type[Model], body: object) -> Model:
    """Build the model of a JSON body."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise MalformedRequest(
            errors=tuple(
                FieldError(
                    field=".".join(("body", *map(str, problem["loc"]))),
                    code=problem["type"],
                    message=problem["msg"],
                )
                for problem in error.errors(include_url=False, include_input=False)
            )
        ) from error


def _refusal(field: str, message: str) -> MalformedRequest:
    return MalformedRequest(errors=(FieldError(field=field, code="invalid_value", message=message),))
