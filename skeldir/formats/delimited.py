"""CSV by RFC 4180 in UTF-8, in which a spreadsheet finds no formula that somebody smuggled in.

A text that a spreadsheet would calculate gets an apostrophe before it, and every text stands in quotes, so
that none opens a cell of its own where the separator is another (OWASP, "CSV Injection"). Numbers are never
texts here: a negative one stays a number.
"""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, Final

from skeldir.formats.tables import Kind, Table

# Excel takes the full-width signs for formulas too where its language is an East Asian one.
_BEGINS_FORMULA: Final = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - they are meant


def neutral(text: str) -> str:
    """Return a text as a spreadsheet will show it instead of calculating it."""
    return "'" + text if text[:1] in _BEGINS_FORMULA else text


_WRITTEN: Final[dict[Kind, Callable[[Any], object]]] = {
    "text": neutral,
    "integer": int,
    "date": lambda day: day.isoformat(),
    "instant": lambda at: at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
}


def encode(table: Table) -> Iterator[bytes]:
    """Yield the header line, then each batch's lines."""
    written = io.StringIO(newline="")
    lines = csv.writer(written, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    lines.writerow([column.name for column in table.columns])
    convert = [_WRITTEN[column.kind] for column in table.columns]
    for batch in table.batches:
        values = zip(*batch, strict=True)
        columns = [map(function, column) for function, column in zip(convert, values, strict=True)]
        lines.writerows(zip(*columns, strict=True))
        yield _taken(written)
    yield _taken(written)


def _taken(written: io.StringIO) -> bytes:
    text = written.getvalue()
    written.seek(0)
    written.truncate()
    return text.encode()
