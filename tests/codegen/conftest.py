"""A small tree of contracts, generated once and copied for each test."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen.build import build
from codegen.layout import Layout
from codegen.sources import parse
from codegen.write import write

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]

Change = Callable[[dict[str, Any]], object]


class Tree(Layout):
    """A layout in a test's own folder, with what a test does to it."""

    def edit(self, contract: str, change: Change) -> None:
        """Change a contract's document in place."""
        path = self.contracts / f"{contract}.yaml"
        document = parse(path.read_text("utf-8"))
        change(document)
        path.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")

    def generate(self) -> list[str]:
        """Bring generated/ up to date."""
        return list(write(self, build(self)))


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the small tree, its generated/ up to date."""
    root = tmp_path_factory.mktemp("codegen") / "tree"
    shutil.copytree(HERE / "tree", root)
    shutil.copytree(REPOSITORY / "templates" / "codegen", root / "templates" / "codegen")
    shutil.copytree(REPOSITORY / "codegen", root / "codegen", ignore=shutil.ignore_patterns("__pycache__"))
    Tree(root, root / "codegen").generate()
    return root


@pytest.fixture
def tree(pristine: Path, tmp_path: Path) -> Tree:
    """Return a copy of the small tree that a test may change."""
    root = tmp_path / "tree"
    shutil.copytree(pristine, root)
    return Tree(root, root / "codegen")
