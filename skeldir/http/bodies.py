"""Request bodies: read within a limit, parsed, judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from jsonschema_rs import Draft202012Validator
from starlette.types import Receive

from skeldir.domain.errors import FieldError, MalformedRequest
from skeldir.http.json_text import UnreadableJson, read_json
from skeldir.http.negotiation import check_encoding, check_media_type
from skeldir.http.parameters import UnservableContract, summary
from skeldir.http.problems import ContentTooLarge
from skeldir.http.schemas import Json, Place, Schemas, field_errors
from skeldir.http.tables import CSV, TablePlan, table_plan

_JSON: Final = "application/json"
_LENGTH_DIGITS_MAX: Final = 18  # int() takes long to read thousands of them, and then refuses


class ClientGone(Exception):
    """The client went away before its request was whole: nobody waits for an answer."""


@dataclass(frozen=True, slots=True)
class BodyPlan:
    """How a body is judged; without a validator it is the handler's own business."""

    required: bool
    media_types: frozenset[str]
    validator: Draft202012Validator | None
    tables: Mapping[str, TablePlan] = field(default_factory=dict)
    """The media types that tell the same value as a table."""

    def parse(self, raw: bytes, headers: Mapping[bytes, bytes]) -> Json:
        """Return the JSON value; raises MalformedRequest or UnsupportedMediaType."""
        if self.validator is None:
            if self.required and not raw:
                raise _refusal("required", "is required")
            return None
        if not raw and b"content-type" not in headers:
            if self.required:
                raise _refusal("required", "is required")
            return None
        table = self.tables.get(check_media_type(headers.get(b"content-type"), self.media_types))
        check_encoding(headers.get(b"content-encoding"))
        value = _read_json(raw) if table is None else table.read(raw)
        if not self.validator.is_valid(value):
            errors = field_errors(self.validator, value, "body")
            raise MalformedRequest(summary(errors), errors=tuple(errors))
        return value


def body_plan(schemas: Schemas, operation: Place) -> BodyPlan | None:
    """Work out an operation's body; raises UnservableContract unless it is raw, or JSON and maybe CSV too."""
    body = operation.get("requestBody")
    if body is None:
        return None
    content = body.value["content"]
    is_raw = bool(operation.value.get("x-raw-body"))
    required, media_types = bool(body.value.get("required")), frozenset(content)
    if is_raw:
        return BodyPlan(required, media_types, None)
    if not {_JSON} <= media_types <= {_JSON, CSV}:
        raise UnservableContract(f"a body as {', '.join(content)} is only served with x-raw-body")
    place = body.at("content")
    validator = schemas.at(f"{place.at(_JSON).pointer}/schema")
    if CSV not in content:
        return BodyPlan(required, media_types, validator)
    table = table_plan(schemas, place.at(CSV), place.at(_JSON, "schema"))
    return BodyPlan(required, media_types, validator, {CSV: table})


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, bytes_max: int) -> bytes:
    """Read the whole body; raises ContentTooLarge as soon as it is, ClientGone when it breaks off."""
    declared = headers.get(b"content-length")
    if declared is not None and not declared.isdigit():
        raise _refusal("content_length", "has a Content-Length that is no number")
    if declared is not None and (len(declared) > _LENGTH_DIGITS_MAX or int(declared) > bytes_max):
        raise _too_large(bytes_max)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > bytes_max:
            raise _too_large(bytes_max)
        if not message.get("more_body", False):
            return b"".join([*chunks, chunk]) if chunks else chunk
        chunks.append(chunk)


def _read_json(raw: bytes) -> Json:
    try:
        return read_json(raw)
    except UnreadableJson as error:
        raise _refusal(error.code, error.message) from None


def _too_large(bytes_max: int) -> ContentTooLarge:
    return ContentTooLarge(f"The body is larger than {bytes_max} bytes.")


def _refusal(code: str, message: str) -> MalformedRequest:
    return MalformedRequest(errors=(FieldError("body", code, message),))
