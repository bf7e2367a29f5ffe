"""Vendor payloads read by table: which field means what, what of it is kept, what is wrong with it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Final, Literal, TypeVar

from skeldir.domain.facts import Hints
from skeldir.domain.money import known_currency
from skeldir.domain.pii import personal_key, personal_value
from skeldir.domain.pii_trail import Withholding
from skeldir.domain.refusals import MALFORMED_VALUE, MISSING_REQUIRED_FIELD, Refusal

Kind = Literal[
    "id", "amount", "units", "currency", "time", "unix_time", "word", "flag", "labels", "pairs", "entries"
]
Value = TypeVar("Value")

TEXT_LENGTH_MAX: Final = 200
ITEMS_MAX: Final = 1_000  # of one list: booking grows with them, and no order is refunded as often
UNIX_SECONDS_MAX: Final = 4_102_444_800  # the year 2100

_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9_]{1,128}")
_FREE_ID: Final = re.compile(r"[A-Za-z0-9_#./:-]{1,128}")
_AMOUNT: Final = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_CURRENCY: Final = re.compile(r"[A-Za-z]{3}")
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_TIME_OF_SOME_ZONE: Final = re.compile(_TIME.pattern + "?")
_WORD: Final = re.compile(r"[A-Za-z0-9_./-]{1,64}")
# What a processor calls a payment. Any other number may stand where one is expected, such as that of a
# cheque, and a link under that name could reach another order of the shop.
PAYMENT_KEY: Final = re.compile(r"(?:pi|ch|py)_[A-Za-z0-9]{1,120}|(?=[0-9]*[A-Z])[A-Z0-9]{17}")
_ID_LABELS: Final = ("session_id", "journey_id", "order_id", "payment_key")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a vendor's payload: where it stands, what it holds, what it means to us.

    `path` is dotted; `[]` after a name means each item of that list. `names` are the keys that are
    read from free `labels` (an object), `pairs` (a list of name and value) or `entries` (a list of key
    and value), with what they mean.
    """

    path: str
    kind: Kind
    maps_to: str | None = None
    required: bool = False
    stored: bool = True
    names: Mapping[str, str] = field(default_factory=dict)


class Shape:
    """The table of one kind of payload."""

    def __init__(self, *fields: Field) -> None:
        """Keep the fields in order; of several that map to one canonical name the first told wins.

        Raises ValueError for a field, or a label, whose very name says that it is personal.
        """
        for entry in fields:
            for name in (*entry.path.replace("[]", "").split("."), *entry.names):
                if personal_key(name):
                    raise ValueError(f"{entry.path} would keep personal data: {name}")
        self.fields: Final = fields

    def stored(self, payload: object, withheld: Withholding | None = None) -> dict[str, object]:
        """Copy the fields that are kept, without personal data; everything else is forgotten."""
        kept: dict[str, object] = {}
        noted = withheld or Withholding()
        for entry in self.fields:
            if entry.stored or entry.required:
                _copy(payload, kept, entry.path.split("."), entry, noted)
        return kept

    def read(self, payload: object) -> "Reading":
        """Read a payload by this table, after checking that what is required is there."""
        if not isinstance(payload, Mapping):
            raise Refusal(MALFORMED_VALUE)
        reading = Reading(self.fields, payload)
        for entry in self.fields:
            if entry.required and "[]" not in entry.path:
                reading.raw(entry)
        return reading


class Reading:
    """One payload (or one item of a list in it) as its table reads it."""

    def __init__(self, fields: Sequence[Field], payload: Mapping[str, object], prefix: str = "") -> None:
        """Keep what is read and how; `prefix` is the path of an item, for what is said of its faults."""
        self._fields = fields
        self._payload = payload
        self._prefix = prefix

    def raw(self, entry: Field) -> object:
        """Return a field as it stands; refuses a required one that is absent, null or empty."""
        value: object = self._payload
        for name in entry.path.split("."):
            if value is not None and not isinstance(value, Mapping):
                raise Refusal(MALFORMED_VALUE, self._prefix + entry.path)
            value = None if value is None else value.get(name)
        if value in (None, ""):
            if entry.required:
                raise Refusal(MISSING_REQUIRED_FIELD, self._prefix + entry.path)
            return None
        return value

    def get(self, name: str, convert: Callable[[object], Value]) -> Value | None:
        """Return the canonical field converted, or None where nothing is told; refuses a bad value."""
        for entry in self._fields:
            if entry.maps_to == name and (value := self.raw(entry)) is not None:
                return self._converted(entry, value, convert)
        return None

    def require(self, name: str, convert: Callable[[object], Value]) -> Value:
        """Return the canonical field converted; refuses one that is missing."""
        value = self.get(name, convert)
        if value is None:
            raise Refusal(MISSING_REQUIRED_FIELD, self.path_of(name))
        return value

    def path_of(self, name: str) -> str:
        """Return where the payload holds a canonical field."""
        return self._prefix + next(entry.path for entry in self._fields if entry.maps_to == name)

    def items(self, name: str, *, required: bool = True) -> list["Reading"]:
        """Read each item of a list that is called `name` in the payload."""
        found = self._payload.get(name)
        if found is None and not required:
            return []
        if found is None:
            raise Refusal(MISSING_REQUIRED_FIELD, name)
        if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
            raise Refusal(MALFORMED_VALUE, name)
        if len(found) > ITEMS_MAX:
            raise Refusal(MALFORMED_VALUE, name)
        inside = [
            _inside(entry, f"{name}[].") for entry in self._fields if entry.path.startswith(f"{name}[].")
        ]
        return [Reading(inside, item, f"{name}.{position}.") for position, item in enumerate(found)]

    def values(self, name: str, convert: Callable[[object], Value]) -> list[Value]:
        """Read each value of a list that is called `name` in the payload."""
        found = self._payload.get(name)
        if found is None:
            raise Refusal(MISSING_REQUIRED_FIELD, name)
        if not isinstance(found, list):
            raise Refusal(MALFORMED_VALUE, name)
        return [
            self._converted(Field(f"{name}.{place}", "id"), item, convert) for place, item in enumerate(found)
        ]

    def labels(self) -> dict[str, str]:
        """Return the canonical names that the free labels and pairs offer, free of personal data."""
        found: dict[str, str] = {}
        for entry in self._fields:
            if entry.names:
                told = label_values(self.raw(entry))
                for name, canonical in entry.names.items():
                    value = label_text(canonical, told.get(name))
                    if value is not None:
                        found.setdefault(canonical, value)
        return found

    def _converted(self, entry: Field, value: object, convert: Callable[[object], Value]) -> Value:
        try:
            return convert(value)
        except Refusal as refusal:
            raise Refusal(refusal.reason_code, self._prefix + entry.path) from None


def hints_of(labels: Mapping[str, str]) -> Hints:
    """Make hints of the labels that a payload carries."""
    names = ("utm_source", "utm_medium", "utm_campaign", "session_id", "journey_id")
    return Hints(**{name: labels[name] for name in names if name in labels})


def identifier(value: object) -> str:
    """Read a vendor's own id, a number or a text, as text."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _keeps_id(text):
        raise Refusal(MALFORMED_VALUE)
    return text


def instant(value: object) -> datetime:
    """Read an RFC 3339 timestamp that names its offset."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise Refusal(MALFORMED_VALUE)
    try:
        moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(MALFORMED_VALUE) from None
    return _reasonable(moment)


def unix_instant(value: object) -> datetime:
    """Read seconds since 1970, in UTC."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= UNIX_SECONDS_MAX:
        raise Refusal(MALFORMED_VALUE)
    return datetime.fromtimestamp(value, UTC)


def word(value: object) -> str:
    """Read a status, kind or topic."""
    if not isinstance(value, str) or not _WORD.fullmatch(value) or personal_value(value):
        raise Refusal(MALFORMED_VALUE)
    return value


def flag(value: object) -> bool:
    """Read a truth value."""
    if not isinstance(value, bool):
        raise Refusal(MALFORMED_VALUE)
    return value


def currency(value: object) -> str:
    """Read an ISO 4217 code in either case."""
    return known_currency(value)


def label_values(value: object) -> dict[str, object]:
    """Return labels by name, from an object or from a list of name (or key) and value."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list):
        pairs = [item for item in value if isinstance(item, Mapping)]
        named = [(pair.get("name", pair.get("key")), pair.get("value")) for pair in pairs]
        return {name: told for name, told in named if isinstance(name, str)}
    return {}


def label_text(canonical: str, value: object) -> str | None:
    """Return a label's text if it may be kept; an id's digits are not mistaken for a card number."""
    if canonical in _ID_LABELS and isinstance(value, str) and _PLAIN_ID.fullmatch(value):
        return value
    return clean_text(value)


def clean_text(value: object) -> str | None:
    """Return a free text that may be kept, or None: empty, too long, unprintable or personal ones may not."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        return None
    text = text.strip()
    if not text or len(text) > TEXT_LENGTH_MAX or _CONTROL.search(text) or personal_value(text):
        return None
    return text


def _reasonable(moment: datetime) -> datetime:
    if not 0 <= moment.timestamp() <= UNIX_SECONDS_MAX:
        raise Refusal(MALFORMED_VALUE)
    return moment


def _keeps_id(text: str) -> bool:
    """Tell whether a text is an id. Digits and letters are taken as they are, other signs are looked at."""
    return bool(_PLAIN_ID.fullmatch(text) or (_FREE_ID.fullmatch(text) and not personal_value(text)))


def _inside(entry: Field, prefix: str) -> Field:
    return Field(entry.path.removeprefix(prefix), entry.kind, entry.maps_to, entry.required, entry.stored)


def _copy(
    source: object, target: dict[str, object], path: list[str], entry: Field, noted: Withholding
) -> None:
    """Copy one field into the nested result, item by item where the path goes through a list.

    Where something stood that may not be kept, something stands that every reading refuses: a list
    for a value or an object, an object for a list. Left out, it would read as if nothing had been said.
    """
    name, rest = path[0], path[1:]
    key = name.removesuffix("[]")
    value = source.get(key) if isinstance(source, Mapping) else None
    if value is None:
        return
    if not rest:
        kept = _kept_each(value, entry, noted) if name.endswith("[]") else _kept(value, entry, noted)
        if kept is not None:
            target[key] = kept
    elif name.endswith("[]"):
        _copy_items(value, target, key, rest, entry, noted=noted)
    elif isinstance(value, Mapping):
        nested = target.setdefault(key, {})
        if isinstance(nested, dict):
            _copy(value, nested, rest, entry, noted)
    else:
        target[key] = []


def _copy_items(
    value: object, target: dict[str, object], key: str, rest: list[str], entry: Field, *, noted: Withholding
) -> None:
    if not isinstance(value, list):
        target[key] = {}
        return
    surplus = [None] if len(value) > ITEMS_MAX else []
    blank: list[object] = [{} if isinstance(item, Mapping) else None for item in value[:ITEMS_MAX]]
    items = target.setdefault(key, [*blank, *surplus])
    for item, copied in zip(value, items if isinstance(items, list) else [], strict=False):
        if isinstance(copied, dict):
            _copy(item, copied, rest, entry, noted)


_AMOUNTS: Final = ("amount", "units")
_NUMBERS: Final = ("id", "unix_time", *_AMOUNTS)
_UNTOUCHED: Final[Mapping[str, re.Pattern[str]]] = {
    "id": _PLAIN_ID,
    "amount": _AMOUNT,
    "currency": _CURRENCY,
    "time": _TIME_OF_SOME_ZONE,
}


def _kept(value: object, entry: Field, noted: Withholding) -> object:
    """Return what of a value is kept. Typed values are not judged by their digits; malformed ones are."""
    if value == "":
        return None  # as good as absent
    if entry.kind in ("labels", "pairs", "entries"):
        known = _kept_labels(label_values(value), entry, noted)
        naming = "key" if entry.kind == "entries" else "name"
        pairs = [{naming: name, "value": text} for name, text in known.items()]
        return (known if entry.kind == "labels" else pairs) or None
    if entry.stored and _may_be_kept(value, entry):
        return value
    noted.note(entry.path, value)
    return []


def _kept_each(values: object, entry: Field, noted: Withholding) -> object:
    if not isinstance(values, list):
        return {}
    surplus = [None] if len(values) > ITEMS_MAX else []
    return [*(_kept(value, entry, noted) for value in values[:ITEMS_MAX]), *surplus]


def _kept_labels(told: Mapping[str, object], entry: Field, noted: Withholding) -> dict[str, str]:
    known: dict[str, str] = {}
    for name, canonical in entry.names.items():
        text = label_text(canonical, told.get(name))
        if text is not None:
            known[name] = text
        elif told.get(name):
            path = entry.path if entry.kind == "labels" else f"{entry.path}[]"
            noted.note(f"{path}.{name}", told[name])
    return known


def _may_be_kept(value: object, entry: Field) -> bool:
    if isinstance(value, bool):
        return entry.kind == "flag"
    if isinstance(value, int):
        return entry.kind in _NUMBERS
    if isinstance(value, float):
        return entry.kind in _AMOUNTS and isfinite(value)
    if not isinstance(value, str):
        return False  # a structure where none belongs
    pattern = _UNTOUCHED.get(entry.kind)
    return bool(pattern and pattern.fullmatch(value)) or clean_text(value) == value
