"""Tasks of the maintenance queue that keep personal data away: erasing what is asked for, and scanning."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from celery.utils.log import get_task_logger
from sqlalchemy.orm import Session

from skeldir.queue import messages
from skeldir.queue.sending import send
from skeldir.repository import dead_letters, erasures, ledger, pii_scans, privacy_requests
from skeldir.repository.dead_letters import Filter, Place
from skeldir.repository.privacy_requests import Request
from skeldir.vendors.kept import keys_in
from workers.base import TenantTask, task

LETTERS_AT_ONCE: Final = 1_000
ROWS_AT_ONCE: Final = 1_000
"""Rows that are scanned in one transaction."""
ROWS_MAX: Final = 50_000
"""Rows that are scanned by one task; the rest is the next one's, so that none runs for long."""

log = get_task_logger(__name__)


@task("maintenance.fulfil_privacy_requests", TenantTask)
def fulfil_privacy_requests(self: TenantTask, *, tenant_id: str) -> dict[str, int]:
    """Do what the tenant's waiting requests ask, each in one transaction with its audit row.

    A request is waiting until it is done, so a message more or less changes nothing.
    """
    with self.transaction(tenant_id) as session:
        waiting = privacy_requests.waiting(session)
    for request_id in waiting:
        with self.transaction(tenant_id) as session:
            request = privacy_requests.take(session, request_id)
            if request is not None:
                privacy_requests.complete(session, request_id, _fulfilled(session, UUID(tenant_id), request))
    with self.transaction(tenant_id) as session:
        late = erasures.linked_late(session)
        if late:
            _erased(session, UUID(tenant_id), late)
    return {"requests": len(waiting), "linked_late": len(late)}


@task("maintenance.scan_personal_data", TenantTask)
def scan_personal_data(self: TenantTask, *, tenant_id: str) -> dict[str, int]:
    """Judge what is stored of a tenant by the database's own wall, and write down where something is found.

    The scan goes on from where it is, whichever message it was sent by, so one more changes nothing.
    """
    rows = findings = 0
    is_over = False
    while rows < ROWS_MAX and not is_over:
        with self.transaction(tenant_id) as session:
            step = pii_scans.step(session, ROWS_AT_ONCE)
        rows, findings, is_over = rows + step.row_count, findings + step.finding_count, step.is_over
    if findings:
        log.warning("personal data found at %s new places", findings)
    if not is_over:
        send(messages.scan_personal_data(tenant_id=UUID(tenant_id)), app=self.app)
    return {"rows": rows, "findings": findings}


def _fulfilled(session: Session, tenant_id: UUID, request: Request) -> Mapping[str, int]:
    if request.kind == "customer_data_request":
        keys = erasures.with_payments(session, request.order_ids)
        return {**erasures.held(session, keys), "dead_letters": len(_letters_of(session, keys))}
    if request.kind == "customer_redaction":
        return _erased(session, tenant_id, request.order_ids)
    return _erased(session, tenant_id, erasures.keys_of_vendor(session, request.vendor), request.vendor)


def _erased(
    session: Session, tenant_id: UUID, order_ids: Sequence[str], vendor: str | None = None
) -> Mapping[str, int]:
    """Erase orders under the locks that booking takes, so that neither sees half of the other."""
    keys = erasures.with_payments(session, order_ids)
    ledger.lock(session, tenant_id, "payment", keys)
    ledger.lock(session, tenant_id, "order", keys)
    return erasures.erase(session, keys, _letters_of(session, keys), vendor)


def _letters_of(session: Session, order_keys: Sequence[str]) -> list[UUID]:
    """Return the dead letters that name one of the orders, page by page: no column says which they name."""
    sought, found = frozenset(order_keys), []
    after: Place | None = None
    while letters := dead_letters.oldest(session, Filter(), after, LETTERS_AT_ONCE):
        found += [one.dead_letter_id for one in letters if sought & keys_in(one.payload)]
        after = Place(letters[-1].received_at, letters[-1].dead_letter_id)
    return found
