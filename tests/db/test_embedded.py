"""The embedded server: started once, shared, survived, and stopped by whoever leaves last."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from skeldir.db import binaries, embedded
from skeldir.db.embedded import Lease, acquire, ephemeral_folder
from tests.conftest import QUICK, TREE

HOLD = """
import sys
from pathlib import Path
from skeldir.db import embedded
with embedded.acquire(Path(sys.argv[1])) as lease:
    print(lease.port, (lease.home.data / "postmaster.pid").read_text().split()[0], flush=True)
    sys.stdin.read()
"""
FORK = """
import os, sys
from pathlib import Path
from skeldir.db import embedded
lease = embedded.acquire(Path(sys.argv[1]))
if os.fork() == 0:
    lease.release()
    os._exit(0)
os.wait()
print(lease.port, (lease.home.data / "postmaster.pid").read_text().split()[0], flush=True)
sys.stdin.read()
lease.release()
"""
Hold = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder() -> Iterator[Path]:
    with ephemeral_folder() as made:
        yield made


@pytest.fixture
def hold(folder: Path) -> Iterator[Hold]:
    """Return a function that starts a process which holds the server until its input closes."""
    started: list[subprocess.Popen[str]] = []

    def start(script: str = HOLD) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=TREE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with process:
            process.kill()


def said(process: "subprocess.Popen[str]") -> tuple[int, int]:
    """Wait for a holder's word: the server's port and process."""
    assert process.stdout is not None
    port, pid = process.stdout.readline().split()
    return int(port), int(pid)


def leave(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=60)
    assert process.returncode == 0


def pid_of(lease: Lease) -> int:
    return int((lease.home.data / "postmaster.pid").read_text().split()[0])


def lives(pid: int) -> bool:
    return embedded._is_postmaster(pid)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 30
    while lives(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def connect(lease: Lease, database: str = "skeldir") -> psycopg.Connection:
    plain = lease.url(database=database).set(drivername="postgresql")
    return psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)


def test_four_processes_at_once_share_one_server_which_the_last_one_stops(hold: Hold) -> None:
    processes = [hold() for _ in range(4)]
    servers = {said(process) for process in processes}
    assert len(servers) == 1
    _, server = servers.pop()

    for process in processes[:3]:
        leave(process)
    assert lives(server)
    leave(processes[3])
    assert not lives(server)


def test_a_killed_holder_keeps_nobody_from_stopping_the_server(hold: Hold) -> None:
    killed, last = hold(), hold()
    _, server = said(killed)
    said(last)

    killed.kill()
    killed.wait()
    assert lives(server)
    leave(last)
    assert not lives(server)


def test_a_server_that_all_its_holders_left_by_dying_is_taken_over(hold: Hold, folder: Path) -> None:
    killed = hold()
    port, server = said(killed)
    killed.kill()
    killed.wait()

    with acquire(folder) as lease:
        assert (lease.port, pid_of(lease)) == (port, server)
    assert not lives(server)


def test_a_server_that_was_stopped_is_gone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pid file goes a moment before its process does."""
    looked: list[int] = []

    def lingers(pid: int) -> bool:
        looked.append(pid)
        return len(looked) < 3

    with acquire(folder, options=QUICK) as lease:
        server = pid_of(lease)
        monkeypatch.setattr(embedded, "_is_postmaster", lingers)
    assert looked == [server] * 3


def test_a_forked_child_gives_nothing_away(hold: Hold) -> None:
    parent = hold(FORK)
    _, server = said(parent)

    assert lives(server)
    leave(parent)
    assert not lives(server)


def test_a_killed_server_starts_again_with_what_was_committed(folder: Path) -> None:
    with acquire(folder) as first:
        with connect(first) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        killed = pid_of(first)
        os.kill(killed, signal.SIGKILL)
        wait_until_gone(killed)

        with acquire(folder) as second, connect(second) as connection:
            assert pid_of(second) != killed
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_another_process_with_the_pid_of_a_dead_server_is_not_taken_for_it(folder: Path) -> None:
    with acquire(folder, options=QUICK) as lease:
        home = lease.home
        shutil.copy(home.data / "postmaster.pid", home.path / "kept.pid")
    lines = (home.path / "kept.pid").read_text().splitlines()
    lines[0] = str(os.getpid())
    (home.data / "postmaster.pid").write_text("\n".join(lines) + "\n")
    if home.user:
        os.chown(home.data / "postmaster.pid", home.user.uid, home.user.gid)

    with acquire(folder, options=QUICK) as lease:
        assert lives(pid_of(lease))


def test_its_port_is_none_that_an_outgoing_connection_could_take_meanwhile(folder: Path) -> None:
    """Its clients try to come back while it is down, and each try has a port of its own from the system."""
    with acquire(folder, options=QUICK) as lease, socket.socket() as outgoing:
        outgoing.connect(("127.0.0.1", lease.port))
        assert lease.port < 32_768 <= outgoing.getsockname()[1]


def test_it_waits_for_its_port_which_a_killed_servers_last_processes_still_hold(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else those who knew its address would look for it in vain."""
    with acquire(folder, options=QUICK) as lease:
        port = lease.port
    with socket.create_server(("127.0.0.1", port)) as held:
        monkeypatch.setattr(embedded.time, "sleep", lambda _: held.close())
        with acquire(folder, options=QUICK) as lease:
            assert lease.port == port


def test_it_moves_to_another_port_when_its_own_is_taken(folder: Path) -> None:
    with acquire(folder, options=QUICK) as lease:
        port = lease.port
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with acquire(folder, options=QUICK) as lease:
            assert lease.port != port
            port = lease.port
    with acquire(folder, options=QUICK) as lease:
        assert lease.port == port


def test_only_a_password_over_loopback_opens_it(folder: Path) -> None:
    with acquire(folder, options=QUICK) as lease:
        wrong = lease.url().set(drivername="postgresql", password="wrong")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(wrong.render_as_string(hide_password=False))
        with connect(lease) as connection:
            shown = {
                name: connection.execute(f"SHOW {name}").fetchone()
                for name in ("listen_addresses", "unix_socket_directories", "password_encryption")
            }
            rules = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        secret = lease.home.path / "passwords.json"

        assert shown == {
            "listen_addresses": ("127.0.0.1",),
            "unix_socket_directories": ("",),
            "password_encryption": ("scram-sha-256",),
        }
        assert rules == [("scram-sha-256",)]
        assert secret.stat().st_mode & 0o777 == 0o600
        assert "postgres" not in repr(lease.url()).split("@")[0].split(":", 2)[2]


def test_a_failed_statement_does_not_reach_the_log(folder: Path) -> None:
    with acquire(folder, options=QUICK) as lease, connect(lease) as connection:
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT CAST(md5('x') || ' joe@example.com' AS integer), 'sesame' AS secret")
        log = (lease.home.path / "server.log").read_text()

    assert "sesame" not in log


def test_an_interrupted_initdb_leaves_nothing_that_passes_for_a_cluster(folder: Path) -> None:
    home = embedded.Home.under(folder)
    (home.path / "data.tmp").mkdir()
    (home.path / "data.tmp" / "PG_VERSION").write_text("18")

    with acquire(folder, options=QUICK) as lease:
        assert lives(pid_of(lease))


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with pytest.raises(binaries.EmbeddedServerError, match="no_such_setting"):
        acquire(folder, options={"no_such_setting": "1"})

    with acquire(folder, options=QUICK) as lease:
        assert lives(pid_of(lease))


def test_an_ephemeral_folder_leaves_nothing_behind() -> None:
    with ephemeral_folder() as folder, acquire(folder, options=QUICK) as lease:
        places = [folder, lease.home.path]

    assert not any(place.exists() for place in places)


def test_an_ephemeral_folder_takes_an_abandoned_server_with_it() -> None:
    with ephemeral_folder() as folder:
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder)], stdin=-1, stdout=-1, text=True, cwd=TREE
        ) as process:
            _, server = said(process)
            process.kill()
        assert lives(server)

    assert not lives(server)


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@as_root
def test_root_serves_a_folder_that_is_closed_to_others_without_opening_it() -> None:
    closed = Path(tempfile.mkdtemp())
    try:
        with acquire(closed, options=QUICK) as lease:
            place = lease.home.path
            with connect(lease) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            assert Path(f"/proc/{pid_of(lease)}").stat().st_uid != 0
        assert place.parent == binaries.SHARED
        assert closed.stat().st_mode & 0o777 == 0o700
        shutil.rmtree(place)
    finally:
        closed.rmdir()


@pytest.fixture
def shared() -> Iterator[Path]:
    """Return a folder that others may pass through, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@as_root
def test_root_copies_programs_that_others_cannot_reach(monkeypatch: pytest.MonkeyPatch, shared: Path) -> None:
    """The copy runs: a wheel's libraries, which lie beside its package, come along."""
    user = binaries.server_user()
    programs = next(binaries._candidates())
    package = next(up for up in programs.parents if up.parent.name == "site-packages")
    hidden = Path(tempfile.mkdtemp())
    for part in (package, package.parent / f"{package.name}.libs"):
        shutil.copytree(part, hidden / part.name, symlinks=True)
    inside = programs.relative_to(package.parent)
    monkeypatch.setattr(binaries, "SHARED", shared)
    monkeypatch.setattr(binaries, "_candidates", lambda: iter([hidden / inside]))

    copied = binaries.find_installation(user)
    again = binaries.find_installation(user)

    assert copied == again
    assert copied.folder.is_relative_to(shared)
    started = binaries.run_as([copied.program("initdb"), "--version"], user, timeout=30)
    assert started.returncode == 0, started.stderr
    assert hidden.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(hidden)


def as_nobody(script: str, home: Path) -> "subprocess.CompletedProcess[str] | None":
    """Run a script as the user nobody, by the first Python that he can start; None if there is none."""
    packages = os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, system):
        with suppress(OSError):
            process = subprocess.run(
                [python, "-c", script, str(home / "data")],
                check=False,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                cwd=TREE,
                env={"HOME": str(home), "PYTHONPATH": packages, "PYTHONDONTWRITEBYTECODE": "1"},
                user="nobody",
                group=pwd.getpwnam("nobody").pw_gid,
                extra_groups=[],
            )
            if "ModuleNotFoundError" not in process.stderr:
                return process
    return None


@as_root
def test_an_ordinary_user_serves_himself() -> None:
    nobody = pwd.getpwnam("nobody")
    home = Path(tempfile.mkdtemp())
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    process = as_nobody(HOLD, home)
    if process is None:
        pytest.skip("this tree, or every Python that could run it, is closed to nobody")

    assert process.returncode == 0, process.stderr
    _, server = map(int, process.stdout.split())
    assert not lives(server)
    shutil.rmtree(home)
