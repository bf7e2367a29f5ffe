"""From the contracts to the text of every generated file, doing again only what must be."""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from typing import Any

from codegen.findings import ContractError, Finding
from codegen.layout import Layout
from codegen.manifest import NAME, Manifest, read_tree, text_digest, tool_digests
from codegen.models import module_path, render_models, stage
from codegen.operations import Contract, Reader
from codegen.sources import Source, dependencies, digest, load_sources
from codegen.trace import trace
from codegen.versions import PINNED, require_pins

CLASS = re.compile(r"^class (\w+)\(", re.MULTILINE)


@dataclass
class Build:
    """What generated/ should hold, beside what it holds."""

    files: dict[str, str]
    tree: dict[str, str]
    before: Manifest
    now: Manifest
    made: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether the tree is exactly what the contracts produce."""
        return self.files == self.tree


@dataclass
class _Unit:
    """One contract on its way; the digests are those of all that its files depend on."""

    source: Source
    others: list[Source]
    inputs: dict[str, str]
    bundle_text: str | None = None
    models_text: str | None = None
    document: dict[str, Any] | None = None

    @property
    def bundle_path(self) -> str:
        return f"bundles/{self.source.name}.json"

    @property
    def models_path(self) -> str:
        return f"models/{module_path(self.source.name)}.py"


def build(layout: Layout, *, parallel: bool = False, fresh: bool = False) -> Build:
    """Return everything that generated/ should hold; nothing is written.

    `parallel` makes models in a second process; `fresh` trusts nothing of the tree.
    Raises ContractError naming every contract, operation or component at fault.
    """
    require_pins()
    sources = load_sources(layout)
    tree = read_tree(layout.generated)
    before = Manifest.read(tree)
    tool = tool_digests(layout)
    units = [_unit(source, sources, tool) for source in sources.values()]
    if not fresh:
        for unit in units:
            _reuse(unit, tree, before)
    made = [u.source.name for u in units if u.bundle_text is None or u.models_text is None]
    _make(units, sources, parallel=parallel)
    from codegen.render import Renderer  # noqa: PLC0415  see _make

    contracts = _read(units)
    files = {unit.models_path: unit.models_text or "" for unit in units}
    files |= {u.bundle_path: u.bundle_text or "" for u in units if not u.source.is_components_only}
    files |= Renderer(layout.templates).files(contracts)
    files["trace.json"] = trace(layout.root, contracts)
    now = Manifest(
        tool=tool,
        contracts={unit.source.name: unit.inputs for unit in units},
        files={path: text_digest(text) for path, text in files.items()},
    )
    files[NAME] = now.text()
    return Build(files, tree, before, now, made)


def _unit(source: Source, sources: dict[str, Source], tool: dict[str, str]) -> _Unit:
    others = dependencies(source, sources)
    program = {path: mark for path, mark in tool.items() if path.endswith(".py")}
    parts = [source, *others]
    inputs = {
        "source": digest(source.document),
        "bundle": digest(program, PINNED, [(part.name, part.document) for part in parts]),
        "models": digest(program, PINNED, stage(source, others)),
    }
    return _Unit(source, others, inputs)


def _reuse(unit: _Unit, tree: dict[str, str], before: Manifest) -> None:
    """Take from the tree what was made from the same and has not been touched since."""
    known = before.contracts.get(unit.source.name, {})
    if known.get("models") == unit.inputs["models"] and before.vouches(tree, unit.models_path):
        unit.models_text = tree[unit.models_path]
    if known.get("bundle") == unit.inputs["bundle"]:
        if unit.source.is_components_only:
            unit.bundle_text = ""
        elif before.vouches(tree, unit.bundle_path):
            unit.bundle_text = tree[unit.bundle_path]


def _make(units: list[_Unit], sources: dict[str, Source], *, parallel: bool) -> None:
    """Make what could not be reused; models in one process, all the rest in this one."""
    stale = [unit for unit in units if unit.models_text is None]
    jobs = [(unit.source, unit.others) for unit in stale]
    unchecked = [unit for unit in units if unit.bundle_text is None]
    findings: list[Finding] = []
    other = _second_process() if parallel and jobs and unchecked else None
    with other or nullcontext():
        models = other.submit(models_of, jobs).result if other else partial(models_of, jobs)
        if unchecked:
            from codegen.check import check  # noqa: PLC0415  imports what a clean check never needs

            for unit in unchecked:
                unit.bundle_text, found = check(unit.source, sources)
                findings += found
        import_module("codegen.render")  # uses the time in which the other process makes models
        for unit, made in zip(stale, models(), strict=True):
            if isinstance(made, str):
                unit.models_text = made
            else:
                findings += made
    if findings:
        raise ContractError(findings)


def models_of(jobs: Iterable[tuple[Source, list[Source]]]) -> list[str | list[Finding]]:
    """Return each contract's models, or what is wrong with it."""
    made: list[str | list[Finding]] = []
    for source, others in jobs:
        try:
            made.append(render_models(source, others))
        except ContractError as error:
            made.append(error.findings)
    return made


def _second_process() -> ProcessPoolExecutor:
    method = "fork" if sys.platform == "linux" else "spawn"
    return ProcessPoolExecutor(1, mp_context=get_context(method))


def _read(units: list[_Unit]) -> list[Contract]:
    """Return the operations of every contract; what only shows across contracts is checked here."""
    classes = {u.source.name: CLASS.findall(u.models_text or "") for u in units}
    contracts, findings = [], []
    for unit in units:
        if unit.source.is_components_only:
            continue
        modules = {
            name: module_path(part.name).replace("/", ".")
            for part in (*unit.others, unit.source)
            for name in classes[part.name]
        }
        try:
            reader = Reader(unit.source.name, json.loads(unit.bundle_text or ""), modules)
            contracts.append(reader.read())
        except ContractError as error:
            findings += error.findings
    findings += _repeated(contracts)
    if findings:
        raise ContractError(findings)
    return contracts


def _repeated(contracts: list[Contract]) -> list[Finding]:
    operations = [operation for contract in contracts for operation in contract.operations]
    counts = Counter(operation.id for operation in operations)
    message = "the operationId is used more than once; each is unique over all contracts"
    return [
        Finding(operation.contract, f"operation {operation.title}", "operation-id-unique", message)
        for operation in operations
        if counts[operation.id] > 1
    ]
