"""`python -m codegen` and `python -m codegen --check`, as a developer and the gate run them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.codegen.conftest import REPOSITORY, Tree


def codegen(*arguments: str, seed: str = "random") -> subprocess.CompletedProcess[str]:
    """Run codegen from the repository in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "codegen", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=False,
    )


def check(tree: Tree) -> tuple[int, str]:
    """Return the exit code of the check, and its first line."""
    done = codegen("--check", "--root", str(tree.root))
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()[0]


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_clean_tree_passes(tree: Tree) -> None:
    """Exit code 0, and one line that says so."""
    assert check(tree) == (0, "generated/ is what 3 contracts produce")


def test_a_changed_contract_fails(tree: Tree) -> None:
    """Exit code 1, and the operation first."""
    tree.edit(
        "parcels", lambda d: d["paths"]["/parcels"]["post"]["responses"]["201"].update(description="Sent.")
    )

    assert check(tree) == (1, "POST /depot/parcels (sendParcel): response 201 changed")


def test_a_changed_template_fails(tree: Tree) -> None:
    """Exit code 1, and the template first."""
    path = tree.templates / "routes.py.j2"
    path.write_text(path.read_text("utf-8").replace("handle(ctx", "handle(context"), "utf-8")

    assert check(tree) == (1, "templates/codegen/routes.py.j2: changed since generated/ was written")


def test_a_changed_generated_file_fails(tree: Tree) -> None:
    """Exit code 1, and the file first."""
    path = tree.generated / "models" / "parcels.py"
    path.write_text(path.read_text("utf-8").replace("max_length=40", "max_length=400"), "utf-8")

    assert check(tree) == (1, "generated/models/parcels.py: edited by hand")


def test_a_fault_in_a_contract_fails(tree: Tree) -> None:
    """Exit code 1, the contract, the operation and the rule first, and nothing written."""
    tree.edit("parcels", lambda d: d["paths"]["/parcels"]["post"]["responses"].pop("429"))

    done = codegen("--root", str(tree.root))

    assert done.returncode == 1
    assert done.stdout.startswith("parcels: operation sendParcel: [problems] add the 429 response: ")


def test_the_bytes_do_not_depend_on_the_run(tree: Tree, tmp_path: Path) -> None:
    """Whatever the hash seed and the state of the tree, the same bytes come out."""
    known = contents(tree.generated)
    outputs = []
    for seed in ("1", "4711"):
        root = tmp_path / seed
        for part in ("api-contracts", "templates", "handlers", "tests"):
            os.renames(tree.root / part, root / part)
        done = codegen("--root", str(root), seed=seed)
        assert done.stdout == (
            "made anew: _common/schemas, parcels, webhooks/courier\n"
            f"{len(known)} files, {len(known)} written, 0 removed\n"
        )
        outputs.append(contents(root / "generated"))
        for part in ("api-contracts", "templates", "handlers", "tests"):
            os.renames(root / part, tree.root / part)

    assert outputs == [known, known]


@pytest.mark.parametrize("word", ["--check", "--fresh", "--root", "api-contracts", "Exit code"])
def test_the_help_explains(word: str) -> None:
    """`--help` says what is read, what is written, and what the options do."""
    assert word in codegen("--help").stdout
