"""The house rules that can be read off the files."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from skeldir.settings import Settings

ROOT = Path(__file__).parents[2]
RUNNING = ("handlers", "workers", "skeldir", "migrations")
FOLDERS = (*RUNNING, "api-contracts", "codegen", "docs", "generated", "templates", "tests")


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in sorted(set(listed.stdout.splitlines())) if (ROOT / line).is_file()]


def sources(*folders: str) -> list[Path]:
    return [path for path in tracked("*.py") if path.relative_to(ROOT).parts[0] in folders]


def lines_matching(pattern: str, paths: list[Path]) -> list[str]:
    found = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if found.search(line)
    ]


def test_no_hand_written_file_is_longer_than_400_lines() -> None:
    """A file fits a reader's head."""
    texts = [
        path
        for path in tracked("*.py", "*.yaml", "*.j2", "*.html", "*.css", "*.toml", "*.ini")
        if path.relative_to(ROOT).parts[0] != "generated" and "assets" not in path.parts
    ]
    long = {str(p.relative_to(ROOT)): n for p in texts if (n := len(p.read_text().splitlines())) > 400}
    assert long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    """A function of the running code has at most 70 lines."""
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in sources("codegen", *RUNNING)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > 70
    ]
    assert long == []


def test_only_the_settings_read_the_environment() -> None:
    """One place reads the environment."""
    paths = [p for p in sources("generated", *RUNNING) if p != ROOT / "skeldir" / "settings.py"]
    assert lines_matching(r"os\.environ\b|os\.getenv\b", paths) == []


def test_whoever_catches_everything_says_why() -> None:
    """Beside the catch-all stands its reason."""
    catching = r"except (Base)?Exception\b|suppress\((Base)?Exception\b"
    caught = lines_matching(catching, sources("codegen", "generated", *RUNNING))
    assert [line for line in caught if not re.search(r":\s+# (?!noqa: BLE001\s*$)\w", line)] == []


def test_only_the_tenant_session_commits_and_sets_the_tenant() -> None:
    """One place opens transactions and names the tenant."""
    paths = [
        p
        for p in sources("generated", "handlers", "workers", "skeldir")
        if p.relative_to(ROOT).parts[:2] != ("skeldir", "db")
    ]
    assert lines_matching(r"\.commit\(|set_config\(|SET LOCAL app\.", paths) == []
    inside = lines_matching(r"SET LOCAL app\.", sources("skeldir"))
    assert {line.split(":")[0] for line in inside} == {"skeldir/db/session.py"}


def test_no_statement_of_a_repository_filters_by_tenant() -> None:
    """Row-level security is the only tenant filter; joins equate tenant_id of two tables."""
    paths = sources("handlers", "workers", "skeldir")
    assert lines_matching(r"tenant_id\s*=\s*(:|%\(|CAST\(:)", paths) == []


def test_the_package_list_names_every_package() -> None:
    """What is installed is what is written here, package by package."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    listed = set(setuptools["packages"])
    folders = {
        ".".join(path.relative_to(ROOT).parent.parts) for path in sources("codegen", "generated", *RUNNING)
    }
    assert folders <= listed, "packages missing from [tool.setuptools]"
    folder_of = {name: ROOT / Path(*name.split(".")) for name in listed}
    folder_of |= {name: ROOT / folder for name, folder in setuptools.get("package-dir", {}).items()}
    gone = {name for name in listed if not folder_of[name].is_dir()}
    assert gone == set()


def test_the_locks_name_no_host() -> None:
    """A lock holds versions and hashes, and no address of the machine that wrote it."""
    for lock in tracked("*.lock"):
        text = lock.read_text()
        assert "://" not in text
        assert "--find-links" not in text
        assert "--hash=sha256:" in text


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md"])
def test_a_document_names_only_paths_that_exist(document: str) -> None:
    """A path in a document can be opened."""
    text = (ROOT / document).read_text()
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)`", text)
    assert named
    missing = [path for path in named if not (ROOT / path).exists()]
    assert missing == []


def test_every_setting_is_in_the_readme() -> None:
    """Whoever runs the service finds each setting described."""
    text = (ROOT / "README.md").read_text()
    names = {
        "DATABASE_URL" if name == "database_url" else f"SKELDIR_{name.upper()}"
        for name in Settings.model_fields
    }
    assert {name for name in names if f"`{name}`" not in text} == set()
