"""Renders the operations; the templates only place what is decided before."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from codegen.operations import Contract
from codegen.versions import header
from codegen.views import Names, View, import_line, standard_imports

EVERY_CONTRACT = "api-contracts/openapi/v1"
CONVERTERS = frozenset({"list_of", "optional", "required", "to_datetime", "to_model"})


class Renderer:
    """Renders every file that needs no more than the operations and the templates."""

    def __init__(self, templates: Path) -> None:
        """Prepare the templates."""
        self.environment = Environment(
            loader=FileSystemLoader(templates),
            autoescape=False,  # noqa: S701  Python, not HTML
            keep_trailing_newline=True,
            lstrip_blocks=True,
            trim_blocks=True,
            undefined=StrictUndefined,
        )

    def render(self, template: str, source: str = EVERY_CONTRACT, **values: object) -> str:
        """Return one file's text."""
        found = self.environment.get_template(template)
        return found.render(header=header(source), **values).rstrip("\n") + "\n"

    def files(self, contracts: Sequence[Contract]) -> dict[str, str]:
        """Return path -> text below generated/, but for bundles, models and what is JSON."""
        served = [contract for contract in contracts if contract.operations]
        files = {f"{path}__init__.py": self.render("package.py.j2") for path in packages(served)}
        for contract in served:
            files[f"routes/{contract.module.replace('.', '/')}.py"] = self.routes(contract)
        files["routes/__init__.py"] = self.render(
            "routes_index.py.j2",
            contracts=served,
            imports=[import_line(f"generated.routes.{c.module}", c.identifier) for c in served],
        )
        files["conformance.py"] = self.render(
            "conformance.py.j2",
            contracts=served,
            imports=[import_line(f"handlers.{c.module}", c.identifier) for c in served],
        )
        files["stubs.py"] = self.stubs(served)
        files["registry.py"] = self.render("registry.py.j2", contracts=served)
        return files

    def routes(self, contract: Contract) -> str:
        """Return the entry points of one contract."""
        names = Names(contract.models)
        views = [View(operation, names) for operation in contract.operations]
        words = {word for view in views for word in view.words}
        converters = sorted(words & CONVERTERS)
        imports = [
            *names.imports,
            "from generated.stubs import Answer",
            import_line(f"handlers.{contract.module}", "handlers"),
            "from skeldir.http.answers import HttpAnswer",
            "from skeldir.http.boundary import Call",
            f"from skeldir.http.context import Context{', Stream' if 'Stream' in words else ''}",
        ]
        if converters:
            imports.append(f"from skeldir.http.convert import {', '.join(converters)}")
        return self.render(
            "routes.py.j2",
            source=f"{EVERY_CONTRACT}/{contract.name}.yaml",
            contract=contract,
            standard=standard_imports(words),
            imports=imports,
            views=views,
        )

    def stubs(self, contracts: Sequence[Contract]) -> str:
        """Return the Protocols, one for each contract."""
        names = Names(model for contract in contracts for model in contract.models)
        views = {c.name: [View(operation, names) for operation in c.operations] for c in contracts}
        words = {word for found in views.values() for view in found for word in view.words}
        return self.render(
            "stubs.py.j2",
            contracts=contracts,
            views=views,
            standard=standard_imports(words, typing=("Protocol", "TypeAlias", "TypeVar")),
            imports=names.imports,
        )


def packages(contracts: Sequence[Contract]) -> list[str]:
    """Return the folders below generated/ that Python imports from, each with a slash."""
    groups = sorted({contract.name.rpartition("/")[0] for contract in contracts} - {""})
    return ["", "models/", *(f"{kind}/{group}/" for kind in ("models", "routes") for group in groups)]
