"""Traces each operation to its route, its handler's line, its models, and the tests that name it."""

import ast
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.document import to_json
from codegen.operations import Contract, Model, Operation

DEFINITION = re.compile(r"^(?P<indent> *)(?:async )?(?P<kind>def|class) (?P<name>\w+)", re.MULTILINE)


def trace(root: Path, contracts: Sequence[Contract]) -> str:
    """Return trace.json; handlers and tests are read, never imported."""
    tests = _Tests(root, [operation for contract in contracts for operation in contract.operations])
    entries = []
    for contract in contracts:
        lines = handler_lines(root / handler_file(contract))
        entries += [
            {
                "operation_id": operation.id,
                "contract": contract.name,
                "method": operation.method,
                "path": operation.path,
                "route": f"generated.routes.{contract.module}.{operation.name}",
                "handler": _handler(contract, operation, lines),
                "request": _model(operation.body),
                "responses": {str(r.status): _model(r.model) for r in operation.responses},
                "tests": tests.naming(operation),
            }
            for operation in contract.operations
        ]
    return to_json(sorted(entries, key=lambda entry: str(entry["operation_id"])))


def handler_file(contract: Contract) -> str:
    """Return where a contract's handlers are."""
    return f"handlers/{contract.module.replace('.', '/')}.py"


def handler_lines(path: Path) -> dict[str, int]:
    """Return name -> line of a module's functions; empty when there is no such module."""
    if not path.is_file():
        return {}
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    try:
        module = ast.parse(path.read_text("utf-8"))
    except SyntaxError:
        return {}
    return {node.name: node.lineno for node in module.body if isinstance(node, functions)}


def _handler(contract: Contract, operation: Operation, lines: dict[str, int]) -> dict[str, object] | None:
    if operation.name not in lines:
        return None
    return {"file": handler_file(contract), "function": operation.name, "line": lines[operation.name]}


def _model(body: Model | str | None) -> str | None:
    return body.path if isinstance(body, Model) else body


@dataclass(frozen=True)
class _Block:
    start: int
    test: str | None


class _Tests:
    """Which test function's text names which operation."""

    def __init__(self, root: Path, operations: Iterable[Operation]) -> None:
        self.found: dict[str, set[str]] = {}
        words = {word: operation.id for operation in operations for word in _words(operation)}
        if not words:
            return
        longest_first = sorted(words, key=len, reverse=True)
        pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
        for path in sorted((root / "tests").rglob("*.py")):
            text = path.read_text("utf-8")
            matches = list(pattern.finditer(text))
            if matches:
                blocks = _blocks(path.relative_to(root).as_posix(), text)
                starts = [block.start for block in blocks]
                for match in matches:
                    index = bisect_right(starts, match.start()) - 1
                    test = blocks[index].test if index >= 0 else None
                    if test:
                        self.found.setdefault(words[match[0]], set()).add(test)

    def naming(self, operation: Operation) -> list[str]:
        return sorted(self.found.get(operation.id, ()))


def _words(operation: Operation) -> list[str]:
    """Return what counts as naming an operation; a plain word such as `login` needs more than itself."""
    module = operation.contract.rpartition("/")[2].replace("-", "_")
    words = [f'"{operation.id}"', f"{module}.{operation.name}"]
    if operation.id != operation.name:
        words += [operation.id, operation.name]
    return words


def _blocks(file: str, text: str) -> list[_Block]:
    """Return where each function begins, with its test's id (None: a helper)."""
    blocks, owner = [], ""
    for match in DEFINITION.finditer(text):
        is_top = not match["indent"]
        if match["kind"] == "class":
            owner = f"{match['name']}::" if is_top else owner
            blocks.append(_Block(match.start(), None))
            continue
        owner = "" if is_top else owner
        if match["name"].startswith("test_"):
            blocks.append(_Block(match.start(), f"{file}::{owner}{match['name']}"))
        elif is_top:
            blocks.append(_Block(match.start(), None))
    return blocks
