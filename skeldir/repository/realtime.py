"""Realtime revenue: the last hours of the ledger, added up when somebody asks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.db.statements import fetch_all
from skeldir.repository.summaries_sql import REVERSALS, counted_kind

Span = Literal["today", "last_24_hours", "last_hour", "last_minute"]

PROCESSORS: Final = ["stripe", "paypal"]
"""The sources whose word on money is a payment processor's."""

# The windows all end now, so each row is counted once, in the shortest window that it lies in (the `nth`),
# and these are added up afterwards. What was taken back in its own slot, because it had happened at another
# time or in another order, lies in the same window: it cancels out there, and is no order. An order counts in
# the shortest window (`nth`) in which captures of it are left, and in the longer ones. Without any entry
# there is one row.
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
          FROM (SELECT currency,
                       CASE WHEN sum(effect_cents) FILTER (WHERE nth = 4) > 0 THEN 4
                            WHEN sum(effect_cents) FILTER (WHERE nth = 3) > 0 THEN 3
                            WHEN sum(effect_cents) FILTER (WHERE nth = 2) > 0 THEN 2
                            WHEN sum(effect_cents) FILTER (WHERE nth = 1) > 0 THEN 1 END AS nth
                  FROM entry
                 WHERE kind = 'captured'
                 GROUP BY order_key, currency) AS latest
         GROUP BY currency, nth
    )
    SELECT (SELECT received_at FROM deliveries ORDER BY received_at DESC LIMIT 1),
           currency, nth, net_cents, captured_cents, reversed_cents, coalesce(order_count, 0), is_verified
      FROM (SELECT) AS always
      LEFT JOIN total ON true
      LEFT JOIN sold USING (currency, nth)
     ORDER BY currency, nth
""")  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class RealtimeWindow:
    """What one currency's entries of one window add up to."""

    net_cents: int = 0
    captured_cents: int = 0
    reversed_cents: int = 0
    order_count: int = 0
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class Realtime:
    """The windows that end now, per currency with an entry in the longest, and the last delivery's time."""

    windows: Mapping[str, Mapping[Span, RealtimeWindow]]
    last_delivery_at: datetime | None


def add_up(session: Session, now: datetime) -> Realtime:
    """Add up the windows that end now, and tell when the newest delivery came."""
    since: dict[Span, datetime] = {
        "today": now.replace(hour=0, minute=0, second=0, microsecond=0),
        "last_24_hours": now - timedelta(days=1),
        "last_hour": now - timedelta(hours=1),
        "last_minute": now - timedelta(minutes=1),
    }
    spans = sorted(since, key=lambda span: since[span])
    asked = {f"since_{nth}": since[span] for nth, span in enumerate(spans, 1)}
    rows = fetch_all(session, _WINDOWS, asked | {"now": now, "processors": PROCESSORS})
    parts: dict[str, dict[int, RealtimeWindow]] = defaultdict(dict)
    for _, currency, nth, *figures in rows:
        if currency is not None:
            parts[currency][nth] = RealtimeWindow(*figures)
    windows = {
        currency: {
            span: _sum([part for nth, part in of_currency.items() if nth >= first])
            for first, span in enumerate(spans, 1)
        }
        for currency, of_currency in parts.items()
    }
    return Realtime(windows, rows[0][0])


def _sum(parts: Sequence[RealtimeWindow]) -> RealtimeWindow:
    return RealtimeWindow(
        sum(part.net_cents for part in parts),
        sum(part.captured_cents for part in parts),
        sum(part.reversed_cents for part in parts),
        sum(part.order_count for part in parts),
        bool(parts) and all(part.is_verified for part in parts),
    )
