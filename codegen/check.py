"""Judges one contract: can it be bundled, is it OpenAPI, does it keep this project's rules."""

from collections.abc import Iterator, Mapping
from typing import Any

from codegen.bundle import bundle
from codegen.document import to_json
from codegen.findings import ContractError, Finding
from codegen.lint_examples import example_faults
from codegen.lint_operations import operation_faults
from codegen.lint_schemas import Fault, schema_faults
from codegen.sources import Source
from codegen.validate import validate


def check(source: Source, sources: Mapping[str, Source]) -> tuple[str, list[Finding]]:
    """Return the bundle's text, and everything that is wrong with the contract."""
    try:
        document = bundle(source, sources)
    except ContractError as error:
        return "", error.findings
    findings = validate(source.name, {"paths": {}, **document})
    if not findings:  # the rules below read a document that is OpenAPI at all
        findings = [Finding(source.name, *fault) for fault in lint(document, source.document)]
    return to_json(document), findings


def lint(document: dict[str, Any], own: dict[str, Any]) -> Iterator[Fault]:
    """Yield what breaks this project's rules in a bundle; `own` is the contract as written."""
    yield from operation_faults(document)
    yield from schema_faults(document, own)
    yield from example_faults(document, own)
