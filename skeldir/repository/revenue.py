"""Revenue as reports show it: channels against the ledger, in one statement and one snapshot each.

Ledger and allocations are added up side by side (UNION ALL, GROUP BY) rather than joined: so every
entry without allocations shows as pending, an allocation without its entry would show as a difference,
and the cost stays linear whatever the planner knows of the tenant.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.windows import Window

_TOTALS: Final = text("""
    WITH part AS (
        SELECT tenant_id, entry_id, currency, effect_cents, 0 AS allocated_cents, 0 AS is_allocated
          FROM ledger_entries
         WHERE effective_at >= :start AND effective_at < :end
        UNION ALL
        SELECT tenant_id, entry_id, currency, 0, allocated_cents, 1
          FROM allocations
         WHERE model_version = :model_version
           AND effective_at >= :start AND effective_at < :end
    ), entry AS (
        SELECT currency, sum(effect_cents) AS effect_cents, sum(allocated_cents) AS allocated_cents,
               max(is_allocated) AS is_allocated
          FROM part
         GROUP BY tenant_id, entry_id, currency
    )
    SELECT currency,
           CAST(sum(effect_cents) AS bigint) AS ledger_net_cents,
           CAST(sum(allocated_cents) AS bigint) AS allocated_cents,
           CAST(coalesce(sum(effect_cents) FILTER (WHERE is_allocated = 0), 0) AS bigint) AS pending_cents
      FROM entry
     WHERE CAST(:currency AS text) IS NULL OR currency = CAST(:currency AS text)
     GROUP BY currency
     ORDER BY currency
""")

# What was taken back is told by the kind of the entry: a negative correction of a capture takes nothing
# back, and what it cancels out entirely was no order. Each entry is looked up by its key.
_CHANNELS: Final = text("""
    WITH credited AS (
        SELECT part.currency, part.channel_code, sum(part.allocated_cents) AS revenue_cents,
               coalesce(sum(part.allocated_cents) FILTER (WHERE entry.kind IN ('refunded', 'disputed')), 0)
                   AS reversed_cents,
               coalesce(sum(part.allocated_cents) FILTER (WHERE entry.kind IN ('captured', 'adjusted')), 0)
                   AS credited_cents
          FROM allocations AS part
          JOIN ledger_entries AS entry ON entry.tenant_id = part.tenant_id AND entry.entry_id = part.entry_id
         WHERE part.model_version = :model_version
           AND part.effective_at >= :start AND part.effective_at < :end
           AND (CAST(:currency AS text) IS NULL OR part.currency = CAST(:currency AS text))
         GROUP BY part.currency, part.channel_code, part.order_id
    ), total AS (
        SELECT currency, channel_code,
               CAST(sum(revenue_cents) AS bigint) AS revenue_cents,
               CAST(sum(reversed_cents) AS bigint) AS reversed_cents,
               count(*) FILTER (WHERE credited_cents <> 0) AS order_count
          FROM credited
         GROUP BY currency, channel_code
    )
    SELECT total.*, channel.display_name AS channel_name, channel.family, channel.is_paid
      FROM total
      JOIN channels AS channel ON channel.code = total.channel_code
     ORDER BY currency, revenue_cents DESC, channel_code COLLATE "C"
""")

_LEDGER: Final = text("""
    SELECT currency, kind, count(*) AS entry_count, CAST(sum(effect_cents) AS bigint) AS effect_cents
      FROM ledger_entries
     GROUP BY currency, kind
     ORDER BY currency, kind
""")

# A payment that was booked before its order was known leaves entries that cancel out: no order of its own.
_LEDGER_ORDERS: Final = text("""
    WITH told AS (
        SELECT currency, order_id, kind, sum(amount_cents) AS amount_cents
          FROM ledger_entries
         GROUP BY currency, order_id, kind
    )
    SELECT currency, count(DISTINCT order_id) FILTER (WHERE amount_cents <> 0) AS order_count
      FROM told
     GROUP BY currency
""")


@dataclass(frozen=True, slots=True)
class CurrencyTotals:
    """One currency's ledger and allocations; the allocated and the pending make the ledger's net."""

    currency: str
    ledger_net_cents: int
    allocated_cents: int
    pending_cents: int


@dataclass(frozen=True, slots=True)
class ChannelRevenue:
    """What one channel was credited with, less what its part of the reversals took back."""

    currency: str
    channel_code: str
    revenue_cents: int
    reversed_cents: int
    order_count: int
    channel_name: str
    family: str
    is_paid: bool


@dataclass(frozen=True, slots=True)
class LedgerKind:
    """The entries of one kind in one currency."""

    currency: str
    kind: str
    entry_count: int
    effect_cents: int


def totals(
    session: Session, model_version: str, window: Window, currency: str | None = None
) -> list[CurrencyTotals]:
    """Add up ledger and allocations of the entries effective in the window, per currency."""
    rows = session.execute(_TOTALS, _scope(model_version, window, currency))
    return [CurrencyTotals(*row) for row in rows]


def channels(
    session: Session, model_version: str, window: Window, currency: str | None = None
) -> list[ChannelRevenue]:
    """Add up the allocations of the entries effective in the window, per currency and channel."""
    rows = session.execute(_CHANNELS, _scope(model_version, window, currency))
    return [ChannelRevenue(*row) for row in rows]


def ledger(session: Session) -> list[LedgerKind]:
    """Add up the whole ledger per currency and kind."""
    return [LedgerKind(*row) for row in session.execute(_LEDGER)]


def ledger_orders(session: Session) -> dict[str, int]:
    """Count the orders in each currency."""
    return {row.currency: row.order_count for row in session.execute(_LEDGER_ORDERS)}


def _scope(model_version: str, window: Window, currency: str | None) -> dict[str, object]:
    return {
        "model_version": model_version,
        "start": window.start,
        "end": window.end,
        "currency": currency,
    }
