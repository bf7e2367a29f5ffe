"""Tidies up behind a service that was killed: `python -m skeldir.janitor FOLDER keep|remove`.

It waits until its standard input closes, which happens however its parent ends, then until nobody
uses the embedded server of the folder any more, stops that server and removes what may not stay.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from skeldir.db.binaries import find_installation
from skeldir.db.embedded import Home, stop

WAIT_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.1


def main(folder: Path, *, remove: bool) -> None:
    """Wait for the end of the parent, then tidy up."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # who is told to end early cannot tidy up
    while os.read(0, 1024):
        pass
    if folder.exists() and _stop_unused_server(folder) and remove:
        for path in {folder, Home.under(folder).path}:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def tidying_behind(folder: Path, *, remove: bool) -> Iterator[None]:
    """Have a janitor tidy up when this block, or this process in whichever way, ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "skeldir.janitor", str(folder), "remove" if remove else "keep"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        if process.stdin is not None:
            process.stdin.close()  # it goes on until our lease has ended too, and needs no waiting for


def _stop_unused_server(folder: Path) -> bool:
    """Stop the folder's server once nobody holds a lease; False when somebody keeps it."""
    home = Home.under(folder)
    installation = find_installation(home.user)
    deadline = time.monotonic() + WAIT_SECONDS
    lock = os.open(home.path / "lease.lock", os.O_RDWR | os.O_CREAT, 0o600)
    while time.monotonic() < deadline:
        with home.starting_or_stopping():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                stop(home, installation)
                return True
        time.sleep(POLL_SECONDS)
    return False


if __name__ == "__main__":
    main(Path(sys.argv[1]), remove=sys.argv[2] == "remove")
