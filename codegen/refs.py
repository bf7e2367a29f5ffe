"""Finding and rewriting `$ref`s without mistaking names or data for keywords."""

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

# The keys of these objects are names (of a property, a status, a media type), never keywords.
NAME_MAPS = frozenset(
    {
        "$defs",
        "callbacks",
        "content",
        "dependentSchemas",
        "encoding",
        "examples",
        "headers",
        "links",
        "parameters",
        "pathItems",
        "paths",
        "patternProperties",
        "properties",
        "requestBodies",
        "responses",
        "schemas",
        "scopes",
        "securitySchemes",
        "variables",
        "webhooks",
    }
)
# What stands under these keys is data; a "$ref" in it means nothing.
DATA = frozenset({"example", "default", "const", "enum", "value"})

Json: TypeAlias = Any  # whatever a document holds; each reader says what it expects

COMPONENT = re.compile(r"#/components/([A-Za-z]+)/([A-Za-z0-9._-]+)")


class Target(NamedTuple):
    """A named component of one contract."""

    contract: str
    section: str
    name: str

    @property
    def local(self) -> str:
        """The reference to it from within its own file."""
        return f"#/components/{self.section}/{self.name}"


def is_data(key: str, value: object) -> bool:
    """Tell whether what stands under a key is data rather than a part of the contract."""
    return key in DATA or key.startswith("x-") or (key == "examples" and isinstance(value, list))


def rewrite(node: Json, change: Callable[[str], str], *, names: bool = False) -> Json:
    """Return a copy of a document whose references are changed; siblings of `$ref` are kept."""
    if isinstance(node, list):
        return [rewrite(item, change) for item in node]
    if not isinstance(node, dict):
        return node
    if names:
        return {key: rewrite(value, change) for key, value in node.items()}
    return {key: _rewrite_keyword(key, value, change) for key, value in node.items()}


def _rewrite_keyword(key: str, value: Json, change: Callable[[str], str]) -> Json:
    if is_data(key, value):
        return value
    if key == "$ref" and isinstance(value, str):
        return change(value)
    if key == "mapping" and isinstance(value, dict):  # of a discriminator
        return {name: change(to) if "#" in to else to for name, to in value.items()}
    return rewrite(value, change, names=key in NAME_MAPS and isinstance(value, dict))


def references(node: Json) -> Iterator[str]:
    """Yield every reference of a document, in document order."""
    found: list[str] = []

    def note(ref: str) -> str:
        found.append(ref)
        return ref

    rewrite(node, note)
    yield from found


def target_of(contract: str, ref: str) -> Target | None:
    """Return what a reference written in `contract` means, or None when it names no component."""
    path, _, fragment = ref.partition("#")
    component = COMPONENT.fullmatch(f"#{fragment}")
    if component is None or "://" in path:
        return None
    if not path:
        return Target(contract, *component.groups())
    file = posixpath.normpath(posixpath.join(posixpath.dirname(contract), path))
    if file.startswith("..") or not file.endswith(".yaml"):
        return None
    return Target(file.removesuffix(".yaml"), *component.groups())
