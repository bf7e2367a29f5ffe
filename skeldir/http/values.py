"""From the text of parameters to the JSON values that their schemas judge."""

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from jsonschema_rs import Draft202012Validator

from skeldir.domain.errors import FieldError, MalformedRequest

Read = Callable[[str], object]

_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,38})")  # longer ones are out of every bound
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_NUMBER_CHARACTERS_MAX: Final = 400
_BOOLEANS: Final[Mapping[str, object]] = {"true": True, "false": False}
_TEXT: Final[Callable[[str], object]] = str


def scalar_reader(types: frozenset[str], judge: Callable[[], Draft202012Validator]) -> Read:
    """Return how a text is read as one of the types that its schema allows.

    What fits none of them stays text, for the schema to refuse. Where text is allowed too, the
    other reading is taken only if the schema, which `judge` compiles, accepts it.
    """
    narrow = _narrow_reader(types)
    if narrow is None:
        return _TEXT
    if "string" not in types and types:
        return narrow
    is_valid = judge().is_valid

    def read(text: str) -> object:
        value = narrow(text)
        return value if is_valid(value) else text

    return read


def _narrow_reader(types: frozenset[str]) -> Read | None:
    numeric = _number if "number" in types else _integer if "integer" in types else None
    words: dict[str, object] = {}
    if "boolean" in types:
        words |= _BOOLEANS
    if "null" in types:
        words |= {"null": None} if "string" in types else {"null": None, "": None}
    if not words:
        return numeric

    def read(text: str) -> object:
        if text in words:
            return words[text]
        return text if numeric is None else numeric(text)

    return read


def list_reader(item: Read, separator: str) -> Read:
    """Return how a text that holds a whole array is read."""
    return lambda text: [item(part) for part in text.split(separator)] if text else []


def _integer(text: str) -> object:
    return int(text) if _INTEGER.fullmatch(text) else text


def _number(text: str) -> object:
    value = _integer(text)
    if value is text and len(text) <= _NUMBER_CHARACTERS_MAX and _NUMBER.fullmatch(text):
        number = float(text)
        return number if isfinite(number) else text
    return value


def query_pairs(query_string: bytes) -> list[tuple[str, str]]:
    """Split a query into names and values; raises MalformedRequest for what is not UTF-8."""
    if query_string.isascii() and b"%" not in query_string and b"+" not in query_string:
        plain = [pair.partition("=") for pair in query_string.decode("ascii").split("&") if pair]
        return [(name, value) for name, _, value in plain]
    pairs = []
    for pair in query_string.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            if b"+" in pair:
                name, value = name.replace(b"+", b" "), value.replace(b"+", b" ")
            known = decoded(name, "query")
            pairs.append((known, decoded(value, f"query.{known}")))
    return pairs


def cookie_pairs(header: bytes) -> list[tuple[str, str]]:
    """Split a Cookie header into names and values (RFC 6265 §4.2.1)."""
    pairs = []
    for pair in header.split(b";"):
        name, separator, value = pair.strip().partition(b"=")
        if separator:
            known = decoded(name, "cookie")
            pairs.append((known, decoded(value.strip(b'"'), f"cookie.{known}")))
    return pairs


def decoded(raw: bytes, field: str) -> str:
    """Undo percent-encoding; raises MalformedRequest, naming the field, for what is not UTF-8."""
    try:
        return (unquote_to_bytes(raw) if b"%" in raw else raw).decode()
    except UnicodeDecodeError:
        raise MalformedRequest(errors=(FieldError(field, "encoding", "is not UTF-8"),)) from None


def header_text(raw: bytes) -> str:
    """Return a header's value: what is not ASCII in it travels as Latin-1."""
    return raw.decode("latin-1")


Values = dict[str, Any]
"""Parameters by `<in>.<name>`, as JSON values."""
