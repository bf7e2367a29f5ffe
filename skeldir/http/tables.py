"""Bodies as CSV (RFC 4180): a table whose header names the properties of the rows of the JSON body.

A table is read into that JSON value, which the operation's one schema then judges. So a handler never
knows which of the two was sent, and a fault is named the same way in both: `body.rows.0` is the first
row below the header.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from skeldir.domain.errors import FieldError, MalformedRequest
from skeldir.http.parameters import UnservableContract, summary
from skeldir.http.schemas import ERRORS_MAX, Json, Place, Schemas, json_types
from skeldir.http.values import Read, scalar_reader

CSV: Final = "text/csv"
ROWS: Final = "x-rows"
"""Beside the schema of a CSV body: the property of the JSON body that the table is."""

_ROWS_MAX: Final = 100_000  # no schema admits more; what is longer is not even held


@dataclass(frozen=True, slots=True)
class TablePlan:
    """How a table becomes the JSON value `{name: [row, …]}`."""

    name: str
    columns: Mapping[str, Read]
    required: frozenset[str]

    def read(self, raw: bytes) -> Json:
        """Return the JSON value; raises MalformedRequest naming each row that is no row.

        An empty cell is a property that is absent. A byte order mark is skipped; lines may end with
        CR LF, LF or CR, and empty ones are none.
        """
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise _refused([FieldError("body", "encoding", "is not UTF-8")]) from None
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        faults: list[FieldError] = []
        rows: list[Json] = []
        try:
            header = self._header(next(lines, []))
            for number, cells in enumerate(line for line in lines if line):
                if len(cells) == len(header):
                    row = zip(header, cells, strict=True)
                    rows.append({name: self.columns[name](cell) for name, cell in row if cell})
                else:
                    faults.append(self._ragged(number, len(cells), len(header)))
                if len(faults) == ERRORS_MAX or number == _ROWS_MAX:
                    break
        except csv.Error as error:
            message = f"is no CSV after line {lines.line_num}: {error}"
            faults.append(FieldError("body", "malformed_csv", message))
        if faults:
            raise _refused(faults)
        return {self.name: rows}

    def _header(self, names: list[str]) -> list[str]:
        """Return the header; raises MalformedRequest unless it names known columns once, and those needed."""
        faults = list(islice(self._header_faults(names), ERRORS_MAX))
        if faults:
            raise _refused(faults)
        return names

    def _header_faults(self, names: list[str]) -> Iterator[FieldError]:
        known = ", ".join(self.columns)
        for number, name in enumerate(names):
            place = f"body.header.{number}"
            if name not in self.columns:
                yield FieldError(place, "unknown_column", f"is not one of {known}")
            elif name in names[:number]:
                yield FieldError(place, "repeated", f"names {name} again")
        for name in sorted(self.required - set(names)):
            yield FieldError("body.header", "missing_column", f"lacks {name}; columns are {known}")

    def _ragged(self, number: int, cells: int, columns: int) -> FieldError:
        message = f"has {cells} cells, the header {columns}"
        return FieldError(f"body.{self.name}.{number}", "wrong_number_of_cells", message)


def table_plan(schemas: Schemas, media: Place, json_schema: Place) -> TablePlan:
    """Work out how a CSV body is read; raises UnservableContract when its rows are not flat objects."""
    name = media.value.get(ROWS)
    rows = (json_schema.get("properties") or json_schema).get(name) if isinstance(name, str) else None
    item = rows.get("items") if rows is not None else None
    properties = item.get("properties") if item is not None else None
    if item is None or properties is None:
        raise UnservableContract(f"its {CSV} body needs {ROWS}: an array of objects in its JSON body")
    return TablePlan(
        str(name),
        {column: _cell(schemas, properties.at(column)) for column in properties.value},
        frozenset(item.value.get("required", [])),
    )


def _cell(schemas: Schemas, column: Place) -> Read:
    types = json_types(column)
    if types & {"object", "array"}:
        raise UnservableContract(f"{column.pointer} fits into no cell")
    return scalar_reader(types, lambda: schemas.at(column.pointer))


def _refused(errors: list[FieldError]) -> MalformedRequest:
    return MalformedRequest(summary(errors), errors=tuple(errors))
