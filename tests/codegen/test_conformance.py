"""mypy proves that every operation has its handler, with the contract's signature."""

import shutil
import subprocess
import sys

from tests.codegen.conftest import REPOSITORY, Tree

# Stand-ins for what generated code imports of the service: mypy need not read all of it.
SKELDIR = {
    "contract_model.py": "from pydantic import BaseModel\nclass ContractModel(BaseModel): ...\n",
    "domain/errors.py": "class SkeldirError(Exception): ...\n",
    "http/context.py": (
        "from dataclasses import dataclass\n"
        "from typing import Generic, TypeVar\n"
        "Body = TypeVar('Body', covariant=True)\n"
        "class Context: ...\n"
        "class Stream: ...\n"
        "@dataclass(frozen=True)\n"
        "class Reply(Generic[Body]):\n"
        "    body: Body\n"
    ),
}


def mypy(tree: Tree) -> str:
    """Return what mypy says of the conformance proof, with pydantic taken as Any."""
    for path, text in SKELDIR.items():
        file = tree.root / "skeldir" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    (tree.root / "mypy.ini").write_text(
        "[mypy]\nstrict = true\nexplicit_package_bases = true\ndisallow_subclassing_any = false\n"
        "[mypy-pydantic.*]\nfollow_imports = skip\n",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", ".mypy_cache", "generated/conformance.py"],
        cwd=tree.root,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_handlers_meet_their_contract_or_mypy_names_the_operation(tree: Tree) -> None:
    """Clean as it is; a missing handler and one with another signature are each named."""
    shutil.copytree(
        REPOSITORY / "tests" / "codegen" / "tree" / "handlers", tree.root / "handlers", dirs_exist_ok=True
    )
    assert mypy(tree).startswith("Success: ")

    parcels = tree.root / "handlers" / "parcels.py"
    parcels.write_text(parcels.read_text("utf-8").replace("parcel_id", "parcel"), "utf-8")
    courier = tree.root / "handlers" / "webhooks" / "courier.py"
    courier.write_text(courier.read_text("utf-8").replace("receive_courier_note", "take_note"), "utf-8")
    said = mypy(tree)

    assert 'error: Module has no attribute "receive_courier_note"' in said
    assert 'variable has type "ParcelsHandlers"' in said
    assert "def recall_parcel(ctx: Context, *, parcel: UUID" in said
