"""A PostgreSQL of our own, started when DATABASE_URL is not set and stopped by its last user.

Every process that uses the server holds a *lease*: a shared lock on one file. The kernel drops the
lock of a process that dies, however it dies, so no list of users can go stale. Whoever lets go and
then gets the lock exclusively was the last, and stops the server.
"""

import fcntl
import json
import os
import random
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from sqlalchemy import URL

from skeldir.db.binaries import (
    EmbeddedServerError,
    Installation,
    ServerUser,
    closed_to_others,
    find_installation,
    make_shared_folder,
    reachable,
    run_as,
    server_user,
)

SUPERUSER = "postgres"
LOGINS = (SUPERUSER, "app_user", "app_worker", "app_admin")
DATABASE = "skeldir"
START_SECONDS = 600.0
"""Longer than any crash recovery of a server of this size."""
PORTS = range(20_000, 32_768)
"""Below those that Linux, macOS and Windows give to outgoing connections."""
NOBODYS_PID = 2**30
"""Above every system's highest process id."""
END_SECONDS = 10.0
"""A server that has removed its pid file has nothing left to do."""


def _shared_buffers() -> str:
    """Return a quarter of the memory, as PostgreSQL's manual advises, within bounds; unused it takes none."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # a container's own limit, where there is one
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return f"{min(max(memory // 4 >> 20, 128), 2048)}MB"


DEFAULTS: Mapping[str, str] = {
    "shared_buffers": _shared_buffers(),
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "120",
    "max_wal_senders": "0",  # nobody replicates it, which lets it write less
    "wal_level": "minimal",
    "max_wal_size": "4GB",  # a backfill must not write every page whole again each few seconds
    "autovacuum_naptime": "5s",  # the queue's tables turn over in seconds
    "jit": "off",  # compiling costs more than our short statements run
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",  # a failed statement may carry what must not be logged
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one server: its data, its passwords, its log and its two locks."""

    path: Path
    user: ServerUser | None

    @classmethod
    def under(cls, data_dir: Path) -> Self:
        """Return the server's folder for a data directory, made if it is missing.

        It is inside the data directory, unless root's server could not reach it there.
        """
        user = server_user()
        path = data_dir.absolute() / "postgres"
        if reachable(path, user):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o711 if user else 0o700)
        else:
            make_shared_folder()
            path = closed_to_others(path)
        path.mkdir(exist_ok=True, mode=0o711 if user else 0o700)
        if path.stat().st_uid != os.geteuid():
            message = f"{path} belongs to somebody else"
            raise EmbeddedServerError(message)
        return cls(path, user)

    @property
    def data(self) -> Path:
        """Return the data folder, the server user's own."""
        return self.path / "data"

    def passwords(self) -> dict[str, str]:
        """Return the password of each login role, made at the first call."""
        file = self.path / "passwords.json"
        if not file.exists():
            made = {login: secrets.token_urlsafe(24) for login in LOGINS}
            _write_private(file, json.dumps(made))
        found: dict[str, str] = json.loads(file.read_text())
        return found

    @contextmanager
    def starting_or_stopping(self) -> Iterator[None]:
        """Let one process at a time look at, start or stop the server."""
        with (self.path / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def give(self, path: Path) -> None:
        """Make the server's user the owner of a path."""
        if self.user:
            os.chown(path, self.user.uid, self.user.gid)


@dataclass(slots=True)
class Lease:
    """A share in the running server; use it as a context manager, or call `release`."""

    home: Home
    installation: Installation
    port: int
    lock: int
    holder: int = field(default_factory=os.getpid)

    def url(self, login: str = SUPERUSER, database: str = DATABASE) -> URL:
        """Return the URL under which one login reaches one database."""
        return URL.create(
            "postgresql+psycopg",
            username=login,
            password=self.home.passwords()[login],
            host="127.0.0.1",
            port=self.port,
            database=database,
        )

    def release(self) -> None:
        """Let go, and stop the server if nobody else holds it. Calling it twice is harmless.

        In a forked child it does nothing: the lock belongs to the file that parent and child share,
        so the child would give away the parent's.
        """
        if self.lock < 0 or os.getpid() != self.holder:
            return
        lock, self.lock = self.lock, -1
        with self.home.starting_or_stopping():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            else:
                stop(self.home, self.installation)
            finally:
                os.close(lock)

    def __enter__(self) -> Self:
        """Return the lease itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release the lease."""
        self.release()


def acquire(data_dir: Path, *, options: Mapping[str, str] | None = None) -> Lease:
    """Return a lease on the server of a data directory, started (and made) if it is not running.

    `options` are server settings for a start; a server that already runs keeps its own.
    Raises EmbeddedServerError when it cannot be started.
    """
    home = Home.under(data_dir)
    installation = find_installation(home.user)
    with home.starting_or_stopping():
        lock = os.open(home.path / "lease.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH)
            port = _answering_port(home)
            if port is None:
                if not home.data.exists():
                    _create_cluster(home, installation)
                port = _start(home, installation, {**DEFAULTS, **(options or {})})
                _ensure_database(home, port)
        except BaseException:  # whatever ends it: without a lease the lock would hold the server up
            os.close(lock)
            raise
    return Lease(home, installation, port, lock)


@contextmanager
def ephemeral_folder() -> Iterator[Path]:
    """Make a data directory that is removed afterwards, and with it a server that anybody left running."""
    folder = Path(tempfile.mkdtemp(prefix="skeldir-"))
    folder.chmod(0o711)  # root's server must pass through; it still cannot be listed
    try:
        yield folder
    finally:
        home = Home.under(folder)
        if _pid_file(home):
            stop(home, find_installation(home.user))
        for path in {folder, home.path}:
            shutil.rmtree(path, ignore_errors=True)


def stop(home: Home, installation: Installation) -> None:
    """Stop the server whoever holds it: politely, then without waiting for its clients.

    Its process is gone afterwards. Raises EmbeddedServerError when it does not stop.
    """
    server = int((_pid_file(home) or [str(NOBODYS_PID)])[0])
    for mode, seconds in (("fast", 30), ("immediate", 30)):
        arguments = ["stop", "-D", str(home.data), "-m", mode, "-w", "-t", str(seconds)]
        ended = run_as([installation.program("pg_ctl"), *arguments], home.user, timeout=seconds + 5)
        if ended.returncode == 0 or not (home.data / "postmaster.pid").exists():
            _wait_for_end(server)
            return
    message = f"the embedded server does not stop: {ended.stderr.strip()}"
    raise EmbeddedServerError(message)


def _wait_for_end(server: int) -> None:
    """Wait for a process that is about to end: pg_ctl is content when the file with its pid is gone."""
    deadline = time.monotonic() + END_SECONDS
    while _is_postmaster(server) and time.monotonic() < deadline:
        time.sleep(0.01)


def _create_cluster(home: Home, installation: Installation) -> None:
    """Run initdb beside the final place and rename, so that half a cluster is never taken for one."""
    fresh, password_file = home.path / "data.tmp", home.path / "initdb.password"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    home.give(fresh)
    _write_private(password_file, home.passwords()[SUPERUSER])
    home.give(password_file)
    locale = (
        ["--locale-provider=builtin", "--locale=C.UTF-8"]
        if installation.major >= 17  # noqa: PLR2004  (the version that brought the provider)
        else ["--locale=C"]
    )
    arguments = ["-D", str(fresh), "-U", SUPERUSER, f"--pwfile={password_file}", "-E", "UTF8"]
    arguments += ["--auth=scram-sha-256", *locale]
    try:
        ended = run_as([installation.program("initdb"), *arguments], home.user, timeout=120)
    finally:
        password_file.unlink()
    if ended.returncode != 0:
        message = f"initdb failed: {ended.stderr.strip()}"
        raise EmbeddedServerError(message)
    fresh.rename(home.data)


def _start(home: Home, installation: Installation, options: Mapping[str, str]) -> int:
    """Start the server and wait until it answers, through crash recovery if there must be one."""
    deadline = time.monotonic() + START_SECONDS
    log = home.path / "server.log"
    port_file = home.path / "port"
    while True:
        _disown_stale_pid(home)
        port = _free_port(int(port_file.read_text()) if port_file.exists() else 0)
        log.write_text("")  # what the last run said is of no use to this one
        home.give(log)
        settings = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        arguments = ["start", "-D", str(home.data), "-l", str(log), "-w"]
        arguments += ["-t", str(int(START_SECONDS)), "-o", f"-p {port} {settings}"]
        seconds = START_SECONDS + 5
        ended = run_as([installation.program("pg_ctl"), *arguments], home.user, timeout=seconds)
        if ended.returncode == 0 and _answers(home, port):
            port_file.write_text(str(port))
            return port
        said = log.read_text(errors="replace").strip()
        # The port was taken since we looked, or processes of a killed server are not gone yet.
        passing = "in use" in said or "could not bind" in said or "already exists" in said
        if not passing or time.monotonic() > deadline:
            message = f"the embedded server does not start: {said or ended.stderr.strip()}"
            raise EmbeddedServerError(message)
        time.sleep(0.1)


def _answering_port(home: Home) -> int | None:
    """Return the port of the server if it lives, waiting while it recovers; None if it is dead."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        lines = _pid_file(home)
        if len(lines) < 4 or not _is_postmaster(int(lines[0])):  # noqa: PLR2004  (line 4: the port)
            return None
        if _answers(home, int(lines[3])):
            return int(lines[3])
        time.sleep(0.05)
    message = "the embedded server runs but does not answer"
    raise EmbeddedServerError(message)


def _answers(home: Home, port: int) -> bool:
    """Tell whether *our* server is at the port: only it knows the random password."""
    try:
        _connect(home, port, "postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _connect(home: Home, port: int, database: str) -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1",
        port=port,
        user=SUPERUSER,
        password=home.passwords()[SUPERUSER],
        dbname=database,
        connect_timeout=5,
        autocommit=True,
    )


def _ensure_database(home: Home, port: int) -> None:
    with _connect(home, port, "postgres") as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if known.fetchone() is None:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')


def _pid_file(home: Home) -> list[str]:
    try:
        return (home.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _is_postmaster(pid: int) -> bool:
    """Tell whether a process is a living server: a zombie or the pid's next owner is not."""
    try:
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
    with suppress(PermissionError):  # it exists, and is not ours to signal
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True


def _disown_stale_pid(home: Home) -> None:
    """Keep the next owner of a dead server's pid from being taken for that server.

    Only the number is replaced. The file's last lines name the shared memory by which PostgreSQL
    notices that processes of the dead server still write; without them it would start too early.
    """
    lines = _pid_file(home)
    if lines and not _is_postmaster(int(lines[0])):
        lines[0] = str(NOBODYS_PID)
        (home.data / "postmaster.pid").write_text("\n".join(lines) + "\n")


def _free_port(preferred: int) -> int:
    """Return the port of before if it is free, else one that no outgoing connection is given by the system.

    Such a one, a client's that tries to come back for instance, would take it while the server is down, and
    the server would have to move away from who knows its address. Processes that a killed server had just
    begun hold its port for some milliseconds more.
    """
    chosen = random.sample(PORTS, 50)  # ports, no secrets
    for port in (*([preferred] * 20 if preferred else []), *chosen, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            number: int = probe.getsockname()[1]
            return number
        time.sleep(0.05 if port == preferred else 0)
    message = "no port is free"
    raise EmbeddedServerError(message)


def _write_private(file: Path, text: str) -> None:
    """Write a file that only its owner ever could read."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
