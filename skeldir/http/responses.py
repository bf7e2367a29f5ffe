"""Checking answers against their contract: a setting for tests and staging."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from jsonschema_rs import Draft202012Validator

from skeldir.http.answers import HttpAnswer
from skeldir.http.parameters import summary
from skeldir.http.problems import InvalidResponse
from skeldir.http.schemas import Place, Schemas, field_errors, json_types
from skeldir.http.values import Read, scalar_reader

ALWAYS_SENT = "x-correlation-id"


@dataclass(frozen=True, slots=True)
class HeaderPlan:
    """What one header may hold."""

    required: bool
    read: Read
    validator: Draft202012Validator | None


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """What one documented status may look like."""

    validators: Mapping[str, Draft202012Validator | None]
    headers: Mapping[str, HeaderPlan]

    def faults(self, answer: HttpAnswer) -> list[str]:
        """Return what the contract does not allow."""
        return [*self._header_faults(answer), *self._body_faults(answer)]

    def _header_faults(self, answer: HttpAnswer) -> list[str]:
        sent = {name.decode(): value.decode("latin-1") for name, value in answer.headers}
        faults = [
            f"lacks the header {name}"
            for name, plan in self.headers.items()
            if plan.required and name not in sent
        ]
        for name in self.headers.keys() & sent.keys():
            plan = self.headers[name]
            if plan.validator is not None and not plan.validator.is_valid(plan.read(sent[name])):
                faults.append(f"has a header {name} that its schema refuses")
        return faults

    def _body_faults(self, answer: HttpAnswer) -> list[str]:
        media = (answer.header(b"content-type") or b"").decode("latin-1").partition(";")[0]
        if media not in self.validators:
            return [f"is of media type {media or 'none'}"] if answer.body or self.validators else []
        validator = self.validators[media]
        if validator is None or answer.chunks is not None:
            return []
        value = orjson.loads(answer.body)
        errors = [] if validator.is_valid(value) else field_errors(validator, value, "body")
        return [summary(errors)] if errors else []


def response_plans(schemas: Schemas, operation: Place) -> dict[str, ResponsePlan]:
    """Work out the documented statuses of an operation."""
    return {
        status: _plan(schemas, operation.at("responses", status)) for status in operation.value["responses"]
    }


def check_answer(answer: HttpAnswer, plans: Mapping[str, ResponsePlan], operation_id: str) -> None:
    """Raise InvalidResponse, naming the operation, when the contract does not allow the answer."""
    plan = plans.get(str(answer.status)) or plans.get(f"{answer.status // 100}XX") or plans.get("default")
    faults = ["has a status that the contract does not name"] if plan is None else plan.faults(answer)
    if faults:
        raise InvalidResponse(f"The answer {answer.status} of {operation_id} {'; '.join(faults)}.")


def _plan(schemas: Schemas, response: Place) -> ResponsePlan:
    headers = {
        name.lower(): _header_plan(schemas, response.at("headers", name))
        for name in response.value.get("headers", {})
        if name.lower() != ALWAYS_SENT
    }
    content = response.value.get("content", {})
    return ResponsePlan({media: _validator(schemas, response, media) for media in content}, headers)


def _validator(schemas: Schemas, response: Place, media: str) -> Draft202012Validator | None:
    if not media.endswith("json") or "schema" not in response.value["content"][media]:
        return None
    escaped = media.replace("~", "~0").replace("/", "~1")
    return schemas.at(f"{response.pointer}/content/{escaped}/schema")


def _header_plan(schemas: Schemas, header: Place) -> HeaderPlan:
    required = bool(header.value.get("required"))
    if "schema" not in header.value:
        return HeaderPlan(required, str, None)
    pointer = f"{header.pointer}/schema"
    types = json_types(Place(header.document, pointer, header.value["schema"]))
    return HeaderPlan(required, scalar_reader(types, lambda: schemas.at(pointer)), schemas.at(pointer))
