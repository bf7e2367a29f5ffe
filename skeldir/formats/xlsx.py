"""Spreadsheets of Office Open XML (ECMA-376), written row by row and split where a sheet is full.

The kept libraries took twelve times as long for the same sheets, in a process that has others to serve; a
table of four kinds of cells needs little of the format. The file is built beside, since only where one can
go back the sizes stand where Excel looks for them; openpyxl reads it in tests.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import IO, Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

from skeldir.formats import xlsx_parts as parts
from skeldir.formats.tables import Kind, Row, Table

ROWS_PER_SHEET_MAX: Final = 1_048_576
"""Excel's own limit, the line of names included."""

BYTES_PER_SHEET_MAX: Final = 2_000_000_000
"""From 2 GiB on a part would need the 64-bit fields of ZIP, over which Excel calls a file damaged."""

_CHUNK_BYTES: Final = 262_144
_COMPRESSION_LEVEL: Final = 1
_DIGITS_MAX: Final = 999_999_999_999_999
"""A spreadsheet computes in doubles and keeps 15 digits: a longer number stays whole as a text."""

_DAY_ZERO: Final = date(1899, 12, 30).toordinal()
_INSTANT_ZERO: Final = datetime(1899, 12, 30, tzinfo=UTC)
_SECONDS_PER_DAY: Final = 86_400


def encode(
    table: Table, rows_per_sheet: int = ROWS_PER_SHEET_MAX, bytes_per_sheet: int = BYTES_PER_SHEET_MAX
) -> Iterator[bytes]:
    """Yield empty chunks while the file is being built, then the file."""
    with tempfile.TemporaryFile(prefix="skeldir-export-") as file:
        with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL) as archive:
            book = _Book(archive, table, rows_per_sheet, bytes_per_sheet)
            for batch in table.batches:
                book.write(batch)
                yield b""
            book.finish()
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


class _Book:
    """The workbook in the making; one sheet of it is open."""

    def __init__(self, archive: ZipFile, table: Table, rows_per_sheet: int, bytes_per_sheet: int) -> None:
        self._archive = archive
        self._table = table
        self._rows_per_sheet = rows_per_sheet
        self._bytes_per_sheet = bytes_per_sheet
        self._cells = [_CELLS[column.kind] for column in table.columns]
        self._sheets: list[str] = []
        self._rows_left = 0
        self._bytes_left = 0
        self._sheet = self._begin()

    def write(self, batch: Sequence[Row]) -> None:
        """Write rows, on as many sheets as it takes."""
        while batch:
            if self._rows_left == 0 or self._bytes_left <= 0:
                self._end()
                self._sheet = self._begin()
            fitting, batch = batch[: self._rows_left], batch[self._rows_left :]
            values = zip(*fitting, strict=True)
            cells = [map(cell, column) for cell, column in zip(self._cells, values, strict=True)]
            rows = zip(*cells, strict=True)
            written = self._sheet.write("".join([f"<row>{''.join(row)}</row>" for row in rows]).encode())
            self._rows_left -= len(fitting)
            self._bytes_left -= written

    def finish(self) -> None:
        """Write what says which sheets there are."""
        self._end()
        for path, content in parts.around(self._sheets).items():
            self._archive.writestr(path, content)

    def _begin(self) -> IO[bytes]:
        number = len(self._sheets) + 1
        self._sheets.append(self._table.name if number == 1 else f"{self._table.name} {number}")
        sheet = self._archive.open(parts.sheet_path(number), "w")
        names = "".join(parts.text_cell(column.name) for column in self._table.columns)
        sheet.write(f"{parts.sheet_head(len(self._cells))}<row>{names}</row>".encode())
        self._rows_left = self._rows_per_sheet - 1
        self._bytes_left = self._bytes_per_sheet
        return sheet

    def _end(self) -> None:
        self._sheet.write(parts.SHEET_END)
        self._sheet.close()


def _integer_cell(number: int) -> str:
    if -_DIGITS_MAX <= number <= _DIGITS_MAX:
        return f"<c><v>{number}</v></c>"
    return parts.text_cell(str(number))


def _date_cell(day: date) -> str:
    return f'<c s="{parts.DATE_STYLE}"><v>{day.toordinal() - _DAY_ZERO}</v></c>'


def _instant_cell(at: datetime) -> str:
    days = (at - _INSTANT_ZERO).total_seconds() / _SECONDS_PER_DAY
    return f'<c s="{parts.INSTANT_STYLE}"><v>{days:.10f}</v></c>'


_CELLS: Final[dict[Kind, Callable[[Any], str]]] = {
    "text": parts.text_cell,
    "integer": _integer_cell,
    "date": _date_cell,
    "instant": _instant_cell,
}
