"""The workers' application with a schedule for tests: beats are started on it as on the real one.

Its entries are due once an hour, but for one that shows that time goes on.
"""

from typing import Final

from workers.app import app

NAMES: Final = tuple(f"test.entry_{number}" for number in range(5))
PULSE: Final = "test.pulse"

_OPTIONS: Final = {"queue": "llm", "expires": 600.0}
app.conf.beat_schedule = {
    **{name: {"task": name, "schedule": 3600.0, "options": _OPTIONS} for name in NAMES},
    PULSE: {"task": PULSE, "schedule": 0.2, "options": _OPTIONS},
}
