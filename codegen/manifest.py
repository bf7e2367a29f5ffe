"""What generated/ was made from: the digests by which a check knows that nothing changed.

The manifest is trusted for one thing only: that a costly file (a bundle, a module of models) need
not be made again. It is, when the digest of everything it depends on and the digest of the file in
the tree are both the recorded ones. Everything cheap is rendered anew each time.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codegen.layout import Layout
from codegen.sources import digest
from codegen.versions import PINNED

NAME = "manifest.json"


def text_digest(text: str) -> str:
    """Return the SHA-256 of a file's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_tree(folder: Path) -> dict[str, str]:
    """Return path -> text of every file below a folder; what Python compiled is not of the tree."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode("utf-8", "replace")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def tool_digests(layout: Layout) -> dict[str, str]:
    """Return path -> digest of codegen's own source and its templates."""
    found = {}
    for prefix, folder, suffix in (
        ("codegen", layout.tool, ".py"),
        ("templates/codegen", layout.templates, ".j2"),
    ):
        for path, text in read_tree(folder).items():
            if path.endswith(suffix):
                found[f"{prefix}/{path}"] = text_digest(text)
    return found


@dataclass
class Manifest:
    """The record of one generation; `contracts` holds the digests of each contract's inputs."""

    tool: dict[str, str] = field(default_factory=dict)
    contracts: dict[str, dict[str, str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    is_sound: bool = True

    @classmethod
    def read(cls, tree: dict[str, str]) -> "Manifest":
        """Return the manifest of a generated tree; an empty one when it is missing or was edited."""
        try:
            found: dict[str, Any] = json.loads(tree.get(NAME, "{}"))
            manifest = cls(found["tool"], found["contracts"], found["files"])
        except (ValueError, KeyError, TypeError):
            return cls(is_sound=NAME not in tree)
        return manifest if manifest.text() == tree[NAME] else cls(is_sound=False)

    def text(self) -> str:
        """Return the file's text; it carries its own digest, so that an edit shows."""
        content = {
            "contracts": self.contracts,
            "files": self.files,
            "generators": PINNED,
            "tool": self.tool,
        }
        signed = {**content, "digest": digest(json.dumps(content, sort_keys=True))}
        return json.dumps(signed, indent=2, sort_keys=True) + "\n"

    def vouches(self, tree: dict[str, str], path: str) -> bool:
        """Tell whether a file of the tree is as it was written."""
        return path in tree and self.files.get(path) == text_digest(tree[path])
