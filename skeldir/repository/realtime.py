"""Realtime revenue: the last hours of the ledger, added up when somebody asks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.repository.summaries_sql import REVERSALS, counted_kind

Span = Literal["today", "last_24_hours", "last_hour", "last_minute"]

PROCESSORS: Final = ["stripe", "paypal"]
"""The sources whose word on money is a payment processor's."""

# The windows all end now, so each row is counted once, in the shortest window that it lies in (the `nth`),
# and these are added up afterwards. What was taken back in its own slot, because it had happened at another
# time or in another order, lies in the same window: it cancels out there, and is no order.
_WINDOWS: Final = text(f"""
    WITH entry AS MATERIALIZED (
        SELECT currency, order_id COLLATE "C" AS order_key, {counted_kind()} AS kind, effect_cents,
               source = ANY(CAST(:processors AS text[])) AS is_verified,
               CASE WHEN effective_at >= :since_4 THEN 4
                    WHEN effective_at >= :since_3 THEN 3
                    WHEN effective_at >= :since_2 THEN 2 ELSE 1 END AS nth
          FROM ledger_entries
         WHERE effective_at >= :since_1 AND effective_at <= :now AND effect_cents <> 0
    ), total AS (
        SELECT currency, nth,
               CAST(sum(effect_cents) AS bigint) AS net_cents,
               CAST(coalesce(sum(effect_cents) FILTER (WHERE kind = 'captured'), 0) AS bigint)
                   AS captured_cents,
               CAST(coalesce(sum(effect_cents) FILTER (WHERE kind IN {REVERSALS}), 0) AS bigint)
                   AS reversed_cents,
               bool_and(is_verified) AS is_verified
          FROM entry
         GROUP BY currency, nth
    ), sold AS (
        SELECT currency, nth, count(*) AS order_count
          FROM (SELECT DISTINCT ON (order_key, currency) currency, nth
                  FROM (SELECT order_key, currency, nth
                          FROM entry
                         WHERE kind = 'captured'
                         GROUP BY order_key, currency, nth
                        HAVING sum(effect_cents) > 0) AS captured
                 ORDER BY order_key, currency, nth DESC) AS latest
         GROUP BY currency, nth
    )
    SELECT currency, nth, net_cents, captured_cents, reversed_cents, coalesce(order_count, 0), is_verified
      FROM total
      LEFT JOIN sold USING (currency, nth)
     ORDER BY currency, nth
""")  # noqa: S608 - constants

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
