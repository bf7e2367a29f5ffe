"""The whole service on this machine, for as long as a `with` block lasts."""

import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from skeldir import janitor
from skeldir.commands.up_credentials import Credentials, remembered_or_new
from skeldir.db.engine import dispose_engines
from skeldir.domain.errors import Conflict, Unavailable
from skeldir.settings import adopt, get_settings
from skeldir.supervisor import Supervisor

READY_SECONDS: Final = 60.0
READY_POLL_SECONDS: Final = 0.1
SKELDIR: Final = (sys.executable, "-m", "skeldir")

# What is thrown away need not survive a power failure.
FORGETFUL: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How the service is to run; port 0 picks one."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    ephemeral: bool = False
    tenant_name: str = "Local"
    remember: bool = True


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: where it is, how to get in, and who watches over its processes."""

    base_url: str
    credentials: Credentials
    data_dir: Path
    log_dir: Path
    supervisor: Supervisor


@contextmanager
def running(options: Options, say: Say) -> Iterator[Service]:
    """Start database, API, worker and schedule, and stop them in reverse order at the end."""
    with ExitStack() as stack:
        listener = stack.enter_context(_listener(options.host, options.port))
        base_url = _address(options.host, listener.getsockname()[1])
        data_dir = _settle(base_url, ephemeral=options.ephemeral)
        if get_settings().database_url is None:
            stack.enter_context(janitor.tidying_behind(data_dir, remove=options.ephemeral))
            say("Starting PostgreSQL")
            stack.enter_context(_server(data_dir, ephemeral=options.ephemeral))
        say("Bringing the schema up to date")
        _migrate()
        folder = data_dir if options.remember else None
        credentials = remembered_or_new(folder, options.tenant_name)
        dispose_engines()
        supervisor = stack.enter_context(Supervisor(log_dir=data_dir / "logs"))
        say("Starting the API and the worker")
        _start(supervisor, listener, options)
        wait_until_ready(base_url, supervisor)
        yield Service(base_url, credentials, data_dir, data_dir / "logs", supervisor)


def wait_until_ready(base_url: str, supervisor: Supervisor) -> None:
    """Wait until the API says that it is ready; raises when it dies first or takes too long."""
    deadline = time.monotonic() + READY_SECONDS
    with httpx.Client(base_url=base_url, timeout=5, trust_env=False) as client:
        while time.monotonic() < deadline:
            supervisor.check()
            try:
                if client.get("/api/health/ready").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(READY_POLL_SECONDS)
    late = f"The API did not become ready within {READY_SECONDS:.0f} seconds."
    raise Unavailable(f"{late}\n{supervisor.last_lines()}")


def _server(data_dir: Path, *, ephemeral: bool) -> AbstractContextManager[object]:
    from skeldir.db import embedded  # noqa: PLC0415 - its module is for POSIX only

    return embedded.acquire(data_dir, options=FORGETFUL if ephemeral else None)


def _migrate() -> None:
    from skeldir.db import migrate  # noqa: PLC0415 - Alembic is slow to import, and only needed here

    migrate.upgrade()


def _start(supervisor: Supervisor, listener: socket.socket, options: Options) -> None:
    descriptor = listener.fileno()
    api = ["api", "--supervised", "--fd", str(descriptor), "--workers", str(options.workers)]
    supervisor.start("api", [*SKELDIR, *api], descriptors=[descriptor])
    supervisor.start("worker", [*SKELDIR, "worker", "--supervised", "--beat"])


def _listener(host: str, port: int) -> socket.socket:
    """Take the port before anything is started, so that a taken one costs no time."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise Conflict(
            f"{host} is no address of this machine ({error.strerror}): choose another --host."
        ) from None
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        reason = f"{host}:{port} cannot be used ({error.strerror}): choose another --port, or --port 0."
        raise Conflict(reason) from None
    return listener


def _address(host: str, port: int) -> str:
    """Write the address at which somebody on this machine reaches a listening address."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked for, not chosen here
    reachable = everywhere.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _settle(base_url: str, *, ephemeral: bool) -> Path:
    """Make this process and its children agree on where the service is and where its data lies."""
    changes = {"SKELDIR_PUBLIC_URL": base_url}
    if ephemeral:
        if get_settings().database_url is not None:
            raise Conflict("--ephemeral keeps its own database: unset DATABASE_URL.")
        folder = Path(tempfile.mkdtemp(prefix="skeldir-"))
        folder.chmod(0o711)  # root's database server, another user, must pass through it
        changes["SKELDIR_DATA_DIR"] = str(folder)
    adopt(changes)
    return _writable(get_settings().data_dir.absolute())


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        reason = f"The data directory {folder} cannot be used ({error.strerror}): set SKELDIR_DATA_DIR."
        raise Conflict(reason) from None
    return folder
