"""The ledger's entries of one order, and the orders of which a part is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.ledger import EntryKind, Slot

UnresolvedReason = Literal["unresolved_order", "unlinked_payment"]

ENTRIES_MAX: Final = 1_000

_ENTRIES: Final = text("""
    SELECT entry_id, kind, reference, correction, amount_cents, effect_cents, currency, effective_at,
           booked_at, source
      FROM ledger_entries
     WHERE order_id = :order_id
     ORDER BY effective_at DESC, kind DESC, reference COLLATE "C" DESC, currency DESC, correction DESC
     LIMIT :limit
""")

_SLOTS: Final = text("""
    SELECT kind, reference, currency, effective_at, CAST(sum(amount_cents) AS bigint) AS amount_cents
      FROM ledger_entries
     WHERE order_id = :order_id
     GROUP BY kind, reference, currency, effective_at
    HAVING sum(amount_cents) <> 0
""")

# Only a payment is told by no shop and named by no link: whoever names one makes it another order's.
# What cancels out in a slot was taken back again, or moved to the order it turned out to belong to.
_UNRESOLVED: Final = text("""
    WITH candidate AS MATERIALIZED (
        SELECT tenant_id, order_id, false AS is_payment
          FROM ledger_entries
         WHERE kind IN ('refunded', 'disputed') AND effective_at < :missing_since
           AND CAST(:reason AS text) IS DISTINCT FROM 'unlinked_payment'
         GROUP BY tenant_id, order_id
        UNION ALL
        SELECT told.tenant_id, told.order_id, true
          FROM orders AS told
         WHERE CAST(:reason AS text) IS DISTINCT FROM 'unresolved_order'
           AND EXISTS (SELECT FROM webhook_endpoints
                        WHERE vendor IN ('shopify', 'woocommerce', 'custom') AND revoked_at IS NULL)
           AND NOT EXISTS (SELECT FROM facts AS fact
                            WHERE fact.tenant_id = told.tenant_id AND fact.order_key = told.order_id
                              AND fact.authority = 'shop')
           AND NOT EXISTS (SELECT FROM order_links AS link
                            WHERE link.tenant_id = told.tenant_id AND link.order_id = told.order_id)
    ), asked AS MATERIALIZED (
        SELECT tenant_id, order_id, bool_or(is_payment) AS is_payment
          FROM candidate
         GROUP BY tenant_id, order_id
    ), slot AS (
        SELECT asked.tenant_id, asked.order_id, asked.is_payment, entry.kind, entry.currency,
               entry.effective_at
          FROM asked
          JOIN ledger_entries AS entry
            ON entry.tenant_id = asked.tenant_id AND entry.order_id = asked.order_id
         WHERE entry.kind <> 'authorised'
         GROUP BY asked.tenant_id, asked.order_id, asked.is_payment, entry.kind, entry.reference,
                  entry.currency, entry.effective_at
        HAVING sum(entry.amount_cents) <> 0
    ), standing AS (
        SELECT order_id, is_payment, min(effective_at) AS effective_at,
               bool_or(kind = 'captured') AS is_captured,
               min(effective_at) FILTER (WHERE kind IN ('refunded', 'disputed')) AS reversed_at,
               bool_or(CAST(:currency AS text) IS NULL OR currency = CAST(:currency AS text)) AS is_asked
          FROM slot
         GROUP BY tenant_id, order_id, is_payment
    ), listed AS (
        SELECT order_id, effective_at,
               CASE WHEN is_captured THEN 'unlinked_payment' ELSE 'unresolved_order' END AS reason
          FROM standing
         WHERE is_asked
           AND CASE WHEN is_captured THEN is_payment ELSE reversed_at < :missing_since END
    )
    SELECT order_id, reason, effective_at
      FROM listed
     WHERE (CAST(:reason AS text) IS NULL OR reason = CAST(:reason AS text))
       AND (CAST(:after_at AS timestamptz) IS NULL
            OR (effective_at, order_id COLLATE "C")
               > (CAST(:after_at AS timestamptz), CAST(:after_id AS text)))
     ORDER BY effective_at, order_id COLLATE "C"
     LIMIT :limit
""")

_NET: Final = text("""
    SELECT order_id, currency, CAST(sum(effect_cents) AS bigint) AS net_cents
      FROM ledger_entries
     WHERE order_id = ANY(CAST(:order_ids AS text[]))
     GROUP BY order_id, currency
    HAVING count(*) FILTER (WHERE kind <> 'authorised') > 0
     ORDER BY currency
""")


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """One row of the ledger."""

    entry_id: UUID
    kind: EntryKind
    reference: str
    correction: int
    amount_cents: int
    effect_cents: int
    currency: str
    effective_at: datetime
    booked_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class UnresolvedOrder:
    """An order of which a part is missing."""

    order_id: str
    reason: UnresolvedReason
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list ends."""

    effective_at: datetime
    order_id: str


@dataclass(frozen=True, slots=True)
class Question:
    """Which unresolved orders are asked for."""

    missing_since: datetime
    """Nothing that happened before this will still be delivered."""
    reason: UnresolvedReason | None = None
    currency: str | None = None


def entries(session: Session, order_id: str) -> list[BookedEntry]:
    """Return the last entries of an order, the earliest of them first."""
    found = session.execute(_ENTRIES, {"order_id": order_id, "limit": ENTRIES_MAX}).mappings()
    return [BookedEntry(**row) for row in found][::-1]


def slots(session: Session, order_id: str) -> dict[Slot, int]:
    """Return what an order's entries add up to, slot by slot."""
    return {
        Slot(row.kind, row.reference, row.currency, row.effective_at.astimezone(UTC)): row.amount_cents
        for row in session.execute(_SLOTS, {"order_id": order_id})
    }


def unresolved(session: Session, asked: Question, after: Place | None, limit: int) -> list[UnresolvedOrder]:
    """Return a page of the orders of which a part is missing, the oldest first."""
    parameters = {
        "missing_since": asked.missing_since,
        "reason": asked.reason,
        "currency": asked.currency,
        "after_at": after and after.effective_at,
        "after_id": after and after.order_id,
        "limit": limit,
    }
    return [UnresolvedOrder(**row) for row in session.execute(_UNRESOLVED, parameters).mappings()]


def net(session: Session, order_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return the net revenue of some orders per currency."""
    found: dict[str, dict[str, int]] = {order_id: {} for order_id in order_ids}
    for row in session.execute(_NET, {"order_ids": list(order_ids)}):
        found[row.order_id][row.currency] = row.net_cents
    return found
