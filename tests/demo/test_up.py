"""`skeldir up` starts everything, says how to use it, and leaves nothing behind however it ends."""

import json
import signal
import socket
import stat
from pathlib import Path

import httpx
import pytest

from tests.demo.conftest import Start, family, gone

READY = ("up", "--json", "--port", "0")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_it_prints_one_line_and_leaves_nothing(start: Start, ending: signal.Signals) -> None:
    """The line holds what a script needs; afterwards no process and no data are left, killed or not."""
    process = start(*READY, "--ephemeral")
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert {"base_url", "tenant_id", "tenant_key", "webhook", "login"} <= set(told)
    assert set(told["webhook"]) == {"shopify", "stripe", "woocommerce", "custom"}
    assert set(told["login"]) == {"email", "password", "tenant_id"}
    with httpx.Client(base_url=told["base_url"], trust_env=False) as client:
        assert client.get("/api/health/ready").status_code == 200
        assert client.post("/api/auth/login", json=told["login"]).status_code == 200
        assert client.get("/console/sign-in").status_code == 200
    everybody = family(process, told["data_dir"])
    names = " ".join(" ".join(each.cmdline()) for each in everybody)
    assert "postgres" in names
    assert "worker" in names

    process.send_signal(ending)

    assert process.wait(60) == (-ending if ending == signal.SIGKILL else 0)
    assert gone(everybody) == []
    assert process.stdout.read() == ""
    assert not Path(told["data_dir"]).exists()


def test_a_later_start_prints_the_same_credentials(start: Start, data_dir: Path) -> None:
    """Keys are stored as hashes only, so the local tenant's are kept beside the data, for the owner alone."""
    told = []
    for _ in range(2):
        process = start(*READY)
        assert process.stdout is not None
        told.append(json.loads(process.stdout.readline()))
        process.terminate()
        assert process.wait(60) == 0
    assert told[0]["login"] == told[1]["login"]
    assert told[0]["tenant_key"] == told[1]["tenant_key"]
    assert stat.S_IMODE((data_dir / "local.json").stat().st_mode) == 0o600


def test_a_dead_process_ends_it_with_its_exit_code(start: Start) -> None:
    """Nothing is restarted silently: whoever watches learns what died and how."""
    process = start(*READY, "--ephemeral")
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    everybody = family(process, told["data_dir"])
    worker = next(each for each in everybody if "worker" in each.cmdline() and each.ppid() == process.pid)

    worker.kill()

    assert process.wait(60) == 128 + signal.SIGKILL
    assert process.stderr is not None
    assert "The worker process was ended by SIGKILL" in process.stderr.read()
    assert gone(everybody) == []


def test_a_taken_port_is_said_at_once(start: Start) -> None:
    """Before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("up", "--port", str(taken.getsockname()[1]), "--ephemeral")
        assert process.wait(30) == 1
    assert process.stderr is not None
    assert "choose another --port" in process.stderr.read()


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("SKELDIR_DATA_DIR", "/dev/null", "The data directory /dev/null cannot be used (File exists): set"),
        ("SKELDIR_LOOKBACK_DAYS", "hunter2", "SKELDIR_LOOKBACK_DAYS: Input should be a valid integer"),
        ("DATABASE_URL", "hunter2", "A database's address is written like postgresql://"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_sentence(
    start: Start, variable: str, value: str, sentence: str
) -> None:
    """It names what to change, and not its value where that may be a secret in the wrong variable."""
    process = start("up", "--port", "0", **{variable: value})
    assert process.wait(60) == (3 if variable == "DATABASE_URL" else 1)
    assert process.stderr is not None
    told = process.stderr.read()
    assert sentence in told
    assert "Traceback" not in told
    assert "hunter2" not in told
