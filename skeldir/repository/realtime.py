"""Realtime revenue: the last hours of the ledger, added up when somebody asks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

Span = Literal["today", "last_24_hours", "last_hour", "last_minute"]

PROCESSORS: Final = ["stripe", "paypal"]
"""The sources whose word on money is a payment processor's."""

# The windows all end now, so each row is counted once, in the shortest window that it lies in (the `nth`),
# and these are added up afterwards. What was taken back in its own slot, because it had happened at another
# time or in another order, lies in the same window: it cancels out there, and is no order.
_WINDOWS: Final = text("""
    WITH part AS (
        SELECT currency, order_key, nth,
               CAST(sum(effect_cents) AS bigint) AS net_cents,
               CAST(sum(effect_cents) FILTER (WHERE kind = 'captured') AS bigint) AS captured_cents,
               CAST(sum(effect_cents) FILTER (WHERE kind IN ('refunded', 'disputed')) AS bigint)
                   AS reversed_cents,
               bool_and(source = ANY(CAST(:processors AS text[]))) AS is_verified
          FROM (SELECT currency, order_id COLLATE "C" AS order_key, kind, effect_cents, source,
                       CASE WHEN effective_at >= :since_4 THEN 4
                            WHEN effective_at >= :since_3 THEN 3
                            WHEN effective_at >= :since_2 THEN 2 ELSE 1 END AS nth
                  FROM ledger_entries
                 WHERE effective_at >= :since_1 AND effective_at <= :now AND effect_cents <> 0) AS entry
         GROUP BY currency, order_key, nth
    ), placed AS (
        SELECT part.*, max(nth) FILTER (WHERE captured_cents > 0)
                                OVER (PARTITION BY currency, order_key) AS captured_in
          FROM part
    )
    SELECT currency, nth,
           CAST(sum(net_cents) AS bigint),
           CAST(coalesce(sum(captured_cents), 0) AS bigint),
           CAST(coalesce(sum(reversed_cents), 0) AS bigint),
           count(*) FILTER (WHERE nth = captured_in),
           bool_and(is_verified)
      FROM placed
     GROUP BY currency, nth
     ORDER BY currency, nth
""")

_LAST_DELIVERY: Final = text("SELECT received_at FROM deliveries ORDER BY received_at DESC LIMIT 1")


@dataclass(frozen=True, slots=True)
class RealtimeWindow:
    """What one currency's entries of one window add up to."""

    net_cents: int = 0
    captured_cents: int = 0
    reversed_cents: int = 0
    order_count: int = 0
    is_verified: bool = False


def windows(session: Session, now: datetime) -> dict[str, Mapping[Span, RealtimeWindow]]:
    """Add up the windows that end now, per currency that has an entry in the longest of them."""
    since: dict[Span, datetime] = {
        "today": now.replace(hour=0, minute=0, second=0, microsecond=0),
        "last_24_hours": now - timedelta(days=1),
        "last_hour": now - timedelta(hours=1),
        "last_minute": now - timedelta(minutes=1),
    }
    spans = sorted(since, key=lambda span: since[span])
    asked = {f"since_{nth}": since[span] for nth, span in enumerate(spans, 1)}
    parts: dict[str, dict[int, RealtimeWindow]] = defaultdict(dict)
    for currency, nth, *figures in session.execute(_WINDOWS, asked | {"now": now, "processors": PROCESSORS}):
        parts[currency][nth] = RealtimeWindow(*figures)
    return {
        currency: {
            span: _sum([part for nth, part in of_currency.items() if nth >= first])
            for first, span in enumerate(spans, 1)
        }
        for currency, of_currency in parts.items()
    }


def last_delivery_at(session: Session) -> datetime | None:
    """Return when the newest delivery came, or None before the first one."""
    return session.execute(_LAST_DELIVERY).scalar_one_or_none()


def _sum(parts: Sequence[RealtimeWindow]) -> RealtimeWindow:
    return RealtimeWindow(
        sum(part.net_cents for part in parts),
        sum(part.captured_cents for part in parts),
        sum(part.reversed_cents for part in parts),
        sum(part.order_count for part in parts),
        bool(parts) and all(part.is_verified for part in parts),
    )
