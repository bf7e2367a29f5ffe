"""As much of Thrift's compact protocol as the headers of Parquet need (thrift-compact-protocol.md).

A value is its type's number and its bytes; fields and lists are written around them.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

_TRUE, _FALSE, _I32, _I64, _BINARY, _LIST, _STRUCT = 1, 2, 5, 6, 8, 9, 12
_SHORT_LIST_MAX: Final = 14
_SHORT_DELTA_MAX: Final = 15
_SEVEN_BITS: Final = 0x7F


class Thrift(NamedTuple):
    """A value as it is written."""

    type: int
    written: bytes


def varint(number: int) -> bytes:
    """Write a number that is not negative, seven bits a byte, the lowest first."""
    written = bytearray()
    while number > _SEVEN_BITS:
        written.append(number & _SEVEN_BITS | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def i32(number: int) -> Thrift:
    """Write an integer of 32 bits."""
    return Thrift(_I32, _zigzag(number))


def i64(number: int) -> Thrift:
    """Write an integer of 64 bits."""
    return Thrift(_I64, _zigzag(number))


def text(value: str) -> Thrift:
    """Write a text."""
    raw = value.encode()
    return Thrift(_BINARY, varint(len(raw)) + raw)


def boolean(value: bool) -> Thrift:  # noqa: FBT001
    """Write a boolean, whose value is its type when it is a field."""
    return Thrift(_TRUE if value else _FALSE, b"")


def list_of(items: Sequence[Thrift]) -> Thrift:
    """Write a list of values of one type; an empty one is of structs."""
    kind, count = items[0].type if items else _STRUCT, len(items)
    head = bytes([count << 4 | kind]) if count <= _SHORT_LIST_MAX else bytes([0xF0 | kind]) + varint(count)
    return Thrift(_LIST, head + b"".join(item.written for item in items))


def struct(fields: Mapping[int, Thrift]) -> Thrift:
    """Write a struct by its fields' numbers, which ascend."""
    written, last = bytearray(), 0
    for number, value in fields.items():
        delta = number - last
        if not 0 < delta <= _SHORT_DELTA_MAX:
            raise ValueError("the fields of a struct ascend, and not by more than 15")
        written.append(delta << 4 | value.type)
        written += value.written
        last = number
    return Thrift(_STRUCT, bytes(written) + b"\0")


def _zigzag(number: int) -> bytes:
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)
