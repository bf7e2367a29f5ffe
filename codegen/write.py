"""Writes what changed and removes what nothing produces any more."""

from collections.abc import Iterator

from codegen.build import Build
from codegen.layout import Layout


def write(layout: Layout, found: Build) -> Iterator[str]:
    """Bring generated/ up to date, yielding a line for each thing done."""
    if found.made:
        yield f"made anew: {', '.join(found.made)}"
    changed = 0
    for path, text in sorted(found.files.items()):
        if found.tree.get(path) != text:
            file = layout.generated / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
            changed += 1
    stale = sorted(set(found.tree) - set(found.files))
    for path in stale:
        (layout.generated / path).unlink()
        yield f"removed: generated/{path}"
    for folder in sorted(layout.generated.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    yield f"{len(found.files)} files, {changed} written, {len(stale)} removed"
