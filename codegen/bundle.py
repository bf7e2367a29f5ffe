"""Makes one self-contained document of a contract and the components that it refers to."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from prance import BaseParser

from codegen.findings import ContractError, Finding
from codegen.refs import Json, Target, rewrite, target_of
from codegen.sources import Source


class HoistingParser(BaseParser):  # type: ignore[misc]
    """A parser whose specification holds every external component under its own name.

    Prance's own resolvers inline or rename what they find. Hoisting keeps names, the siblings of
    `$ref` and recursion, and refuses two different components of one name.
    """

    def __init__(self, source: Source, sources: Mapping[str, Source]) -> None:
        """Prepare to bundle one of the sources."""
        self.source = source
        self.sources = sources
        self.findings: list[Finding] = []
        self.needed: deque[Target] = deque()
        super().__init__(url=f"file:///{source.path}", lazy=True)

    def parse(self) -> None:
        """Hoist; what the result is worth is judged by the steps that follow.

        Raises ContractError naming each reference that cannot be hoisted.
        """
        self.specification = self._rewritten(self.source.name, self.source.document)
        sections: dict[str, dict[str, Any]] = self.specification.setdefault("components", {})
        origins: dict[tuple[str, str], str] = {}
        for section, components in sections.items():
            for name in components:
                origins[section, name] = self._origin_of_alias(section, name)
        for (section, name), origin in origins.items():
            if origin != self.source.name:
                sections[section][name] = self._content(Target(origin, section, name))
        while self.needed:
            self._place(self.needed.popleft(), sections, origins)
        if self.findings:
            raise ContractError(self.findings)

    def _origin_of_alias(self, section: str, name: str) -> str:
        """Return the contract whose component a mere `name: {$ref: …/name}` stands for."""
        component = self.source.document["components"][section][name]
        if isinstance(component, dict) and set(component) == {"$ref"}:
            target = target_of(self.source.name, component["$ref"])
            if target and target[1:] == (section, name) and self._exists(target):
                return target.contract
        return self.source.name

    def _place(
        self,
        target: Target,
        sections: dict[str, dict[str, Any]],
        origins: dict[tuple[str, str], str],
    ) -> None:
        key = target.section, target.name
        origin = origins.get(key)
        if origin == target.contract:
            return
        content = self._content(target)
        if origin is None:
            sections.setdefault(target.section, {})[target.name] = content
            origins[key] = target.contract
        elif sections[target.section][target.name] != content:
            self._find(
                f"component {target.section}/{target.name}",
                "name-clash",
                f"{origin}.yaml and {target.contract}.yaml define it differently; rename one",
            )

    def _content(self, target: Target) -> Json:
        document = self.sources[target.contract].document
        return self._rewritten(target.contract, document["components"][target.section][target.name])

    def _rewritten(self, contract: str, node: Json) -> Json:
        return rewrite(node, lambda ref: self._hoist(contract, ref))

    def _hoist(self, contract: str, ref: str) -> str:
        """Return the local form of a reference, and note that its target is needed."""
        target = target_of(contract, ref)
        where = f"reference {ref!r} in {contract}.yaml"
        if target is None:
            message = "point it at '#/components/<section>/<Name>', of another file if need be"
            self._find(where, "ref-form", message)
            return ref
        if not self._exists(target):
            self._find(where, "ref-missing", "there is no such component; add it or correct the name")
            return ref
        if target.contract != self.source.name:
            self.needed.append(target)
        return target.local

    def _exists(self, target: Target) -> bool:
        source = self.sources.get(target.contract)
        components = source.document.get("components", {}) if source else {}
        return target.name in components.get(target.section, {})

    def _find(self, where: str, rule: str, message: str) -> None:
        self.findings.append(Finding(self.source.name, where, rule, message))


def bundle(source: Source, sources: Mapping[str, Source]) -> dict[str, Any]:
    """Return the self-contained document of a contract.

    Raises ContractError naming each reference that cannot be hoisted.
    """
    parser = HoistingParser(source, sources)
    parser.parse()
    specification: dict[str, Any] = parser.specification
    return specification
