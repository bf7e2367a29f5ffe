"""The task of the maintenance queue that enforces retention: what is older than its policy allows goes."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from skeldir.queue import messages
from skeldir.queue.sending import send
from skeldir.repository import retention
from skeldir.repository.retention import Policy
from skeldir.settings import Settings, get_settings
from workers.base import TenantTask, task

ROWS_AT_ONCE: Final = 1_000
"""Rows that go in one transaction, with its line in `retention_runs`."""
BATCHES_MAX: Final = 20
"""Transactions of one policy in one task; the rest is the next one's, so that none runs for long."""


def periods(settings: Settings) -> Mapping[Policy, int]:
    """Return for how many days each policy keeps what it is about; a letter goes before its attempts."""
    return {
        "dead_letter_payloads": settings.dead_letter_payload_days,
        "settled_dead_letters": settings.settled_dead_letter_days,
        "dead_letter_attempts": settings.dead_letter_attempt_days,
        "deliveries": settings.delivery_days,
        "export_manifests": settings.export_manifest_days,
        "parked_messages": settings.parked_message_days,
    }


@task("maintenance.enforce_retention", TenantTask)
def enforce_retention(self: TenantTask, *, tenant_id: str) -> dict[str, int]:
    """Enforce every policy; return how many rows went by each. What is gone does not go twice.

    The ledger, and the events and facts it was booked from, are no policy's.
    """
    gone: dict[str, int] = {}
    has_more = False
    for policy, days in periods(get_settings()).items():
        gone[policy] = 0
        for _ in range(BATCHES_MAX):
            with self.transaction(tenant_id) as session:
                count = retention.enforce(session, policy, days, ROWS_AT_ONCE)
            gone[policy] += count
            if count < ROWS_AT_ONCE:
                break
        else:
            has_more = True
    if has_more:
        send(messages.enforce_retention(tenant_id=UUID(tenant_id)), app=self.app)
    return gone
