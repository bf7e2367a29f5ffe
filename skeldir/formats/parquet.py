"""Parquet, row group by row group, so that a file of any length passes through the memory of one.

The library that everybody uses weighs several times what the whole service does, and the service writes one
flat table without gaps. That much of the format (parquet.thrift) is what follows; pyarrow reads it in tests.
"""

import zlib
from collections.abc import Iterator
from typing import Final

import orjson

from skeldir.formats.parquet_columns import FORMS, PLAIN, RLE, RLE_DICTIONARY, ROWS_MAX, Pages
from skeldir.formats.tables import Column, Table
from skeldir.formats.thrift import Thrift, i32, i64, list_of, struct, text

_MAGIC: Final = b"PAR1"
_REQUIRED: Final = 0
_GZIP: Final = 2
_DATA_PAGE, _DICTIONARY_PAGE = 0, 2
_FORMAT_VERSION: Final = 1
_COMPRESSION_LEVEL: Final = 1
_GZIP_WINDOW: Final = 31  # zlib's way to say: with gzip's header and trailer


def encode(table: Table) -> Iterator[bytes]:
    """Yield row groups as they fill up, then the footer that describes them."""
    file = _File(table)
    yield _MAGIC
    for batch in table.batches:
        full = file.flush() if file.rows + len(batch) > ROWS_MAX else b""
        for column, values in zip(file.growing, zip(*batch, strict=True), strict=True):
            column.add(values)
        file.rows += len(batch)
        yield full
    yield file.flush() + file.footer(table)


class _File:
    """What must be remembered of what was written: where it is."""

    def __init__(self, table: Table) -> None:
        self.growing = [FORMS[column.kind].make() for column in table.columns]
        self.rows = 0
        self._columns = table.columns
        self._offset = len(_MAGIC)
        self._row_groups: list[Thrift] = []
        self._rows_written = 0

    def flush(self) -> bytes:
        """Write the row group that has come together."""
        if self.rows == 0:
            return b""
        chunks, written, size = [], bytearray(), 0
        for column, growing in zip(self._columns, self.growing, strict=True):
            chunk = _Chunk(column, growing.take(), self.rows, self._offset + len(written))
            written += chunk.written
            size += chunk.uncompressed
            chunks.append(chunk.described())
        self._row_groups.append(struct({1: list_of(chunks), 2: i64(size), 3: i64(self.rows)}))
        self._offset += len(written)
        self._rows_written += self.rows
        self.rows = 0
        return bytes(written)

    def footer(self, table: Table) -> bytes:
        told = {**table.head, **table.tail()}
        pairs = [struct({1: text(name), 2: text(_as_text(value))}) for name, value in told.items()]
        root = struct({4: text("table"), 5: i32(len(self._columns))})
        fields = {
            1: i32(_FORMAT_VERSION),
            2: list_of([root, *map(_element, self._columns)]),
            3: i64(self._rows_written),
            4: list_of(self._row_groups),
        }
        fields |= {5: list_of(pairs)} if pairs else {}
        described = struct({**fields, 6: text("skeldir")}).written
        return described + len(described).to_bytes(4, "little") + _MAGIC


class _Chunk:
    """One column of one row group: its dictionary's page, if it has one, and its data's."""

    def __init__(self, column: Column, pages: Pages, rows: int, offset: int) -> None:
        self._column = column
        self._rows = rows
        self._offset = offset
        self.written = b""
        self.uncompressed = 0
        self._dictionary_bytes = 0
        if pages.dictionary is not None:
            count, plain = pages.dictionary
            self._page(_DICTIONARY_PAGE, plain, 7, struct({1: i32(count), 2: i32(PLAIN)}))
            self._dictionary_bytes = len(self.written)
        self._encoding = PLAIN if pages.dictionary is None else RLE_DICTIONARY
        told = struct({1: i32(rows), 2: i32(self._encoding), 3: i32(RLE), 4: i32(RLE)})
        self._page(_DATA_PAGE, pages.data, 5, told)

    def described(self) -> Thrift:
        data_offset = self._offset + self._dictionary_bytes
        fields = {
            1: i32(FORMS[self._column.kind].physical),
            2: list_of([i32(one) for one in sorted({PLAIN, RLE, self._encoding})]),
            3: list_of([text(self._column.name)]),
            4: i32(_GZIP),
            5: i64(self._rows),
            6: i64(self.uncompressed),
            7: i64(len(self.written)),
            9: i64(data_offset),
        }
        if self._dictionary_bytes:
            fields[11] = i64(self._offset)
        return struct({2: i64(self._offset), 3: struct(fields)})

    def _page(self, kind: int, plain: bytes, field: int, told: Thrift) -> None:
        squeezer = zlib.compressobj(_COMPRESSION_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        squeezed = squeezer.compress(plain) + squeezer.flush()
        head = struct({1: i32(kind), 2: i32(len(plain)), 3: i32(len(squeezed)), field: told}).written
        self.written += head + squeezed
        self.uncompressed += len(head) + len(plain)


def _element(column: Column) -> Thrift:
    form = FORMS[column.kind]
    return struct({1: i32(form.physical), 3: i32(_REQUIRED), 4: text(column.name), **form.told})


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()
