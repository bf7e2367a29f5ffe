"""However many beats run, each entry is sent once: two real processes, killed, cut off and paused."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest

from tests import waiting
from tests.conftest import Database
from tests.workers.beat_entries import NAMES, PULSE
from tests.workers.conftest import TREE, eventually, running

COMMAND = (sys.executable, "-m", "celery", "-A", "tests.workers.beat_entries", "beat", "--pidfile=")
OLD = "UPDATE skeldir_broker.schedule_entries SET last_run_at = now() - interval '2 hours'"
FORGET = "DELETE FROM skeldir_broker.schedule_entries"
CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^skeldir_beat'"
LEADER = """
    SELECT substring(application_name FROM '^skeldir_beat ([0-9]+)@')::integer
      FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE locktype = 'advisory' AND granted AND application_name ~ '^skeldir_beat'
"""


@dataclass
class Stage:
    """Two beats on one database."""

    superuser: psycopg.Connection
    log: Path
    beats: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def complete(self) -> None:
        """See to it that two beats run and one of them leads."""
        while len(self.beats) < 2:
            with self.log.open("ab") as stream:
                process = subprocess.Popen(
                    COMMAND,
                    cwd=TREE,
                    stdout=stream,
                    stderr=stream,
                    env=os.environ | {"PYTHONPATH": str(TREE)},
                )
            self.beats[process.pid] = process
        self.leader()
        eventually(lambda: True if len(self.connected()) == 2 else None)

    def connected(self) -> list[object]:
        return self.superuser.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name ~ '^skeldir_beat'"
        ).fetchall()

    def leader(self, *, other_than: int = 0) -> int:
        """Return who leads, once somebody does: its process id."""

        def found() -> int | None:
            row = self.superuser.execute(LEADER).fetchone()
            return row[0] if row is not None and row[0] != other_than else None

        return eventually(found)

    def kill(self, pid: int) -> None:
        process = self.beats.pop(pid)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def sent(self) -> Counter[str]:
        """Count what was sent, entry by entry."""
        return Counter(headers["task"] for headers in waiting.headers(self.superuser))

    def make_due(self) -> None:
        """Make every entry due, and forget what was sent."""
        eventually(lambda: self.sent()[PULSE] or None)
        waiting.clear(self.superuser)
        self.superuser.execute(OLD)

    def expect_once(self) -> None:
        """See each entry sent once, and not again while time goes on."""
        eventually(lambda: True if set(NAMES) <= set(self.sent()) else None)
        before = self.sent()[PULSE]
        eventually(lambda: True if self.sent()[PULSE] > before + 3 else None)
        assert {name: self.sent()[name] for name in NAMES} == dict.fromkeys(NAMES, 1)


@pytest.fixture(scope="module")
def place(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with database.connect() as superuser:
        waiting.clear(superuser)
        superuser.execute(FORGET)
        stage = Stage(superuser, tmp_path_factory.mktemp("beat") / "log")
        yield stage
        for pid in tuple(stage.beats):
            stage.kill(pid)
        waiting.clear(superuser)
        superuser.execute(FORGET)


@pytest.fixture
def stage(place: Stage) -> Stage:
    place.complete()
    return place


def test_of_two_beats_one_sends_each_entry_once(stage: Stage) -> None:
    """A new entry is not due before its first period is over."""
    eventually(lambda: stage.sent()[PULSE] or None)
    assert not set(NAMES) & set(stage.sent())
    stage.make_due()
    stage.expect_once()


def test_another_beat_takes_over_when_the_leader_is_killed(stage: Stage) -> None:
    leader = stage.leader()
    stage.make_due()
    stage.kill(leader)
    assert stage.leader(other_than=leader) in stage.beats
    stage.expect_once()


def test_the_beat_of_a_worker_that_is_killed_ends(database: Database, tmp_path: Path) -> None:
    """Or it would go on sending, one more of them with every worker that is killed."""
    assert database
    with running(tmp_path, "--beat") as worker:
        own = psutil.Process(worker.process.pid).children(recursive=True)
        assert len(own) == 2, "one that runs tasks, and the beat"
        worker.process.kill()
        _, alive = psutil.wait_procs(own, timeout=30)
        assert alive == []


def test_a_beat_whose_connection_is_cut_sends_nothing_until_it_leads_again(stage: Stage) -> None:
    """What is sent and that it was sent are one transaction: it is sent once, whenever it was cut off."""
    for _ in range(2):
        stage.make_due()
        stage.superuser.execute(CUT_OFF)
        stage.expect_once()
    assert all(process.poll() is None for process in stage.beats.values())


def test_a_beat_that_hangs_is_replaced_and_sends_nothing_when_it_goes_on(stage: Stage) -> None:
    """Its connection would live on with its lock; the server ends one that says nothing for too long."""
    hanging = stage.leader()
    stage.beats[hanging].send_signal(signal.SIGSTOP)
    other = stage.leader(other_than=hanging)
    stage.make_due()
    stage.beats[hanging].send_signal(signal.SIGCONT)
    stage.expect_once()
    assert stage.leader() == other
