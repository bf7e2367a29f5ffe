"""JSON: one document with head, rows and tail, or one object a line (NDJSON)."""

from collections.abc import Iterator
from typing import Any, Final

import orjson

from skeldir.formats.tables import Row, Table

_OPTIONS: Final = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


def encode_document(table: Table) -> Iterator[bytes]:
    """Yield one object: the head's fields, `data` with the rows, the tail's fields."""
    names = [column.name for column in table.columns]
    before = orjson.dumps(dict(table.head), option=_OPTIONS)[:-1]
    before += b'"data":[' if before == b"{" else b',"data":['
    for batch in table.batches:
        yield before + orjson.dumps([_named(names, row) for row in batch], option=_OPTIONS)[1:-1]
        before = b","
    after = orjson.dumps(dict(table.tail()), option=_OPTIONS)[1:]
    yield (b"" if before == b"," else before) + (b"]" if after == b"}" else b"],") + after


def encode_lines(table: Table) -> Iterator[bytes]:
    """Yield each row as an object on a line of its own."""
    names = [column.name for column in table.columns]
    options = _OPTIONS | orjson.OPT_APPEND_NEWLINE
    for batch in table.batches:
        yield b"".join([orjson.dumps(_named(names, row), option=options) for row in batch])


def _named(names: list[str], row: Row) -> dict[str, Any]:
    return dict(zip(names, row, strict=True))
