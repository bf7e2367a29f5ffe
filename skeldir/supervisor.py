"""Child processes that live exactly as long as the process that started them.

Each child is given a pipe as its standard input and ends when that pipe closes. The kernel closes
it however the supervisor ends, so a supervisor killed outright leaves nothing behind either.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, Self

STOP_SECONDS = 10.0
POLL_SECONDS = 0.1
TAIL_LINES = 20
STOPPING_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked this process to end: not an error, and nothing may take it for one."""


class ChildEnded(Exception):
    """A child process ended although nobody had asked it to."""

    def __init__(self, child: "Child") -> None:
        """Say which child ended, how, and what it had last written."""
        self.exit_code = child.exit_code()
        how = f"ended with exit code {child.process.returncode}"
        if child.process.returncode < 0:
            how = f"was ended by {signal.Signals(-child.process.returncode).name}"
        super().__init__(f"The {child.name} process {how}. Its log is {child.log}\n{child.last_lines()}")


@dataclass(frozen=True, slots=True)
class Child:
    """One running child and the file that it writes to."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def exit_code(self) -> int:
        """Return what a shell would report; never 0, since the child should still be running."""
        code = self.process.returncode
        return 128 - code if code < 0 else code or 1

    def last_lines(self) -> str:
        """Return the end of the child's log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-TAIL_LINES:])


class Supervisor:
    """Starts children, notices when one ends, and stops all of them on the way out."""

    def __init__(self, *, log_dir: Path) -> None:
        """Children inherit this process's environment and write to `<log_dir>/<name>.log`."""
        self._log_dir = log_dir
        self.children: list[Child] = []

    def start(self, name: str, arguments: Sequence[str], *, descriptors: Sequence[int] = ()) -> Child:
        """Start one child in a group of its own, so that Ctrl-C reaches only the supervisor."""
        self._log_dir.mkdir(parents=True, exist_ok=True)
        path = self._log_dir / f"{name}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=descriptors,
                start_new_session=True,
            )
        child = Child(name, process, path)
        self.children.append(child)
        return child

    def check(self) -> None:
        """Raise ChildEnded when a child is no longer running."""
        for child in self.children:
            if child.process.poll() is not None:
                raise ChildEnded(child)

    def last_lines(self) -> str:
        """Return the end of every child's log."""
        return "\n".join(f"{child.log}\n{child.last_lines()}" for child in self.children)

    def watch(self) -> NoReturn:
        """Wait until a child ends (ChildEnded) or a signal asks to stop (Stopped)."""
        while True:
            self.check()
            time.sleep(POLL_SECONDS)

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """Ask every child to end, the last started first, and kill what has not after a while."""
        running = [child for child in reversed(self.children) if child.process.poll() is None]
        for child in running:
            with suppress(ProcessLookupError):
                child.process.terminate()
        deadline = time.monotonic() + seconds
        for child in running:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
        for child in self.children:
            # The whole group, also of a child that died: it may have left children of its own.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()
            if child.process.stdin is not None:
                child.process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn the first stopping signal into Stopped in the main thread and ignore later ones.

    An impatient second Ctrl-C must not interrupt the cleaning up that the first one began; how
    long that takes is bounded by `Supervisor.stop`.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in STOPPING_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    before = {each: signal.signal(each, stop) for each in STOPPING_SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def end_with_parent() -> None:
    """End this process when its standard input closes; called by a supervised child."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os.killpg(os.getpgrp(), signal.SIGKILL)  # it leads its own group: see Supervisor.start

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
