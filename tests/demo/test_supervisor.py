"""Children live exactly as long as their supervisor."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from skeldir.supervisor import ChildEnded, Stopped, Supervisor, stoppable

REST = "import time; time.sleep(600)"
CHILD = f"""
import subprocess, sys
from skeldir.supervisor import end_with_parent
end_with_parent()
print("resting", flush=True)
{REST}
"""
PARENT = f"""
import os, sys
from pathlib import Path
from skeldir.supervisor import Supervisor
supervisor = Supervisor(log_dir=Path(sys.argv[1]))
child = supervisor.start("rest", [sys.executable, "-c", {CHILD!r}])
while "resting" not in child.log.read_text(): pass
print(child.process.pid, flush=True)
{REST}
"""


def wait_until_gone(pid: int, seconds: float = 10.0) -> bool:
    """Tell whether a process ends in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_dead_child_is_named(tmp_path: Path) -> None:
    """A child that ends is named, with its exit code and what it last wrote."""
    with Supervisor(log_dir=tmp_path) as supervisor:
        supervisor.start("brief", [sys.executable, "-c", "import sys; print('last words'); sys.exit(7)"])

        with pytest.raises(
            ChildEnded, match=r"brief process ended with exit code 7[\s\S]*last words"
        ) as ended:
            supervisor.watch()

    assert ended.value.exit_code == 7


def test_an_early_end_is_a_failure(tmp_path: Path) -> None:
    """A child that ends well, though nobody asked it to, is a failure too."""
    with Supervisor(log_dir=tmp_path) as supervisor:
        supervisor.start("brief", [sys.executable, "-c", ""])
        with pytest.raises(ChildEnded) as ended:
            supervisor.watch()
    assert ended.value.exit_code == 1


def test_the_deaf_are_killed(tmp_path: Path) -> None:
    """A child that does not listen is killed after the grace."""
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {REST}"
    supervisor = Supervisor(log_dir=tmp_path)
    child = supervisor.start("deaf", [sys.executable, "-c", deaf])
    while "deaf" not in child.log.read_text():
        supervisor.check()

    supervisor.stop(seconds=0.1)

    assert child.process.returncode == -signal.SIGKILL


def test_a_killed_supervisor_leaves_no_child(tmp_path: Path) -> None:
    """The kernel closes the pipe of a killed supervisor, and its children end."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())

    parent.kill()
    parent.wait()

    assert wait_until_gone(child)


def test_a_second_signal_does_not_disturb() -> None:
    """The first signal stops; the second does not interrupt the cleaning up."""
    cleaned = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            cleaned.append("all of it")

    with pytest.raises(Stopped), stoppable():
        work()
    assert cleaned == ["all of it"]
