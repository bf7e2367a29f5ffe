"""The generators whose output is committed, pinned so that every machine writes the same bytes."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from codegen.findings import ContractError, Finding

PINNED = {"datamodel-code-generator": "0.89.0", "prance": "26.7.19.0"}


def header(source: str) -> str:
    """Return the first two lines of a generated Python file."""
    generators = ", ".join(f"{name} {pin}" for name, pin in PINNED.items())
    return (
        f"# @generated from {source} by codegen. Do not edit; run: tox run -e codegen\n"
        f"# Generators: {generators}."
    )


@cache
def require_pins() -> None:
    """Refuse to run with another generator than the pinned one.

    Raises ContractError naming each distribution that differs.
    """
    findings = []
    for name, pin in PINNED.items():
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "not installed"
        if installed != pin:
            message = f"{installed}, but {pin} is pinned; run: tox run -e codegen"
            findings.append(Finding("codegen", name, "generator-version", message))
    if findings:
        raise ContractError(findings)
