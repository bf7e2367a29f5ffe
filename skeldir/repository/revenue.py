"""What the ledger holds of a tenant, and the channels that its revenue can be credited to."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_LEDGER: Final = text("""
    SELECT currency, kind, count(*) AS entry_count, CAST(sum(effect_cents) AS bigint) AS effect_cents
      FROM ledger_entries
     GROUP BY currency, kind
     ORDER BY currency, kind
""")

# A payment that was booked before its order was known leaves entries that cancel out: no order of its own.
_LEDGER_ORDERS: Final = text("""
    SELECT currency, count(*) FILTER (WHERE is_order) AS order_count
      FROM (SELECT currency, order_key, bool_or(amount_cents <> 0) AS is_order
              FROM (SELECT currency, order_id COLLATE "C" AS order_key, kind,
                           sum(amount_cents) AS amount_cents
                      FROM ledger_entries
                     GROUP BY currency, order_key, kind) AS told
             GROUP BY currency, order_key) AS known
     GROUP BY currency
""")


@dataclass(frozen=True, slots=True)
class LedgerKind:
    """The entries of one kind in one currency."""

    currency: str
    kind: str
    entry_count: int
    effect_cents: int


def ledger(session: Session) -> list[LedgerKind]:
    """Add up the whole ledger per currency and kind."""
    return [LedgerKind(*row) for row in session.execute(_LEDGER)]


def ledger_orders(session: Session) -> dict[str, int]:
    """Count the orders in each currency."""
    return {row.currency: row.order_count for row in session.execute(_LEDGER_ORDERS)}
