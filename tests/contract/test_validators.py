"""Whoever holds an answer is not sent it again: every reading of data takes a validator and gives one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BUNDLES = Path(__file__).parents[2] / "generated" / "bundles"
# What is asked for the moment itself, and files that are made while they are sent: a manifest names those.
WITHOUT = {"auth", "health"}


def readings() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield operationId, operation and document of every GET of data."""
    for file in sorted(BUNDLES.rglob("*.json")):
        document = json.loads(file.read_text("utf-8"))
        for path in document.get("paths", {}).values():
            operation = path.get("get")
            if operation and file.stem not in WITHOUT and not operation.get("x-streamed"):
                yield operation["operationId"], operation, document


def resolved(node: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        node = found
    return node


def test_every_reading_of_data_has_a_validator() -> None:
    """If-None-Match is read, ETag is given with 200, and 304 is an answer, with the same tag."""
    found = list(readings())
    for name, operation, document in found:
        parameters = {resolved(parameter, document)["name"] for parameter in operation["parameters"]}
        assert "If-None-Match" in parameters, name
        for status in ("200", "304"):
            answer = resolved(operation["responses"][status], document)
            assert "ETag" in answer["headers"], (name, status)
    assert found
