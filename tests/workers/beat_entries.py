"""An application with the workers' scheduler and a schedule for tests: beats are started on it.

Its entries are due once an hour, but for one that shows that time goes on.
"""

from typing import Final

from skeldir.queue.broker import Application

NAMES: Final = tuple(f"test.entry_{number}" for number in range(5))
PULSE: Final = "test.pulse"

_OPTIONS: Final = {"queue": "llm", "expires": 600.0}

app = Application(
    "tests.beat",
    "app_worker",
    beat_scheduler="workers.beat:LeadingScheduler",
    beat_max_loop_interval=1,
    beat_schedule={
        **{name: {"task": name, "schedule": 3600.0, "options": _OPTIONS} for name in NAMES},
        PULSE: {"task": PULSE, "schedule": 0.2, "options": _OPTIONS},
    },
)
