"""Reads and writes JSON documents: what a reference means, and how a document is committed."""

import json
from collections.abc import Mapping
from typing import Any

from codegen.refs import COMPONENT, Json


def to_json(document: object) -> str:
    """Return a document as it is committed: sorted, indented, one newline at the end."""
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def component(document: Mapping[str, Any], ref: str) -> Json:
    """Return what a local reference of a bundle means."""
    match = COMPONENT.fullmatch(ref)
    if match is None:
        raise KeyError(ref)
    return document["components"][match[1]][match[2]]


def resolved(document: Mapping[str, Any], node: Json) -> Json:
    """Follow a node's `$ref`s, keeping their siblings, which overlay what they point at."""
    while isinstance(node, dict) and "$ref" in node:
        siblings = {key: value for key, value in node.items() if key != "$ref"}
        target = component(document, node["$ref"])
        node = {**target, **siblings} if isinstance(target, dict) else target
    return node
