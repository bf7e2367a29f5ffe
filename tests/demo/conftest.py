"""Commands in processes of their own, with nothing but what a fresh machine has."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

TREE = Path(__file__).parents[2]
LEFT_OUT = ("DATABASE_URL", "SKELDIR_")

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Return a data directory that a database server of another user can pass through."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o711)
    return folder


@pytest.fixture
def start(data_dir: Path) -> Iterator[Start]:
    """Return a function that starts `skeldir` with some arguments, without this run's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}
    environment = kept | {"SKELDIR_DATA_DIR": str(data_dir), "PYTHONPATH": str(TREE), "COLUMNS": "100"}
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **settings: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "skeldir", *arguments]
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command,
            stdout=pipe,
            stderr=pipe,
            text=True,
            env=environment | settings,
            cwd=data_dir,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def family(process: "subprocess.Popen[str]", data_dir: str) -> list[psutil.Process]:
    """Return everything that a process has started, and whatever those have started.

    A database server leaves its family on purpose, so it is found by the folder that it serves.
    """
    found = {child.pid: child for child in psutil.Process(process.pid).children(recursive=True)}
    for other in psutil.process_iter(["cmdline"]):
        if other.pid != process.pid and any(data_dir in word for word in other.info["cmdline"] or ()):
            found[other.pid] = other
    return list(found.values())


def gone(processes: list[psutil.Process], seconds: float = 60.0) -> list[psutil.Process]:
    """Wait for processes to end; returns those that are still there at the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        processes = [each for each in processes if _lives(each)]
        if not processes:
            break
        time.sleep(0.1)
    return processes


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
