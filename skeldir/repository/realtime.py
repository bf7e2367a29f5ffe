"""Realtime revenue: the last hours of the ledger, added up when somebody asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from sqlalchemy import text
from sqlalchemy.orm import Session

Span = Literal["today", "last_24_hours", "last_hour", "last_minute"]

PROCESSORS: Final = ("stripe", "paypal")
"""The sources whose word on money is a payment processor's."""

# What was taken back in its own slot, because it had happened at another time or in another order, is
# neither an order nor taken back. The longest window is read once, through the index on the entries' times.
_WINDOWS: Final = text("""
    WITH slot AS MATERIALIZED (
        SELECT order_id, currency, kind, effective_at, sum(effect_cents) AS effect_cents,
               bool_and(source = ANY(CAST(:processors AS text[]))) AS is_verified
          FROM ledger_entries
         WHERE effective_at > :day_ago AND effective_at <= :now AND effect_cents <> 0
         GROUP BY order_id, currency, kind, reference, effective_at
        HAVING sum(effect_cents) <> 0
    )
    SELECT slot.currency, span.span,
           CAST(sum(effect_cents) AS bigint) AS net_cents,
           CAST(coalesce(sum(effect_cents) FILTER (WHERE kind = 'captured'), 0) AS bigint) AS captured_cents,
           CAST(coalesce(sum(effect_cents) FILTER (WHERE kind IN ('refunded', 'disputed')), 0) AS bigint)
               AS reversed_cents,
           count(DISTINCT order_id COLLATE "C") FILTER (WHERE kind = 'captured') AS order_count,
           bool_and(is_verified) AS is_verified
      FROM slot
      JOIN unnest(CAST(:spans AS text[]), CAST(:since AS timestamptz[])) AS span (span, since)
        ON slot.effective_at >= span.since
     GROUP BY slot.currency, span.span
     ORDER BY slot.currency
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
    """Add up the windows that end now, per currency that has an entry in 24 hours."""
    since: dict[Span, datetime] = {
        "today": now.replace(hour=0, minute=0, second=0, microsecond=0),
        "last_24_hours": now - timedelta(days=1),
        "last_hour": now - timedelta(hours=1),
        "last_minute": now - timedelta(minutes=1),
    }
    asked = {
        "now": now,
        "day_ago": now - timedelta(days=1),
        "processors": list(PROCESSORS),
        "spans": list(since),
        "since": list(since.values()),
    }
    found: dict[str, dict[Span, RealtimeWindow]] = {}
    for currency, span, *figures in session.execute(_WINDOWS, asked):
        empty = dict.fromkeys(get_args(Span), RealtimeWindow())
        found.setdefault(currency, empty)[span] = RealtimeWindow(*figures)
    return dict(found)


def last_delivery_at(session: Session) -> datetime | None:
    """Return when the newest delivery came, or None before the first one."""
    return session.execute(_LAST_DELIVERY).scalar_one_or_none()
