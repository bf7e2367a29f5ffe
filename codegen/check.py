"""Judges one contract: can it be bundled, is it OpenAPI, does it keep this project's rules."""

from collections.abc import Mapping

from codegen.bundle import bundle, to_json
from codegen.findings import ContractError, Finding
from codegen.sources import Source
from codegen.validate import validate


def check(source: Source, sources: Mapping[str, Source]) -> tuple[str, list[Finding]]:
    """Return the bundle's text, and everything that is wrong with the contract."""
    try:
        document = bundle(source, sources)
    except ContractError as error:
        return "", error.findings
    findings = validate(source.name, {"paths": {}, **document})
    return to_json(document), findings
