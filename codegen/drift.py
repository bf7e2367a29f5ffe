"""Says how generated/ differs from what the contracts produce: operations first, then the diff."""

import difflib
import json
from collections.abc import Iterator
from typing import Any

from codegen.build import Build
from codegen.changes import document_changes, operation_changes
from codegen.manifest import NAME

CONTRACTS = "api-contracts/openapi/v1"


def report(found: Build) -> str:
    """Return the report of `--check`: a line for each drifted operation or file, then the diff."""
    lines = list(summary(found))
    return "\n".join([*lines, "", *unified_diff(found), ""])


def summary(found: Build) -> list[str]:
    """Return what drifted: operations, then contracts, then what is no contract's doing."""
    edited = [path for path in found.before.files if path in found.tree and not _vouched(found, path)]
    lines = list(_operations(found, set(edited)))
    lines += _contracts(found, has_operations=bool(lines))
    lines += _tool(found)
    lines += [f"generated/{path}: edited by hand" for path in sorted(edited)]
    if not found.before.is_sound:
        lines.append(f"generated/{NAME}: edited by hand")
    lines += _files(found, set(edited), is_explained=bool(lines))
    return lines


def _vouched(found: Build, path: str) -> bool:
    return found.before.vouches(found.tree, path)


def _operations(found: Build, edited: set[str]) -> Iterator[str]:
    """Yield `METHOD path (operationId): what changed` for what the contracts themselves changed."""
    lines: dict[str, list[str]] = {}
    bundles = {path for path in {*found.tree, *found.files} if path.startswith("bundles/")}
    for path in sorted(bundles):
        if path not in edited and found.tree.get(path) != found.files.get(path) and _is_known(found, path):
            old, new = _json(found.tree.get(path)), _json(found.files.get(path))
            for title, what in operation_changes(old, new).items():
                lines.setdefault(title, []).append(what)
    if "trace.json" not in edited:
        for title, what in _trace_changes(found):
            lines.setdefault(title, lines.get(title) or [what])
    for title in sorted(lines):
        yield f"{title}: {'; '.join(lines[title])}"


def _is_known(found: Build, path: str) -> bool:
    """Tell whether a missing file is a contract's doing, not somebody's who deleted it."""
    if path in found.tree and path in found.files:
        return True
    contract = path.removeprefix("bundles/").removesuffix(".json")
    return (contract in found.before.contracts) != (contract in found.now.contracts)


def _json(text: str | None) -> dict[str, Any]:
    try:
        document = json.loads(text or "{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _trace_changes(found: Build) -> Iterator[tuple[str, str]]:
    """Yield the operations whose handler moved or whose tests are other ones."""
    try:
        before = {entry["operation_id"]: entry for entry in json.loads(found.tree.get("trace.json", "[]"))}
    except (ValueError, TypeError, KeyError):
        return
    for entry in json.loads(found.files["trace.json"]):
        was = before.get(entry["operation_id"])
        if was and was != entry:
            parts = [key for key in ("handler", "tests") if was.get(key) != entry[key]]
            if parts:
                title = f"{entry['method']} {entry['path']} ({entry['operation_id']})"
                yield title, f"trace of {' and '.join(parts)} changed"


def _contracts(found: Build, *, has_operations: bool) -> Iterator[str]:
    """Yield the contracts whose change no operation shows, such as `info` or the order of fields."""
    for name in sorted({*found.before.contracts, *found.now.contracts}):
        was = found.before.contracts.get(name, {}).get("source")
        now = found.now.contracts.get(name, {}).get("source")
        if was == now or not found.before.contracts:
            continue
        path = f"bundles/{name}.json"
        old, new = _json(found.tree.get(path)), _json(found.files.get(path))
        if not operation_changes(old, new) and not (name.startswith("_") and has_operations):
            what = "added" if was is None else "removed" if now is None else "changed"
            parts = document_changes(old, new) if was and now else ""
            yield f"{CONTRACTS}/{name}.yaml: {parts + ' ' if parts else ''}{what}"


def _tool(found: Build) -> Iterator[str]:
    """Yield the templates and the sources of codegen that are not what they were."""
    if not found.before.tool:
        return
    for path in sorted({*found.before.tool, *found.now.tool}):
        if found.before.tool.get(path) != found.now.tool.get(path):
            yield f"{path}: changed since generated/ was written"


def _files(found: Build, edited: set[str], *, is_explained: bool) -> Iterator[str]:
    """Yield files that are missing, superfluous, or out of date for no reason given so far."""
    for path in sorted({*found.tree, *found.files} - edited):
        if path not in found.tree:
            if path in found.before.files or not is_explained:
                yield f"generated/{path}: missing"
        elif path not in found.files:
            if path not in found.before.files or not is_explained:
                yield f"generated/{path}: nothing produces it"
        elif found.tree[path] != found.files[path] and not is_explained:
            yield f"generated/{path}: out of date"


def unified_diff(found: Build) -> Iterator[str]:
    """Yield the difference between the tree and what it should be, file by file."""
    for path in sorted({*found.tree, *found.files}):
        old, new = found.tree.get(path, ""), found.files.get(path, "")
        if old != new:
            yield from (
                line.rstrip("\n")
                for line in difflib.unified_diff(
                    old.splitlines(keepends=True),
                    new.splitlines(keepends=True),
                    f"committed/generated/{path}",
                    f"produced/generated/{path}",
                )
            )
