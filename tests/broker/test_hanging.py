"""A worker that hangs keeps nobody's task for ever."""

import os
import signal
from dataclasses import replace
from typing import Any

from tests.broker.conftest import Site, eventually


def test_what_a_hanging_worker_holds_comes_to_another_one_in_the_end(tasks: Any, site: Site) -> None:
    """Its connection lives on, and so would its lease; when it goes on it has lost both, and works again."""
    impatient = replace(site, environment=site.environment | {"TEST_SILENT_SECONDS": "2"})
    hanging = impatient.start(name="hanging")
    tasks.effect.delay(key="hanging", value="begun", seconds=1)
    tasks.effect.delay(key="hanging", value="held", seconds=1)
    eventually(
        lambda: (
            site.count("SELECT count(*) FROM skeldir_broker.messages WHERE lease IS NOT NULL") == 2 or None
        )
    )
    os.killpg(hanging.pid, signal.SIGSTOP)
    try:
        impatient.start(name="other")
        eventually(lambda: {"begun", "held"} <= set(site.effects("hanging")) or None)
    finally:
        os.killpg(hanging.pid, signal.SIGCONT)
    eventually(lambda: site.is_empty() or None)
    tasks.effect.delay(key="hanging", value="last")
    eventually(lambda: "last" in site.effects("hanging") or None)
    assert hanging.poll() is None
