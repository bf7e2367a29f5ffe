"""The ledger: immutable entries, what they add up to, and the locks under which they are booked."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.db.statements import Work, run
from skeldir.domain.ids import fact_id
from skeldir.domain.ledger import Booked, Entry, Slot
from skeldir.repository.facts import in_utc

_LOCK: Final = """
    SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(%(keys)s AS bigint[])) AS given (key)
"""

BOOKED: Final = """
    SELECT known.slot
      FROM asked, LATERAL (
               SELECT json_build_array(asked.order_id, kind, reference, currency, effective_at,
                                       CAST(sum(amount_cents) AS bigint), count(*)) AS slot
                 FROM ledger_entries WHERE order_id = asked.order_id
                GROUP BY kind, reference, currency, effective_at) AS known
"""

INSERT: Final = """
    INSERT INTO ledger_entries (entry_id, order_id, kind, reference, correction, amount_cents, effect_cents,
                                currency, effective_at, source, event_id, booked_at)
    SELECT entry.*, now()
      FROM sent, jsonb_to_recordset(sent.document -> 'entries')
           AS entry (entry_id uuid, order_id text, kind text, reference text, correction integer,
                     amount_cents bigint, effect_cents bigint, currency text, effective_at timestamptz,
                     source text, event_id uuid)
"""

# Shorter than the server waits before it looks for deadlocks: who only tries is the one to give up.
_GIVE_WAY: Final = text("SET LOCAL lock_timeout = '100ms'")


@dataclass(frozen=True, slots=True)
class Cause:
    """What entries are booked for."""

    tenant_id: UUID
    event_id: UUID
    source: str


def lock(work: Work, tenant_id: UUID, rank: str, keys: Iterable[str]) -> None:
    """Lock names, payments or orders until the transaction ends.

    Names are locked before payments and these before orders, and within a rank in the order of their
    numbers, so that no two transactions can wait for each other.
    """
    numbers = lock_numbers(tenant_id, rank, keys)
    if numbers:
        run(work, _LOCK, {"keys": numbers})


def lock_numbers(tenant_id: UUID, rank: str, keys: Iterable[str]) -> list[int]:
    """Return what `lock` locks, in its order."""
    return sorted({_number(f"{tenant_id}\x1f{rank}\x1f{key}") for key in keys})


def give_way(session: Session) -> None:
    """Fail soon in this transaction rather than wait for others, who book in earnest."""
    session.execute(_GIVE_WAY)


def by_order(found: Iterable[Sequence[Any]]) -> dict[str, dict[Slot, Booked]]:
    """Group what BOOKED found: what the entries of each order add up to, slot by slot."""
    held: dict[str, dict[Slot, Booked]] = defaultdict(dict)
    for order_id, kind, reference, currency, effective_at, amount_cents, entry_count in found:
        slot = Slot(kind, reference, currency, in_utc(effective_at))
        held[order_id][slot] = Booked(amount_cents, entry_count)
    return held


def rows(cause: Cause, entries: Mapping[str, Iterable[Entry]]) -> list[dict[str, object]]:
    """Return entries, by order, as INSERT reads them."""
    return [
        {
            "entry_id": fact_id(cause.tenant_id, *entry.key(order_id)),
            "order_id": order_id,
            "kind": entry.slot.kind,
            "reference": entry.slot.reference,
            "correction": entry.correction,
            "amount_cents": entry.amount_cents,
            "effect_cents": entry.effect_cents,
            "currency": entry.slot.currency,
            "effective_at": entry.slot.effective_at,
            "source": cause.source,
            "event_id": cause.event_id,
        }
        for order_id, booked_for in entries.items()
        for entry in booked_for
    ]


def _number(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)
