"""A real worker to measure: a Celery process of its own with one child, and what that child has used."""

import json
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

TREE = Path(__file__).parents[2]


@contextmanager
def running(log: Path, queue: str) -> Iterator[psutil.Process]:
    """Start a worker that consumes one queue and writes to a log; end it afterwards."""
    command = [sys.executable, "-m", "celery", "--app", "workers.app", "worker", "--concurrency", "1"]
    command += ["--queues", queue, "--loglevel", "INFO"]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=TREE, stdout=stream, stderr=stream, env=os.environ | {"PYTHONPATH": str(TREE)}
        )
    try:
        while "ready." not in log.read_text():
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def child_megabytes(worker: psutil.Process) -> float:
    """Return the highest peak of resident memory among the worker's pool processes."""
    peaks = []
    for child in worker.children(recursive=True):
        status = Path(f"/proc/{child.pid}/status").read_text(encoding="ascii")
        peaks.append(int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024)
    return max(peaks)


class Diary:
    """What a worker's log says of its runs; read as it grows, so that who waits leaves it the processors."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._bytes_read = 0
        self._runs: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)

    def told(self, what: str) -> list[dict[str, Any]]:
        """Return what it says of every run so far, in the log's JSON and the message's."""
        with self.log.open("rb") as stream:
            stream.seek(self._bytes_read)
            lines = [line for line in stream if line.endswith(b"\n")]
        self._bytes_read += sum(map(len, lines))
        events = [json.loads(line).get("event", "") for line in lines if line[:1] == b"{"]
        for said in filter(None, (re.fullmatch(r"(\w+) (\{.*\})", event) for event in events)):
            self._runs[said[1]].append(json.loads(said[2]))
        return [*self._runs[what]]
