"""A RabbitMQ node of the tests' own, with its data in their folder; it can be killed and started again."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

GIVEN = "TEST_AMQP_URL"
PLACES = ("/usr/lib/rabbitmq/bin", "/opt/rabbitmq/sbin", "/usr/local/sbin")
STARTS_WITHIN_SECONDS = 60.0


@dataclass
class Node:
    """Where RabbitMQ is; one that somebody gave is not ours to kill."""

    url: str
    program: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start the node and wait until it answers."""
        assert self.program is not None
        self.process = subprocess.Popen(
            [self.program],
            env=os.environ | self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        port = int(self.environment["RABBITMQ_NODE_PORT"])
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            assert time.monotonic() < deadline, "RabbitMQ did not start"
            assert self.process.poll() is None, "RabbitMQ ended while it started"
            time.sleep(0.05)

    def kill(self) -> None:
        """End the node without a warning."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)
            self.process.wait()


@contextmanager
def node(folder: Path) -> Iterator[Node]:
    """Yield the node that is given, or one of our own; skips where there is no RabbitMQ."""
    if given := os.environ.get(GIVEN):
        yield Node(given)
        return
    program = shutil.which("rabbitmq-server", path=os.pathsep.join(PLACES)) or shutil.which("rabbitmq-server")
    mapper = shutil.which("epmd")
    if program is None or mapper is None:
        pytest.skip(f"neither {GIVEN} names a RabbitMQ nor is rabbitmq-server installed")
    port, internal, mapped = _free_ports(3)
    ours = Node(
        f"amqp://guest:guest@127.0.0.1:{port}//", program, _environment(folder, port, internal, mapped)
    )
    registry = subprocess.Popen(
        [mapper, "-address", "127.0.0.1", "-port", str(mapped)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ours.start()
        yield ours
    finally:
        ours.kill()
        registry.kill()
        registry.wait()


def _environment(folder: Path, port: int, internal: int, mapped: int) -> dict[str, str]:
    nothing = str(folder / "nothing")
    return {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"skeldir{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(internal),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(mapped),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": nothing,
        "RABBITMQ_CONFIG_FILE": nothing,
        "RABBITMQ_CONF_ENV_FILE": nothing,
    }


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
