"""Personal values that are found again wherever they stand, and payloads with one in every place."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import count
from typing import Any, Final
from urllib.parse import quote

from skeldir.vendors.fields import Field, Shape

_LABELS: Final = ("labels", "pairs", "entries")
_NUMBERS: Final = count(1)


class Canaries:
    """Makes values of which none is made twice, and remembers them."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def name(self) -> str:
        """Return what nobody can recognise: a person's name."""
        return self._keep(f"Zq{self._next():05d} Canaryson")

    def email(self) -> str:
        """Return an e-mail address."""
        return self._keep(f"zq{self._next():05d}@example.com")

    def phone(self) -> str:
        """Return a telephone number."""
        number = self._next()
        return self._keep(f"+1 415 5{number // 10_000:02d} {number % 10_000:04d}")

    def ip(self) -> str:
        """Return an address of a network that is kept for examples."""
        number = self._next()
        return self._keep(f"198.{18 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}")

    def ssn(self) -> str:
        """Return a social security number."""
        number = self._next()
        return self._keep(f"{100 + number // 8_000}-{10 + number % 80}-{1_000 + number // 80 % 9_000}")

    def card(self) -> str:
        """Return a card's number, written as on the card."""
        number = f"4{self._next():014d}"
        doubled = [int(digit) * (2 - position % 2) for position, digit in enumerate(number)]
        check = -sum(value - 9 * (value > 9) for value in doubled) % 10
        return self._keep(" ".join((number + str(check))[at : at + 4] for at in range(0, 16, 4)))

    def recognisable(self) -> tuple[Callable[[], str], ...]:
        """Return what makes values that are recognised by what they look like."""
        return (self.email, self.phone, self.ip, self.ssn, self.card)

    def found_in(self, text: str) -> list[str]:
        """Return which values stand in a text: as they are, escaped, percent-encoded, or in hexadecimal."""
        lowered = text.lower()
        return [value for value in self.made if any(form in lowered for form in _forms(value))]

    def _next(self) -> int:
        return next(_NUMBERS)

    def _keep(self, value: str) -> str:
        self.made.append(value)
        return value


def _forms(value: str) -> set[str]:
    escaped = json.dumps(value)[1:-1]
    return {form.lower() for form in (value, escaped, quote(value), value.encode().hex())}


def planted_beside(payload: dict[str, Any], shape: Shape, canaries: Canaries) -> dict[str, Any]:
    """Return a payload with a personal value at every place that its table does not name, old and new."""
    kept = {field.path for field in shape.fields}
    labels = {field.path: field for field in shape.fields if field.kind in _LABELS}
    filled: dict[str, Any] = _filled(payload, "", kept, canaries)
    for path, field in labels.items():
        _add_labels(filled, path.split("."), field, canaries)
    return filled


def planted_upon(
    payload: dict[str, Any], shape: Shape, canaries: Canaries
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield payloads with one recognisable value each, at a place that the table does name."""
    makers = canaries.recognisable()
    for number, field in enumerate(shape.fields):
        for turn in (number, number + 2):
            make = makers[turn % len(makers)]
            for label in list(field.names)[turn % 3 :: 3] if field.kind in _LABELS else (None,):
                changed = deepcopy(payload)
                _put(changed, field.path.split("."), _value(field, label, make()))
                yield f"{field.path}.{label}" if label else field.path, changed


def _filled(value: Any, path: str, kept: set[str], canaries: Canaries) -> Any:
    if isinstance(value, dict):
        filled = {
            key: item if (at := f"{path}.{key}".lstrip(".")) in kept else _filled(item, at, kept, canaries)
            for key, item in value.items()
        }
        return filled | _company(canaries)
    if isinstance(value, list):
        inside = f"{path}[]"
        return [item if inside in kept else _filled(item, inside, kept, canaries) for item in value]
    return canaries.name()


def _company(canaries: Canaries) -> dict[str, Any]:
    """Return what stands beside the fields of an object: known names, unknown ones, values as names."""
    return {
        "customer_email": canaries.email(),
        "buyer": {"fullName": canaries.name(), "ip": canaries.ip(), "tax": [canaries.ssn()]},
        "extra_note": f"ask {canaries.name()} at {canaries.phone()}",
        "extra_nested": [[{"who": canaries.name()}], [canaries.card(), {canaries.name(): {"x": 1}}]],
        "extra_pairs": [{"name": canaries.name(), "value": canaries.email()}],
        canaries.email(): {"inside": canaries.name()},
        canaries.name(): [canaries.name()],
    }


def _add_labels(payload: dict[str, Any], path: list[str], field: Field, canaries: Canaries) -> None:
    unknown = {"gift_for": canaries.name(), "phone": canaries.phone(), canaries.name(): canaries.name()}
    naming = "key" if field.kind == "entries" else "name"
    value: Any = unknown
    if field.kind != "labels":
        value = [{naming: name, "value": item} for name, item in unknown.items()]
    _put(payload, path, value)


def _value(field: Field, label: str | None, canary: str) -> Any:
    if field.kind == "labels":
        return {label: canary}
    if field.kind in _LABELS:
        return [{"key" if field.kind == "entries" else "name": label, "value": canary}]
    return canary


def _put(target: Any, path: list[str], value: Any) -> None:
    """Put a value at a table's path, into the first item where it goes through a list."""
    *parents, last = path
    for name in parents:
        key = name.removesuffix("[]")
        inner = target.get(key)
        if name.endswith("[]"):
            if not (isinstance(inner, list) and inner and isinstance(inner[0], dict)):
                target[key] = [{}]
            target = target[key][0]
        else:
            if not isinstance(inner, dict):
                target[key] = {}
            target = target[key]
    target[last.removesuffix("[]")] = [value] if last.endswith("[]") else value
