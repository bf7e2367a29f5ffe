"""What changed between two bundles of a contract, said operation by operation."""

from collections.abc import Iterator, Mapping
from typing import Any

from codegen.document import component, resolved
from codegen.operations import METHODS, raw_operations
from codegen.refs import COMPONENT, Json, references

Facets = dict[str, Json]
Document = Mapping[str, Any]


def operation_changes(old: Document, new: Document) -> dict[str, str]:
    """Return what happened to each operation that is not the same any more, by its title."""
    before, after = _operations(old), _operations(new)
    pairs = _paired(before, after)
    lines = {}
    for key in sorted(set(before) - {was for was, _ in pairs}):
        lines[_title(key, before[key])] = "removed"
    for key in sorted(set(after) - {now for _, now in pairs}):
        lines[_title(key, after[key])] = "added"
    for was, now in sorted(pairs):
        found = []
        if was != now:
            found.append(f"was {' '.join(was)}")
        found += facet_changes(_facets(old, before[was]), _facets(new, after[now]), old, new)
        if found:
            lines[_title(now, after[now])] = "; ".join(found)
    return lines


def document_changes(old: Document, new: Document) -> str:
    """Name the parts outside of operations that differ, such as `info`."""
    keys = sorted({*old, *new} - {"paths"})
    changed = [key for key in keys if old.get(key) != new.get(key)]
    return ", ".join(changed)


def facet_changes(was: Facets, now: Facets, old: Document, new: Document) -> list[str]:
    """Return one phrase for each part of an operation that differs, its components included."""
    found = []
    for facet in sorted({*was, *now}):
        if facet not in now:
            found.append(f"{facet} removed")
        elif facet not in was:
            found.append(f"{facet} added")
        elif was[facet] != now[facet]:
            found.append(f"{facet} changed")
        else:
            names = _changed_components(was[facet], old, new)
            if names:
                found.append(f"{facet} changed ({', '.join(names)})")
    return found


def _operations(document: Document) -> dict[tuple[str, str], dict[str, Any]]:
    return {(method, path): operation for method, path, operation in raw_operations(document)}


def _title(key: tuple[str, str], operation: Mapping[str, Any]) -> str:
    return f"{key[0]} {key[1]} ({operation.get('operationId')})"


def _paired(
    before: Mapping[tuple[str, str], Any], after: Mapping[tuple[str, str], Any]
) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Match operations by method and path, and those that moved by their operationId."""
    pairs = [(key, key) for key in before if key in after]
    moved = {after[key].get("operationId"): key for key in after if key not in before}
    for key, operation in before.items():
        target = moved.get(operation.get("operationId"))
        if key not in after and target is not None:
            pairs.append((key, target))
    return pairs


def _facets(document: Document, operation: Mapping[str, Any]) -> Facets:
    """Split an operation into the parts that reports speak of."""
    facets: Facets = {}
    for key, value in operation.items():
        if key == "parameters":
            for entry in value:
                parameter = resolved(document, entry)
                facets[f"{parameter.get('in')} parameter {parameter.get('name')}"] = entry
        elif key == "responses":
            facets |= {f"response {status}": response for status, response in value.items()}
        elif key == "requestBody":
            facets["request body"] = value
        else:
            facets[key] = value
    schemes = document.get("components", {}).get("securitySchemes", {})
    for requirement in operation.get("security", document.get("security", [])):
        facets |= {f"security scheme {name}": schemes.get(name) for name in requirement}
    for key, value in _path_items(document, operation):
        facets[f"path's {key}"] = value
    return facets


def _path_items(document: Document, operation: Mapping[str, Any]) -> Iterator[tuple[str, Json]]:
    """Yield what a path item says of all its operations, such as a summary."""
    for item in document.get("paths", {}).values():
        own = [item[method].get("operationId") for method in METHODS if method in item]
        if operation.get("operationId") in own:
            for key in set(item) - {*METHODS, "parameters"}:
                yield key, item[key]


def _changed_components(node: Json, old: Document, new: Document) -> list[str]:
    """Name the components within reach of a part that are not what they were."""
    names, queue = [], list(references(node))
    seen = set(queue)
    while queue:
        ref = queue.pop()
        was, now = _component(old, ref), _component(new, ref)
        if was != now:
            match = COMPONENT.fullmatch(ref)
            names.append(f"{match[1].removesuffix('s')} {match[2]}" if match else ref)
        for part in (was, now):
            fresh = set(references(part)) - seen
            seen |= fresh
            queue += sorted(fresh)
    return sorted(names)


def _component(document: Document, ref: str) -> Json:
    try:
        return component(document, ref)
    except KeyError:
        return None
