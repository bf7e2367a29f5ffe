"""A database server and API processes of the test's own, which it may kill, and what they are given."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.serialization import Encoding

from skeldir.commands.provisioning import NewEndpoint, NewTenant
from skeldir.db import embedded
from skeldir.db.binaries import run_as
from skeldir.repository.endpoints import IssuedEndpoint
from tests.handlers.senders import SENDERS
from tests.handlers.webhooks import Shop
from tests.vendors import paypal_authority

TREE = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "tests.chaos.skeldir_with_certificate")
LEFT_OUT = ("DATABASE_URL", "SKELDIR_")


@dataclass
class Stage:
    """Everything that runs, and how to end it rudely."""

    folder: Path
    lease: embedded.Lease
    listener: socket.socket
    environment: dict[str, str]
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Return where the API answers."""
        number: int = self.listener.getsockname()[1]
        return number

    def start(self, *arguments: str, descriptors: Sequence[int] = ()) -> "subprocess.Popen[bytes]":
        """Start `skeldir`; it ends with this process, however that ends."""
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [*PROGRAM, *arguments],
                env=self.environment,
                cwd=TREE,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=descriptors,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def start_api(self) -> "subprocess.Popen[bytes]":
        """Start one more API process at the common address."""
        descriptor = self.listener.fileno()
        return self.start("api", "--supervised", "--fd", str(descriptor), descriptors=[descriptor])

    def kill_api(self, process: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
        """Kill an API process with whatever it is doing; returns its successor."""
        process.kill()
        process.wait()
        return self.start_api()

    def stop_database_at_once(self) -> None:
        """Have the server drop everything, as for a power failure that it sees coming; start it again."""
        program, home = self.lease.installation.program("pg_ctl"), self.lease.home
        ended = run_as(
            [program, "stop", "-D", str(home.data), "-m", "immediate", "-w"], home.user, timeout=60
        )
        assert ended.returncode == 0, ended.stderr
        self._restart_database()

    def kill_database(self) -> None:
        """Kill the server without a warning; start it again."""
        os.kill(int((self.lease.home.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        self._restart_database()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Read as the superuser, who sees every tenant's rows."""
        url = self.lease.url().set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url) as connection:
            return connection.execute(statement.encode()).fetchall()

    def _restart_database(self) -> None:
        with embedded.acquire(self.folder):
            pass


@contextmanager
def stage(folder: Path, api_processes: int) -> Iterator[Stage]:
    """Start a database that keeps what it promised to keep, and an API in several processes."""
    with ExitStack() as stack:
        lease = stack.enter_context(embedded.acquire(folder))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        set_up = Stage(folder, lease, listener, _environment(folder))
        stack.callback(_end, set_up.processes)
        assert set_up.start("migrate").wait(120) == 0, (folder / "migrate.log").read_text()
        logins = {
            "DATABASE_URL": "app_user",
            "SKELDIR_WORKER_DATABASE_URL": "app_worker",
            "SKELDIR_OWNER_DATABASE_URL": embedded.SUPERUSER,
        }
        for variable, login in logins.items():
            set_up.environment[variable] = lease.url(login).render_as_string(hide_password=False)
        for _ in range(api_processes):
            set_up.start_api()
        yield set_up


def open_shops(set_up: Stage, count: int) -> list[Shop]:
    """Provision tenants with an endpoint for each vendor, as an operator does."""
    vendors = [word for sender in SENDERS for word in ("--vendor", sender.vendor)]
    command = [*PROGRAM, "tenant", "create", "A shop", *vendors, "--json"]
    started = [
        subprocess.Popen(command, env=set_up.environment, cwd=TREE, stdout=subprocess.PIPE)
        for _ in range(count)
    ]
    return [_shop(json.loads(process.communicate(timeout=120)[0])) for process in started]


def _shop(told: dict[str, Any]) -> Shop:
    """Return a shop that signs; nobody asks it to send."""
    endpoints = tuple(
        NewEndpoint(
            IssuedEndpoint(UUID(one["endpoint_id"]), one["vendor"], one["url"].rpartition("/")[2]),
            one["secret"],
        )
        for one in told["endpoints"]
    )
    tenant = NewTenant(UUID(told["tenant_id"]), told["name"], told["tenant_key"], endpoints)
    return Shop(None, tenant)  # type: ignore[arg-type]


def _environment(folder: Path) -> dict[str, str]:
    root, chain = folder / "root.pem", folder / "chain.pem"
    root.write_bytes(paypal_authority.authority().root.public_bytes(Encoding.PEM))
    chain.write_bytes(paypal_authority.authority().document())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}
    return kept | {
        "SKELDIR_DATA_DIR": str(folder),
        "SKELDIR_CERTIFICATE_AUTHORITIES": str(root),
        "SKELDIR_TEST_CERTIFICATE": str(chain),
        "SKELDIR_ATTRIBUTION_DEBOUNCE_SECONDS": "0",
        "SKELDIR_LOG_LEVEL": "warning",
        "PYTHONPATH": str(TREE),
    }


def _end(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in processes:
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
