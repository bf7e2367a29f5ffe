"""Prometheus understands the alerts, and each goes off when it should and not before: its own tool says."""

import shutil
import subprocess
from pathlib import Path

import pytest

CASES = Path(__file__).with_name("alerts.yaml")
RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yaml"


@pytest.mark.parametrize("asked", [("check", RULES), ("test", CASES)], ids=lambda asked: asked[0])
def test_prometheus_takes_the_rules_as_they_are_meant(asked: tuple[str, Path]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool, which comes with Prometheus, is not installed")
    done = subprocess.run(
        [promtool, asked[0], "rules", asked[1]], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
