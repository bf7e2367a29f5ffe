"""Reading parameters: from the text of a request to the JSON values that their schemas judge."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from skeldir.domain.errors import FieldError, MalformedRequest
from skeldir.http.schemas import deref, json_types

_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_INTEGER_CHARACTERS_MAX: Final = 40  # longer ones are out of every bound; int() refuses huge ones
_WORDS: Final[Mapping[str, Mapping[str, object]]] = {
    "boolean": {"true": True, "false": False},
    "null": {"null": None},
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation: its key is `<in>.<name>`, which errors name too."""

    key: str
    name: str
    location: str
    required: bool
    read: Callable[[list[str]], object]
    repeats: bool


def reader(schema: Mapping[str, Any], document: Mapping[str, Any], *, explode: bool) -> tuple[Callable[[list[str]], object], bool]:
    """Return how the texts of a parameter become a value, and whether it may be repeated."""
    types = json_types(schema, document)
    if "array" in types:
        items = _array_items(schema, document)
        item = _scalar(json_types(items, document))
        if explode:
            return lambda texts: [item(text) for text in texts], True
        return lambda texts: [item(text) for text in texts[0].split(",")] if texts[0] else [], False
    scalar = _scalar(types)
    return lambda texts: scalar(texts[0]), False


def _array_items(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    items = deref(schema, document).get("items", {})
    return items if isinstance(items, Mapping) else {}


def _scalar(types: frozenset[str]) -> Callable[[str], object]:
    """Read a text as the narrowest type its schema allows; what fits none stays text, for the schema to refuse."""
    numeric = _integer if "integer" in types else _number if "number" in types else None
    words = {word: value for name in types & _WORDS.keys() for word, value in _WORDS[name].items()}
    if "string" in types or not (numeric or words):
        return str

    def read(text: str) -> object:
        if text in words:
            return words[text]
        return numeric(text) if numeric else text

    return read


def _integer(text: str) -> object:
    return int(text) if len(text) <= _INTEGER_CHARACTERS_MAX and _INTEGER.fullmatch(text) else text


def _number(text: str) -> object:
    integer = _integer(text)
    return float(text) if isinstance(integer, str) and _NUMBER.fullmatch(text) else integer


def query_texts(query_string: bytes) -> dict[str, list[str]]:
    """Split a query into its names and values; raises MalformedRequest for what is not UTF-8."""
    texts: dict[str, list[str]] = defaultdict(list)
    for pair in query_string.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            texts[_decoded(name, "query")].append(_decoded(value, f"query.{_printable(name)}"))
    return texts


def path_text(segment: bytes, key: str) -> str:
    """Decode one segment of the raw path; raises MalformedRequest for what is not UTF-8."""
    return _decoded(segment.replace(b"+", b"%2B"), key)


def cookie_texts(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, list[str]]:
    """Split the Cookie headers into names and values (RFC 6265 §4.2.1)."""
    texts: dict[str, list[str]] = defaultdict(list)
    for name, value in headers:
        if name == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                key, separator, text = pair.strip().partition("=")
                if separator:
                    texts[key].append(text.strip('"'))
    return texts


def _decoded(text: bytes, key: str) -> str:
    try:
        return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedRequest(
            f"{key} is not UTF-8", errors=(FieldError(key, "encoding", "is not UTF-8"),)
        ) from None


def _printable(text: bytes) -> str:
    return text.decode("ascii", "replace")
