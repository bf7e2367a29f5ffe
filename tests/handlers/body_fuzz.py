"""Bodies as no vendor sends them: real ones cut, doubled, garbled, and with values that nobody expects."""

import gzip
import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from skeldir.vendors.fields import Field, Shape
from tests.handlers.senders import Sender
from tests.vendors.payloads import PERSONAL

NUMBERS: Final = (
    0, -1, 1, 250, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**14, 10**15, 10**40, 1.5, 1e308,
    -0.0, 1e-320, True, False,
)  # fmt: skip
TEXTS: Final = (
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202eevil", "\u0663\u0664",
    "\U0001d7d9\U0001d7da", "\uff11\uff12.\uff13\uff10", "👩‍👩‍👧‍👦", "%s%n", "{}", "../../etc", "';--",
    "null", "true", "x" * 129, "x" * 201, "y" * 400_000, "a@" * 2_000, "+1" * 3_000, "\n",
)  # fmt: skip
AMOUNTS: Final = (
    "0", "-0.00", "00129.99", "1e5", "1,000.00", "0.001", "129.990", "-129.99", "NaN", "Infinity", "+1",
    ".5", "5.", "9" * 30 + ".99", "9" * 31, "1000000000000.00", "1000000000000.01", "100", "10.1234",
)  # fmt: skip
CODES: Final = ("usd", "USD", "JPY", "KWD", "ISK", "XXX", "ZZZ", "US$", "EURO", "€", "HUF", "BTC")
TIMES: Final = (
    "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59", "2026-11-20T24:00:00Z", "2026-11-20T23:59:60Z",
    "2026-11-20T10:00:00+99:99", "2026-11-20T10:00:00", "2026-11-20t10:00:00.123456789z",
    "1969-12-31T23:59:59Z", "2100-01-01T00:00:01Z", "2026-11-20", "now", "2026-11-20T10:00:00+19:27",
)  # fmt: skip
WORDS: Final = (
    "paid", "PAID", "completed", "refunded", "pending", "voided", "trash", "RESOLVED", "INQUIRY",
    "CHARGEBACK", "NONE", "failed", "succeeded", "warning_needs_response", "lost", "won", "a b",
    "jane@example.com", "up",
)  # fmt: skip
DEPTHS: Final = (2, 120, 200, 500, 980, 1_015)
_DEEP: Final = "@depth {}@"


@dataclass(frozen=True)
class Case:
    """One delivery; `how` says what was done to it."""

    topic: str
    body: bytes
    how: str


class Fuzzer:
    """Makes the cases of one vendor, the same ones for the same seed.

    They tell of few orders, so that they meet: the same event told otherwise, refunds of what is not booked.
    """

    def __init__(self, sender: Sender, seed: object, orders: int) -> None:
        self.orders = orders
        self.random = Random(f"{sender.vendor} {seed}")
        self.sender = sender
        self._topics = sorted(sender.shapes)

    def case(self) -> Case:
        """Make the next case."""
        topic, payload = self._told()
        if self.random.random() < 0.1:
            topic = self.random.choice([*self._topics, "orders/unknown", "x", "X" * 64, "order.trashed"])
        make = self.random.choices(list(_MAKERS), weights=list(_MAKERS.values()))[0]
        return Case(topic, make(self, payload), make.__name__)

    def _told(self) -> tuple[str, Any]:
        """Return something that the vendor tells, or something made from its table of fields alone."""
        if self.random.random() < 0.7:
            told = list(self.sender.life(self.random.randrange(self.orders)))
            return self.random.choice(told)
        topic = self.random.choice(self._topics)
        return topic, self._of_table(self.sender.shapes[topic], topic)

    def _of_table(self, shape: Shape, topic: str) -> dict[str, Any]:
        payload: dict[str, Any] = {}
        for entry in shape.fields:
            if entry.required or self.random.random() < 0.7:
                value = topic if entry.maps_to == "topic" else self._value(entry)
                _put(payload, entry.path.split("."), value)
        return payload

    def _value(self, entry: Field) -> object:
        kinds: dict[str, Sequence[object]] = {
            "id": (self.random.randrange(self.orders), f"id_{self.random.randrange(self.orders)}"),
            "amount": ("10.00", "0.50", "12"),
            "units": (1_000, 50),
            "currency": ("USD", "EUR", "JPY"),
            "time": ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00", "2026-11-21T10:00:00+01:00"),
            "unix_time": (1_763_632_800, 1_763_719_200),
            "flag": (True, False),
            "word": WORDS,
        }
        if entry.names:
            labels = {name: f"v{self.random.randrange(5)}" for name in entry.names}
            naming = "key" if entry.kind == "entries" else "name"
            pairs = [{naming: name, "value": value} for name, value in labels.items()]
            return labels if entry.kind == "labels" else pairs
        return self.random.choice(kinds.get(entry.kind, ("x",)))

    def untouched(self, payload: Any) -> bytes:
        """Leave it as it is."""
        return json.dumps(payload).encode()

    def truncated(self, payload: Any) -> bytes:
        """Cut it short, but for a rest."""
        body = json.dumps(payload).encode()
        return body[: self.random.randrange(1, len(body))]

    def doubled(self, payload: Any) -> bytes:
        """Say it, or a part of it, twice."""
        body = json.dumps(payload).encode()
        start = self.random.choice((0, self.random.randrange(len(body))))
        return body + self.random.choice((b"", b"\n", b",")) + body[start:]

    def garbled(self, payload: Any) -> bytes:
        """Change some bytes."""
        body = bytearray(json.dumps(payload).encode())
        for _ in range(self.random.choice((1, 2, 5, 50))):
            body[self.random.randrange(len(body))] = self.random.randrange(256)
        return bytes(body)

    def noise(self, _payload: Any) -> bytes:
        """Send bytes that mean nothing."""
        return self.random.randbytes(self.random.choice((1, 2, 16, 500, 5_000)))

    def recoded(self, payload: Any) -> bytes:
        """Write it in an encoding that JSON does not have."""
        text = json.dumps(payload, ensure_ascii=False) + "é"
        encodings = ("utf-16", "utf-32", "utf-8-sig", "latin-1", "cp037", "utf-7", "utf-16-be")
        encoded = text.encode(self.random.choice(encodings), "replace")
        return gzip.compress(encoded) if self.random.random() < 0.1 else encoded

    def scalar(self, _payload: Any) -> bytes:
        """Send JSON that is no object."""
        deep = b"[" * self.random.choice((*DEPTHS, 5_000, 100_000))
        return self.random.choice(
            (b"null", b"0", b'"x"', b"[]", b"{}", b"[{}]", b" ", b"NaN", b"-Infinity", b"1e999", b"tru",
             b"\xff", b"9" * 5_000, b"1" + b"0" * 400 + b".5", deep, deep + b"]" * len(deep),
             b'{"a":' * len(deep))
        )  # fmt: skip

    def repeated_keys(self, payload: Any) -> bytes:
        """Name the same keys again, with other values."""
        again = {key: self._odd() for key in self.random.sample(list(payload), min(3, len(payload)))}
        return _text(payload)[:-1].encode() + b", " + _text(again)[1:].encode()

    def mutated(self, payload: Any) -> bytes:
        """Put values that nobody expects where others were, move some, leave some out."""
        changed = deepcopy(payload)
        for _ in range(self.random.choice((1, 1, 1, 2, 3, 8))):
            places = _places(changed)
            if places:
                holder, key = self.random.choice(places)
                self._change(holder, key)
        return _text(changed).encode()

    def _change(self, holder: Any, key: Any) -> None:
        deed = self.random.random()
        if deed < 0.15:
            del holder[key]
        elif deed < 0.25:
            holder[key] = [holder[key]] if self.random.random() < 0.5 else {str(key): holder[key]}
        elif deed < 0.3 and isinstance(holder, dict):
            holder[self.random.choice((str(key).upper(), f"{key} ", "\x00", "email", "", "k" * 300_000))] = (
                holder.pop(key)
            )
        elif deed < 0.35 and isinstance(holder[key], str):
            holder[key] = self._typed_otherwise(holder[key])
        else:
            holder[key] = self._odd()

    def _typed_otherwise(self, text: str) -> object:
        short = text[:1_000]
        return self.random.choice((ascii(short), len(text), [short], {"value": short}, short * 100))

    def _odd(self) -> object:
        """Choose a value that may stand anywhere."""
        kinds: tuple[Sequence[object], ...] = (
            NUMBERS, TEXTS, AMOUNTS, CODES, TIMES, WORDS, PERSONAL, (None, [], {}, [[]], [None], [{}]),
            [_DEEP.format(depth) for depth in DEPTHS],
            ([{"name": _DEEP.format(self.random.choice(DEPTHS)), "value": "x"}], [{"key": [1], "value": {}}]),
            ([{"id": 1}] * 251, ["x"] * 3_000, [{"name": f"n{n}", "value": "v"} for n in range(400)]),
            ({f"k{number}": number for number in range(500)}, {"": ""}, {"id": {"id": {"id": 1}}}),
        )  # fmt: skip
        return deepcopy(self.random.choice(self.random.choice(kinds)))


_MAKERS: Final[dict[Callable[[Fuzzer, Any], bytes], int]] = {
    Fuzzer.untouched: 8,
    Fuzzer.mutated: 60,
    Fuzzer.garbled: 8,
    Fuzzer.truncated: 5,
    Fuzzer.doubled: 4,
    Fuzzer.repeated_keys: 5,
    Fuzzer.scalar: 4,
    Fuzzer.recoded: 3,
    Fuzzer.noise: 3,
}


def _text(value: object) -> str:
    """Write JSON; what stands for a depth is written that deep, which no encoder would do."""
    text = json.dumps(value)
    for depth in DEPTHS:
        for opening, closing in (("[", "]"), ('{"name":', "}")):
            text = text.replace(f'"{_DEEP.format(depth)}"', opening * depth + "1" + closing * depth, 1)
        text = text.replace(f'"{_DEEP.format(depth)}"', "[" * depth + "]" * depth)
    return text


def _places(value: object) -> list[tuple[Any, Any]]:
    """Return every value's holder and key."""
    if isinstance(value, dict):
        inside = [(value, key) for key in value]
    elif isinstance(value, list):
        inside = [(value, number) for number in range(min(len(value), 5))]
    else:
        return []
    return inside + [place for holder, key in inside for place in _places(holder[key])]


def _put(target: dict[str, Any], path: Sequence[str], value: object) -> None:
    """Put a value where the dotted path of a table says, one item for each list on the way."""
    name, rest = path[0], path[1:]
    key = name.removesuffix("[]")
    if not rest:
        target[key] = value
        return
    held = target.setdefault(key, [{}] if name.endswith("[]") else {})
    inside = held[0] if isinstance(held, list) and held else held
    if isinstance(inside, dict):
        _put(inside, rest, value)
