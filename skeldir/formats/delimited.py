"""CSV by RFC 4180 in UTF-8, in which a spreadsheet finds no formula that somebody smuggled in.

A text that a spreadsheet would calculate gets an apostrophe before it, and every text stands in quotes, so
that none opens a cell of its own where the separator is another (OWASP, "CSV Injection"). Numbers are never
texts here: a negative one stays a number.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from skeldir.formats.tables import Kind, Table

# Excel takes the full-width signs for formulas too where its language is an East Asian one.
_BEGINS_FORMULA: Final = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - they are meant


def neutral(text: str) -> str:
    """Return a text as a spreadsheet will show it instead of calculating it."""
    return "'" + text if text[:1] in _BEGINS_FORMULA else text


def _texts(column: Sequence[str]) -> Iterable[str]:
    if _BEGINS_FORMULA.isdisjoint([text[:1] for text in column]):  # as ever
        return column
    return map(neutral, column)


def _instants(column: Sequence[datetime]) -> Iterable[str]:
    return [at.isoformat(timespec="microseconds")[:-_OFFSET_LENGTH] + "Z" for at in column]


_WRITTEN: Final[dict[Kind, Callable[[Sequence[Any]], Iterable[object]]]] = {
    "text": _texts,
    "integer": lambda column: column,
    "date": lambda column: column,  # the writer asks each for its text, which is ISO's
    "instant": _instants,
}
_OFFSET_LENGTH: Final = len("+00:00")


def encode(table: Table) -> Iterator[bytes]:
    """Yield the header line, then each batch's lines."""
    written = io.StringIO(newline="")
    lines = csv.writer(written, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    lines.writerow([column.name for column in table.columns])
    convert = [_WRITTEN[column.kind] for column in table.columns]
    for batch in table.batches:
        values = zip(*batch, strict=True)
        columns = [function(column) for function, column in zip(convert, values, strict=True)]
        lines.writerows(zip(*columns, strict=True))
        yield _taken(written)
    yield _taken(written)


def _taken(written: io.StringIO) -> bytes:
    text = written.getvalue()
    written.seek(0)
    written.truncate()
    return text.encode()
