"""Checking answers against their contract: a setting for tests and staging."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import orjson

from skeldir.http.answers import HttpAnswer
from skeldir.http.problems import InvalidResponse
from skeldir.http.schemas import compile_schema, deref, field_errors


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """What one documented status may look like."""

    validators: Mapping[str, jsonschema_rs.Draft202012Validator]
    required_headers: frozenset[str]


def response_plans(responses: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, ResponsePlan]:
    """Work out the documented statuses of an operation."""
    plans = {}
    for status, referenced in responses.items():
        response = deref(referenced, document)
        headers = {
            name.lower()
            for name, header in response.get("headers", {}).items()
            if deref(header, document).get("required")
        }
        validators = {
            media: compile_schema(content.get("schema", True), document)
            for media, content in response.get("content", {}).items()
        }
        plans[status] = ResponsePlan(validators, frozenset(headers - {"x-correlation-id"}))
    return plans


def check_answer(answer: HttpAnswer, plans: Mapping[str, ResponsePlan], operation_id: str) -> None:
    """Raise InvalidResponse, naming the operation, when the contract does not allow the answer."""
    plan = plans.get(str(answer.status))
    if plan is None:
        raise InvalidResponse(f"{operation_id} answered {answer.status}, which its contract does not name")
    missing = plan.required_headers - {name.lower() for name in answer.headers}
    if missing:
        raise InvalidResponse(f"{operation_id} answered {answer.status} without {', '.join(sorted(missing))}")
    media = (answer.media_type or "").partition(";")[0]
    if media not in plan.validators:
        if answer.body or plan.validators:
            raise InvalidResponse(f"{operation_id} answered {answer.status} as {media or 'nothing'}")
        return
    if media.endswith("json"):
        value = orjson.loads(answer.body)
        if not plan.validators[media].is_valid(value):
            errors = field_errors(plan.validators[media], value, "response")
            raise InvalidResponse(
                f"{operation_id} answered {answer.status} with a body that its contract refuses", errors=errors
            )
