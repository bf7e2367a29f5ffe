"""What Beat sends, and how often. A message that waited longer than its period is worth nothing."""

from typing import Any, Final

SWEEP_SECONDS: Final = 5.0
MINUTE: Final = 60.0
HOUR: Final = 3_600.0
DAY: Final = 24 * HOUR


def _every(seconds: float, task: str, queue: str) -> dict[str, Any]:
    return {"task": task, "schedule": seconds, "options": {"queue": queue, "expires": seconds}}


BEAT_SCHEDULE: Final[dict[str, dict[str, Any]]] = {
    "wake up the work that waits": _every(SWEEP_SECONDS, "housekeeping.sweep", "housekeeping"),
    "cover orders by new versions of models": _every(MINUTE, "housekeeping.fill_back", "housekeeping"),
    "fit the models anew": _every(DAY, "housekeeping.refit_tenants", "housekeeping"),
    "do what privacy requests ask": _every(HOUR, "housekeeping.fulfil_privacy_requests", "housekeeping"),
    "complete and check the summaries": _every(HOUR, "housekeeping.refresh_summaries", "housekeeping"),
    "say how certain the figures are": _every(HOUR, "housekeeping.refresh_intervals", "housekeeping"),
    "apply channel mappings": _every(MINUTE, "housekeeping.reclassify_tenants", "housekeeping"),
    "audit attribution": _every(DAY, "housekeeping.audit_tenants", "housekeeping"),
    "look for personal data": _every(DAY, "housekeeping.scan_tenants", "housekeeping"),
    "delete what has expired": _every(HOUR, "housekeeping.prune_tenants", "housekeeping"),
}
