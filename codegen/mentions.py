"""Finds which tests name which operation, by reading their text; nothing is imported."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from codegen.operations import Operation

DEFINITION = re.compile(r"^(?P<indent> *)(?:async )?(?P<kind>def|class) (?P<name>\w+)", re.MULTILINE)
PATH = re.compile(r"""["'](/[^"'?\s]+)["'?]""")


class Block(NamedTuple):
    """Where a function begins, its decorators included, and its test's id (None: a helper)."""

    start: int
    test: str | None


def mentions(root: Path, operations: Iterable[Operation]) -> dict[str, list[str]]:
    """Return operationId -> the tests whose text has its name, its handler's name or its path."""
    known = list(operations)
    words = {word: operation.id for operation in known for word in _words(operation)}
    longest_first = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    naming = re.compile(rf"(?<!\w)(?:{longest_first})(?!\w)" if words else r"(?!)")
    templates = [(operation.id, _template(operation.path)) for operation in known]

    @cache
    def at_path(path: str) -> list[str]:
        return [found for found, template in templates if template.fullmatch(path)]

    found: dict[str, set[str]] = {operation.id: set() for operation in known}
    for file in sorted((root / "tests").rglob("*.py")):
        text = file.read_text("utf-8")
        hits = [(match.start(), words[match[0]]) for match in naming.finditer(text)]
        hits += [(match.start(), name) for match in PATH.finditer(text) for name in at_path(match[1])]
        if hits:
            blocks = list(_blocks(file.relative_to(root).as_posix(), text))
            starts = [block.start for block in blocks]
            for start, name in hits:
                index = bisect_right(starts, start) - 1
                test = blocks[index].test if index >= 0 else None
                found[name] |= {test} if test else set()
    return {name: sorted(tests) for name, tests in found.items()}


def _words(operation: Operation) -> list[str]:
    """Return what counts as a name; where it is a plain word such as `login`, only with its module."""
    module = operation.contract.rpartition("/")[2].replace("-", "_")
    plain = [] if operation.id == operation.name else [operation.id, operation.name]
    return [f"{module}.{operation.name}", *plain]


def _template(path: str) -> re.Pattern[str]:
    """Return what matches a path with its parameters filled in, by an f-string too."""
    return re.compile("[^/]+".join(map(re.escape, re.split(r"\{\w+\}", path))))


def _blocks(file: str, text: str) -> Iterator[Block]:
    owner, last = "", 0
    for match in DEFINITION.finditer(text):
        is_top = not match["indent"]
        start = max(text.rfind("\n\n", 0, match.start()), last)  # decorators follow an empty line
        last = match.end()
        if match["kind"] == "class":
            owner = f"{match['name']}::" if is_top else owner
            yield Block(start, None)
            continue
        owner = "" if is_top else owner
        if match["name"].startswith("test_"):
            yield Block(start, f"{file}::{owner}{match['name']}")
        elif is_top:
            yield Block(start, None)
