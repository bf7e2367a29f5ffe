"""Traces each operation to its route, its handler's line, its models, and the tests that name it."""

import ast
from collections.abc import Sequence
from pathlib import Path

from codegen.document import to_json
from codegen.mentions import mentions
from codegen.operations import Contract, Model, Operation


def trace(root: Path, contracts: Sequence[Contract]) -> str:
    """Return trace.json; handlers and tests are read, never imported."""
    tests = mentions(root, (operation for contract in contracts for operation in contract.operations))
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
                "tests": tests[operation.id],
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
