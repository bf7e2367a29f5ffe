"""Reads the contracts: strict YAML, in which nothing is guessed and no key is given twice."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from codegen.findings import ContractError, Finding
from codegen.layout import Layout
from codegen.refs import Json, references, target_of

SHARED = "_common/schemas"


@dataclass(frozen=True)
class Source:
    """One contract as it is written."""

    name: str
    document: dict[str, Any]

    @property
    def path(self) -> str:
        """Where it lies, as the generated headers say it."""
        return f"api-contracts/openapi/v1/{self.name}.yaml"

    @property
    def is_components_only(self) -> bool:
        """Whether it exists only for others to refer to."""
        return self.name.startswith("_")


class _Loader(yaml.CSafeLoader):
    """YAML 1.2's core types only: `no` is a word, `12:30` is a word, a date is a word."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?$"),
    list("-+0123456789"),
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^<<$"), ["<"])


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        name = loader.construct_object(key)
        line = key.start_mark.line + 1
        if not isinstance(name, str):
            message = f"line {line}: the key {name!r} is not a string; quote it"
            raise yaml.YAMLError(message)
        if name in seen:
            message = f"line {line}: the key {name!r} is given twice; remove one"
            raise yaml.YAMLError(message)
        seen.add(name)
    loader.flatten_mapping(node)
    return {
        loader.construct_object(key, deep=True): loader.construct_object(value, deep=True)
        for key, value in node.value
    }


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)


def parse(text: str) -> Json:
    """Read one YAML document; raises yaml.YAMLError."""
    return yaml.load(text, _Loader)  # noqa: S506  a safe loader


def load_sources(layout: Layout) -> dict[str, Source]:
    """Read every contract below the root, by name.

    Raises ContractError naming each file that is not an OpenAPI document.
    """
    sources, findings = {}, []
    for path in sorted(layout.contracts.rglob("*.yaml")):
        name = path.relative_to(layout.contracts).with_suffix("").as_posix()
        try:
            document = parse(path.read_text("utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            findings.append(Finding(name, "file", "yaml", " ".join(str(error).split())))
            continue
        if not isinstance(document, dict) or not str(document.get("openapi")).startswith("3.1."):
            message = "is not an OpenAPI 3.1 document; begin it with `openapi: 3.1.0`"
            findings.append(Finding(name, "file", "openapi-version", message))
            continue
        findings += [
            Finding(name, where, "openapi", "is no object; say what it is or remove it")
            for where in _misshapen(document.get("components", {}))
        ]
        sources[name] = Source(name, document)
    if findings:
        raise ContractError(findings)
    return sources


def _misshapen(components: Json) -> Iterator[str]:
    """Yield what of the components is not what the first steps rely on."""
    if not isinstance(components, dict):
        yield "components"
        return
    for section, named in components.items():
        if not isinstance(named, dict):
            yield f"components {section}"
            continue
        for name, part in named.items():
            if not isinstance(part, dict) or not isinstance(part.get("$ref", ""), str):
                yield f"component {section}/{name}"


def dependencies(source: Source, sources: dict[str, Source]) -> list[Source]:
    """Return the other contracts that one refers to, directly or through them, by name."""
    found: set[str] = set()
    queue = [source]
    while queue:
        current = queue.pop()
        for ref in references(current.document):
            target = target_of(current.name, ref)
            if target and target.contract in sources and target.contract not in found:
                found.add(target.contract)
                queue.append(sources[target.contract])
    return [sources[name] for name in sorted(found - {source.name})]


def digest(*values: object) -> str:
    """Return the SHA-256 of JSON values; the order of keys counts, as models keep it."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
