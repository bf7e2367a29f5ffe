"""Walks every schema that a contract itself writes, knowing whose it is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from codegen.operations import METHODS
from codegen.refs import NAME_MAPS, Json, is_data

ONE = (
    *("items", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "contains"),
    *("propertyNames", "not", "if", "then", "else"),
)
MANY = ("prefixItems", "allOf", "anyOf", "oneOf")
NAMED = ("properties", "patternProperties", "$defs", "dependentSchemas")
# Below these a schema judges an object that another schema judges too, so it need not be closed.
PARTIAL = frozenset({"allOf", "not", "if", "then", "else", "dependentSchemas", "contains"})


@dataclass(frozen=True)
class Site:
    """One schema: the operation or component it stands in, the way to it, and what it describes."""

    owner: str
    way: str
    schema: dict[str, Any]
    name: str = ""
    is_header: bool = False
    is_partial: bool = False

    @property
    def where(self) -> str:
        """Return how a finding names the place."""
        return f"{self.owner} at {self.way}" if self.way else self.owner


def owners(document: dict[str, Any], own: dict[str, Any]) -> Iterator[tuple[str, Json, bool]]:
    """Yield each operation and each component that the contract itself writes.

    `own` is the contract as written: the bundle also holds what others wrote. The flag tells
    whether the part is a schema.
    """
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                yield f"operation {item[method].get('operationId', f'{method} {path}')}", item[method], False
        yield f"path {path}", {"parameters": item.get("parameters", [])}, False
    for section, components in own.get("components", {}).items():
        for name in components:
            part = document["components"][section][name]
            yield f"component {section}/{name}", part, section == "schemas"


def roots(document: dict[str, Any], own: dict[str, Any]) -> Iterator[Site]:
    """Yield every schema that the contract writes and that is no part of another."""
    for owner, part, is_schema in owners(document, own):
        if is_schema:
            yield Site(owner, "", part)
        else:
            yield from _below(part, Site(owner, "", {}, is_header="headers/" in owner))


def _below(node: Json, at: Site, *, names: bool = False) -> Iterator[Site]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _below(item, replace(at, way=f"{at.way}/{index}".lstrip("/")))
    if not isinstance(node, dict):
        return
    here = replace(at, name=node["name"]) if not names and isinstance(node.get("name"), str) else at
    for key, value in node.items():
        there = replace(here, way=f"{at.way}/{key}".lstrip("/"))
        if not names and is_data(key, value):
            continue
        if not names and key == "schema":
            yield replace(there, schema=value)
        else:
            is_header = there.is_header or (not names and key == "headers")
            is_map = not names and key in NAME_MAPS
            yield from _below(value, replace(there, is_header=is_header), names=is_map)


def parts(site: Site) -> Iterator[Site]:
    """Yield a schema and every schema in it; vendor shapes and what they hold are left out."""
    schema = site.schema
    if not isinstance(schema, dict) or schema.get("x-vendor-shape"):
        return
    yield site
    for keyword, index, name, part in _parts(schema):
        way = "/".join(filter(None, (site.way, keyword, index)))
        yield from parts(
            replace(
                site,
                way=way,
                schema=part,
                name=name if keyword == "properties" else site.name,
                is_partial=keyword in PARTIAL,
            )
        )


def _parts(schema: dict[str, Any]) -> Iterator[tuple[str, str, str, Json]]:
    """Yield each subschema: its keyword, its place under it, the property it describes."""
    for keyword in ONE:
        if keyword in schema:
            yield keyword, "", "", schema[keyword]
    for keyword in MANY:
        for index, part in enumerate(schema.get(keyword, ())):
            yield keyword, str(index), "", part
    for keyword in NAMED:
        for name, part in schema.get(keyword, {}).items():
            yield keyword, name, name, part
