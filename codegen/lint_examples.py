"""Rules of examples: every JSON body shows one, and each one is what its schema says."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from codegen.document import resolved
from codegen.lint_schemas import Fault
from codegen.lint_sites import owners
from codegen.operations import is_json, raw_operations
from codegen.refs import Json


def example_faults(document: dict[str, Any], own: dict[str, Any]) -> Iterator[Fault]:
    """Yield the examples that are missing or wrong."""
    for method, path, operation in raw_operations(document):
        where = f"operation {operation.get('operationId', f'{method} {path}')}"
        for rule, message in _operation_faults(document, operation):
            yield where, rule, message
    for owner, part, _ in owners(document, own):
        if owner.startswith("component responses/"):
            for media in resolved(document, part).get("content", {}).values():
                for rule, message in _wrong(document, media):
                    yield owner, rule, message


def _operation_faults(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for what, entry in _bodies(operation):
        for media_type, media in resolved(document, entry).get("content", {}).items():
            if is_json(media_type) and not list(examples(document, media)):
                yield "example-missing", f"show {what} with an example beside its schema"
            for rule, message in _wrong(document, media):
                yield rule, f"{what}: {message}"
    for entry in operation["parameters"]:
        parameter = resolved(document, entry)
        for rule, message in _wrong(document, parameter):
            yield rule, f"the parameter {parameter.get('name')}: {message}"


def _bodies(operation: dict[str, Any]) -> Iterator[tuple[str, Json]]:
    """Yield what must show an example: the request's body and those of successes."""
    if "requestBody" in operation:
        yield "the request body", operation["requestBody"]
    for status, response in operation.get("responses", {}).items():
        if status.startswith("2"):
            yield f"the {status} response", response


def examples(document: dict[str, Any], media: dict[str, Any]) -> Iterator[Json]:
    """Yield the examples that stand beside a schema."""
    if "example" in media:
        yield media["example"]
    for entry in media.get("examples", {}).values():
        example = resolved(document, entry)
        if "value" in example:
            yield example["value"]


def _wrong(document: dict[str, Any], media: dict[str, Any]) -> Iterator[tuple[str, str]]:
    found = list(examples(document, media))
    if not found or "schema" not in media:
        return
    try:
        judge = validator(document, media["schema"])
    except ValueError as reason:
        yield "schema", f"the schema cannot be used: {' '.join(str(reason).split())[:300]}"
        return
    for example in found:
        error = next(judge.iter_errors(example), None)
        if error is not None:
            at = ".".join(map(str, error.instance_path)) or "its top"
            yield "example-invalid", f"correct the example at {at}: {error.message[:300]}"


def validator(document: dict[str, Any], schema: Json) -> jsonschema_rs.Draft202012Validator:
    """Compile a schema of a bundle, formats enforced as at run time."""
    root = {"$ref": "#/$defs/it", "$defs": {"it": schema}, "components": document.get("components", {})}
    return jsonschema_rs.Draft202012Validator(root, validate_formats=True)
