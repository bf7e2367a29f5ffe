"""The columns of a Parquet row group, kept encoded while they grow (parquet-format, Encodings.md).

Numbers are written plainly. Texts repeat (an order's lines, a channel's name), so each row group has a
dictionary of them; its indices always take 16 bits, which a reader allows and needs no packing of bits.
"""

import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple, Protocol

from skeldir.formats.tables import Kind
from skeldir.formats.thrift import Thrift, boolean, i32, struct, varint

ROWS_MAX: Final = 65_536
"""More texts in a row group would not fit the indices."""

PLAIN, RLE, RLE_DICTIONARY = 0, 3, 8
_INT32, _INT64, _BYTE_ARRAY = 1, 2, 6
_INDEX_BITS: Final = 16
_GROUP: Final = 8  # values are bit-packed eight at a time
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()


class Pages(NamedTuple):
    """A column's bytes: its dictionary with the number of its values, if it has one, and its data."""

    dictionary: tuple[int, bytes] | None
    data: bytes


class Form(NamedTuple):
    """How a kind of column is stored and what readers are told of it."""

    physical: int
    told: dict[int, Thrift]
    """Fields of its SchemaElement: converted_type (6) for old readers, logicalType (10) for new ones."""
    make: Callable[[], "Growing"]


class Growing(Protocol):
    """One column of the row group in the making."""

    def add(self, values: Sequence[Any]) -> None:
        """Encode the values of a batch."""

    def take(self) -> Pages:
        """Return what has come together, and begin anew."""


class _Numbers:
    def __init__(self, code: str, number_of: Callable[[Any], int] | None = None) -> None:
        self._code = code
        self._number_of = number_of
        self._values: array[int] = array(code)

    def add(self, values: Iterable[Any]) -> None:
        self._values.extend(values if self._number_of is None else map(self._number_of, values))

    def take(self) -> Pages:
        values, self._values = self._values, array(self._code)
        return Pages(None, _little_endian(values))


class _Texts:
    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._dictionary = bytearray()
        self._indices = array("H")

    def add(self, values: Iterable[str]) -> None:
        places, append = self._places, self._indices.append
        for value in values:
            place = places.get(value)
            if place is None:
                place = places[value] = len(places)
                raw = value.encode()
                self._dictionary += len(raw).to_bytes(4, "little") + raw
            append(place)

    def take(self) -> Pages:
        indices = self._indices
        indices.extend([0] * (-len(indices) % _GROUP))
        head = bytes([_INDEX_BITS]) + varint(len(indices) // _GROUP << 1 | 1)
        pages = Pages((len(self._places), bytes(self._dictionary)), head + _little_endian(indices))
        _Texts.__init__(self)
        return pages


def _little_endian(values: "array[int]") -> bytes:
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def _microseconds(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


_NO_FIELDS: Final = struct({})
_IN_MICROSECONDS: Final = struct({1: boolean(True), 2: struct({2: _NO_FIELDS})})

FORMS: Final[dict[Kind, Form]] = {
    "text": Form(_BYTE_ARRAY, {6: i32(0), 10: struct({1: _NO_FIELDS})}, _Texts),
    "integer": Form(_INT64, {}, lambda: _Numbers("q")),
    "date": Form(
        _INT32,
        {6: i32(6), 10: struct({6: _NO_FIELDS})},
        lambda: _Numbers("i", lambda day: day.toordinal() - _EPOCH_ORDINAL),
    ),
    "instant": Form(
        _INT64, {6: i32(10), 10: struct({8: _IN_MICROSECONDS})}, lambda: _Numbers("q", _microseconds)
    ),
}
