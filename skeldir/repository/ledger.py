"""The ledger: immutable entries, what they add up to, and the locks under which they are booked."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from hashlib import blake2b
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.ids import fact_id
from skeldir.domain.ledger import Booked, Entry, Slot

_LOCK: Final = text("""
    SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS given (key)
""")

_BOOKED: Final = text("""
    SELECT order_id, kind, reference, currency, effective_at,
           CAST(sum(amount_cents) AS bigint) AS amount_cents, count(*) AS entry_count
      FROM ledger_entries
     WHERE order_id = ANY(CAST(:order_ids AS text[]))
     GROUP BY order_id, kind, reference, currency, effective_at
""")

_ADD: Final = text("""
    INSERT INTO ledger_entries (entry_id, order_id, kind, reference, correction, amount_cents, effect_cents,
                                currency, effective_at, booked_at, source, event_id)
    SELECT entry_id, order_id, kind, reference, correction, amount_cents, effect_cents,
           currency, effective_at, now(), :source, :event_id
      FROM unnest(CAST(:entry_ids AS uuid[]), CAST(:order_ids AS text[]), CAST(:kinds AS text[]),
                  CAST(:references AS text[]), CAST(:corrections AS integer[]), CAST(:amounts AS bigint[]),
                  CAST(:effects AS bigint[]), CAST(:currencies AS text[]),
                  CAST(:effective_ats AS timestamptz[]))
           AS given (entry_id, order_id, kind, reference, correction, amount_cents, effect_cents, currency,
                     effective_at)
""")


# Shorter than the server waits before it looks for deadlocks: who only tries is the one to give up.
_GIVE_WAY: Final = text("SET LOCAL lock_timeout = '100ms'")


@dataclass(frozen=True, slots=True)
class Cause:
    """What entries are booked for."""

    tenant_id: UUID
    event_id: UUID
    source: str


def lock(session: Session, tenant_id: UUID, rank: str, keys: Iterable[str]) -> None:
    """Lock names, payments or orders until the transaction ends.

    Names are locked before payments and these before orders, and within a rank in the order of their
    numbers, so that no two transactions can wait for each other.
    """
    numbers = sorted({_number(f"{tenant_id}\x1f{rank}\x1f{key}") for key in keys})
    if numbers:
        session.execute(_LOCK, {"keys": numbers})


def give_way(session: Session) -> None:
    """Fail soon in this transaction rather than wait for others, who book in earnest."""
    session.execute(_GIVE_WAY)


def booked(session: Session, order_ids: Sequence[str]) -> dict[str, dict[Slot, Booked]]:
    """Return what the entries of each order add up to, slot by slot."""
    found: dict[str, dict[Slot, Booked]] = defaultdict(dict)
    for row in session.execute(_BOOKED, {"order_ids": list(order_ids)}):
        slot = Slot(row.kind, row.reference, row.currency, row.effective_at.astimezone(UTC))
        found[row.order_id][slot] = Booked(row.amount_cents, row.entry_count)
    return found


def add(session: Session, cause: Cause, entries: Mapping[str, Sequence[Entry]]) -> None:
    """Book entries, by order."""
    rows = [(order_id, entry) for order_id, booked_for in entries.items() for entry in booked_for]
    if not rows:
        return
    parameters = {
        "source": cause.source,
        "event_id": cause.event_id,
        "entry_ids": [fact_id(cause.tenant_id, *entry.key(order_id)) for order_id, entry in rows],
        "order_ids": [order_id for order_id, _ in rows],
        "kinds": [entry.slot.kind for _, entry in rows],
        "references": [entry.slot.reference for _, entry in rows],
        "corrections": [entry.correction for _, entry in rows],
        "amounts": [entry.amount_cents for _, entry in rows],
        "effects": [entry.effect_cents for _, entry in rows],
        "currencies": [entry.slot.currency for _, entry in rows],
        "effective_ats": [entry.slot.effective_at for _, entry in rows],
    }
    session.execute(_ADD, parameters)


def _number(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)
