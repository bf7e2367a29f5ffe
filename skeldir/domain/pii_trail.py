"""What of a payload was personal and where it stood, in words that are not personal themselves.

It is made of every delivery, so a key is judged once and remembered, and paths are written only of
what was found.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final, TypeAlias

from skeldir.domain.pii import Kind, personal_key, personal_kind, personal_value

Path: TypeAlias = tuple[object, ...]

PLACES_MAX: Final = 50
PATH_LENGTH_MAX: Final = 200
_DEPTH_MAX: Final = 64
_KEY_LENGTH_MAX: Final = 200  # longer ones are no names, and what is judged of them is remembered
_VALUE_LENGTH_MAX: Final = 10_000  # what is longer is withheld anyway; its end is not worth the time
_CONTAINERS: Final = (dict, list)
_LABELS: Final = ("name", "key")
_ITEMS: Final = "[]"
_HIDDEN: Final = "?"
_SEGMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Withheld:
    """A value that stood where values are kept, and was personal."""

    path: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Trail:
    """The places where something personal stood, never the value itself."""

    stripped: Sequence[str] = ()
    """Keys that are personal by their name; all that stood under them was forgotten."""
    withheld: Sequence[Withheld] = ()
    refused: str | None = None
    """What the database's own wall refused, if it had to."""

    def told(self) -> dict[str, object]:
        """Return what there is to tell, by name."""
        withheld = [{"path": place.path, "kind": place.kind} for place in self.withheld]
        told = {"stripped": list(self.stripped), "withheld": withheld, "refused": self.refused}
        return {name: value for name, value in told.items() if value}


NOTHING_PERSONAL: Final = Trail()


class Withholding:
    """Notes, while a payload is cut, what is left out because it is personal."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._found: dict[Withheld, None] = {}

    def note(self, path: str, value: object) -> None:
        """Note the place of a value, if it is personal."""
        kind = personal_kind(str(value)[:_VALUE_LENGTH_MAX]) if isinstance(value, str | int) else None
        if kind is not None and len(self._found) < PLACES_MAX:
            self._found[Withheld(path[:PATH_LENGTH_MAX], kind)] = None

    def places(self) -> tuple[Withheld, ...]:
        """Return each place once, as they were found."""
        return tuple(self._found)


def stripped(payload: object) -> tuple[str, ...]:
    """Return the paths of the keys that are personal and held something, each once."""
    found = _personal(payload, 0)
    return tuple(islice(dict.fromkeys(map(written, found)), PLACES_MAX))


def written(path: Path) -> str:
    """Write a path without its list positions, and without the keys that may say who it is about."""
    return ".".join(_shown(segment) for segment in path).replace(f".{_ITEMS}", _ITEMS)[:PATH_LENGTH_MAX]


def _personal(value: object, depth: int) -> list[Path]:
    """Walk through a payload; what stands under a personal key goes with it. Paths grow on the way back."""
    if depth > _DEPTH_MAX:
        return []
    if isinstance(value, dict):
        return _personal_in(value, depth)
    items = (item for item in value if isinstance(item, _CONTAINERS)) if isinstance(value, list) else ()
    return [(_ITEMS, *path) for item in items for path in _personal(item, depth + 1)]


def _personal_in(value: dict[str, object], depth: int) -> list[Path]:
    found: list[Path] = []
    label = _label(value) if "value" in value else None
    for key, item in value.items():
        if label is None:
            name = key
        elif key in _LABELS:
            continue
        else:
            name = label if key == "value" else key
        name = name[:_KEY_LENGTH_MAX]
        if _is_personal(name):
            if item is not None and item != "":
                found.append((name,))
        elif item and isinstance(item, _CONTAINERS):
            found += [(name, *path) for path in _personal(item, depth + 1)]
    return found


def _label(pair: Mapping[str, object]) -> str | None:
    """Return the name by which the value of a pair goes."""
    label = pair.get("name", pair.get("key"))
    return label if isinstance(label, str) else None


@lru_cache(maxsize=4_096)
def _is_personal(key: str) -> bool:
    return personal_key(key) or personal_value(key)


@lru_cache(maxsize=4_096)
def _shown(segment: object) -> str:
    if segment == _ITEMS:
        return _ITEMS
    may_be_shown = isinstance(segment, str) and _SEGMENT.fullmatch(segment) and not personal_value(segment)
    return str(segment) if may_be_shown else _HIDDEN
