"""What a format is given: columns of four kinds, rows in batches, and what else there is to say."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, NamedTuple

Kind = Literal["text", "integer", "date", "instant"]
Value = str | int | date | datetime
Row = Sequence[Value]


class Column(NamedTuple):
    """One column; no value of it is ever missing. Instants are aware and in UTC."""

    name: str
    kind: Kind


def _nothing() -> dict[str, object]:
    return {}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to be told once: whoever has taken a batch may forget it."""

    name: str
    columns: Sequence[Column]
    batches: Iterable[Sequence[Row]]
    head: Mapping[str, object] = field(default_factory=dict)
    """What is known before the rows, where the format has room for it."""
    tail: Callable[[], Mapping[str, object]] = _nothing
    """What is known only after the rows."""


Encode = Callable[[Table], Iterator[bytes]]
"""Yields a table's bytes; an empty chunk says that a batch was taken and nothing is ready yet."""
