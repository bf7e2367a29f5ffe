"""What Beat sends, and when. A message that waited longer than its period is worth nothing.

Jitter: a message comes up to so many seconds late, at random, so that not all that is due at the same
instant, of this service and of others at the same server, begins at the same instant.
"""

from typing import Any, Final

from celery.schedules import crontab

SWEEP_SECONDS: Final = 5.0
MINUTE: Final = 60.0
HOUR: Final = 3_600.0
DAY: Final = 24 * HOUR

QUEUE: Final = "housekeeping"


def _every(seconds: float, task: str, *, jitter: float = 0.0) -> dict[str, Any]:
    return {"task": task, "schedule": seconds, "options": _options(seconds, jitter)}


def _nightly(hour: int, task: str) -> dict[str, Any]:
    """Send once a day, within half an hour from an hour on, UTC; one that was missed is made up for."""
    return {"task": task, "schedule": crontab(hour=hour, minute=0), "options": _options(DAY, HOUR / 2)}


def _options(expires: float, jitter: float) -> dict[str, Any]:
    return {"queue": QUEUE, "expires": expires, "jitter": jitter}


BEAT_SCHEDULE: Final[dict[str, dict[str, Any]]] = {
    "wake up the work that waits": _every(SWEEP_SECONDS, "housekeeping.sweep"),
    "cover orders by new versions of models": _every(MINUTE, "housekeeping.fill_back"),
    "apply channel mappings": _every(MINUTE, "housekeeping.reclassify_tenants"),
    "do what privacy requests ask": _every(HOUR, "housekeeping.fulfil_privacy_requests", jitter=MINUTE),
    "complete and check the summaries": _every(HOUR, "housekeeping.refresh_summaries", jitter=5 * MINUTE),
    "say how certain the figures are": _every(HOUR, "housekeeping.refresh_intervals", jitter=5 * MINUTE),
    "watch what no rule tells apart": _every(HOUR, "housekeeping.measure_unknown_shares", jitter=5 * MINUTE),
    "delete what has expired": _every(HOUR, "housekeeping.prune_tenants", jitter=5 * MINUTE),
    "fit the models anew": _nightly(1, "housekeeping.refit_tenants"),
    "audit attribution": _nightly(2, "housekeeping.audit_tenants"),
    "let go what is old": _nightly(3, "housekeeping.enforce_retention"),
    "look for personal data": _nightly(4, "housekeeping.scan_tenants"),
    "forget results": _nightly(5, "celery.backend_cleanup"),
}
