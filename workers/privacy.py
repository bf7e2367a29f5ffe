"""Tasks of the maintenance queue that keep personal data away: erasing what is asked for, and scanning."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Literal
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

Turn = Literal["linked_late", "erased", "completed"]

ORDERS_AT_ONCE: Final = 250
"""Orders that are erased in one transaction: each is locked, and the server has so many locks."""
LOCKS_MAX: Final = 1_500
"""Where more than these share a journey, only those that are named are locked."""
TURNS_MAX: Final = 50
"""Transactions of one task; the rest is the next one's."""
LETTERS_AT_ONCE: Final = 1_000
ROWS_AT_ONCE: Final = 1_000
"""Rows that are scanned in one transaction."""
ROWS_MAX: Final = 50_000
"""Rows that are scanned by one task; the rest is the next one's, so that none runs for long."""

log = get_task_logger(__name__)


@task("maintenance.fulfil_privacy_requests", TenantTask)
def fulfil_privacy_requests(self: TenantTask, *, tenant_id: str) -> dict[str, int]:
    """Do what the tenant's waiting requests ask, turn by turn, each in a transaction of its own.

    A request waits until its last turn is done, so a message more or less changes nothing.
    """
    done: dict[str, int] = Counter()
    for _ in range(TURNS_MAX):
        with self.transaction(tenant_id) as session:
            turn = _turn(session, UUID(tenant_id))
        if turn is None:
            break
        done[turn] += 1
    else:
        send(messages.fulfil_privacy_requests(tenant_id=UUID(tenant_id)), app=self.app)
    return dict(done)


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


def _turn(session: Session, tenant_id: UUID) -> Turn | None:
    """Do the next piece of work; None when there is none that somebody else is not at."""
    late = erasures.linked_late(session, ORDERS_AT_ONCE)
    if late:
        _erase(session, tenant_id, late)
        return "linked_late"
    request = privacy_requests.take(session)
    if request is None:
        return None
    if request.kind == "customer_data_request":
        keys = erasures.with_payments(session, request.order_ids)
        found = {**erasures.held(session, keys), "dead_letters": len(_letters_of(session, keys))}
        privacy_requests.complete(session, request, found)
        return "completed"
    return _redact(session, tenant_id, request)


def _redact(session: Session, tenant_id: UUID, request: Request) -> Turn:
    """Erase some more of a request's orders; with the last ones gone, what belongs to no order."""
    vendor = request.vendor if request.kind == "shop_redaction" else None
    keys = erasures.keys_of_vendor(session, vendor) if vendor else request.order_ids
    keys = erasures.with_payments(session, keys)
    waiting = erasures.not_erased(session, keys)[:ORDERS_AT_ONCE]
    if waiting:
        privacy_requests.note(session, request, _erase(session, tenant_id, waiting))
        return "erased"
    rest = erasures.erase(session, (), _letters_of(session, keys), vendor)
    privacy_requests.complete(session, request, rest)
    return "completed"


def _erase(session: Session, tenant_id: UUID, order_keys: Sequence[str]) -> Mapping[str, int]:
    """Erase orders under the locks that booking takes, so that neither sees half of the other."""
    reached = erasures.alongside(session, order_keys)
    locked = reached if len(reached) <= LOCKS_MAX else order_keys
    ledger.lock(session, tenant_id, "payment", locked)
    ledger.lock(session, tenant_id, "order", locked)
    return erasures.erase(session, order_keys, ())


def _letters_of(session: Session, order_keys: Sequence[str]) -> list[UUID]:
    """Return the dead letters that name one of the orders, page by page: no column says which they name."""
    sought, found = frozenset(order_keys), []
    after: Place | None = None
    while letters := dead_letters.oldest(session, Filter(), after, LETTERS_AT_ONCE):
        found += [one.dead_letter_id for one in letters if sought & keys_in(one.payload)]
        after = Place(letters[-1].received_at, letters[-1].dead_letter_id)
    return found
