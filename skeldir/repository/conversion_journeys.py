"""Why an order's revenue went where it went: its touches, weighed by the model's own rule, and its entries.

The rules weigh an order's campaigns within its channels. Told that each touch is a campaign of its own,
they weigh touches: so nothing of a model is written down a second time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from skeldir.domain.attribution_settings import ModelParameters
from skeldir.domain.models import Model
from skeldir.repository.attribution_scope import scope
from skeldir.repository.credit_rules import CREDIT, bindings

ENTRIES_MAX: Final = 100

_ORDER: Final = text("SELECT order_id, journey_id, ordered_at FROM orders WHERE order_id = :order_id")

_ENTRIES: Final = text("""
    SELECT entry.entry_id, entry.kind, entry.currency, entry.effective_at, entry.effect_cents,
           part.channel_code, part.campaign_id, part.allocated_cents
      FROM (SELECT tenant_id, entry_id, kind, currency, effective_at, effect_cents
              FROM ledger_entries
             WHERE order_id = :order_id AND effect_cents <> 0
             ORDER BY effective_at DESC, entry_id DESC
             LIMIT :limit) AS entry
      LEFT JOIN allocations AS part
        ON part.tenant_id = entry.tenant_id AND part.entry_id = entry.entry_id
           AND part.model_version = :model_version
     ORDER BY entry.effective_at, entry.entry_id, part.channel_code COLLATE "C", part.campaign_id COLLATE "C"
""")

_CREDITS: Final = text("""
    SELECT entry.currency, part.channel_code, part.campaign_id,
           CAST(coalesce(sum(part.allocated_cents), sum(entry.effect_cents)) AS bigint) AS cents
      FROM ledger_entries AS entry
      LEFT JOIN allocations AS part
        ON part.tenant_id = entry.tenant_id AND part.entry_id = entry.entry_id
           AND part.model_version = :model_version
     WHERE entry.order_id = :order_id AND entry.effect_cents <> 0
     GROUP BY entry.currency, part.channel_code, part.campaign_id
     ORDER BY entry.currency, cents DESC, part.channel_code COLLATE "C", part.campaign_id COLLATE "C"
""")


_SCOPE: Final = scope(
    "(SELECT CAST(:order_id AS text) AS order_id) AS asked",
    "(SELECT CAST(:journey_id AS text) AS journey_id) AS asked",
)


class Place(NamedTuple):
    """Where a page of touches ended."""

    occurred_at: datetime
    touchpoint_id: UUID


@dataclass(frozen=True, slots=True)
class WeighedTouch:
    """A touch and what the model's rule gives it; of its order's touches there are `touch_count`."""

    touchpoint_id: UUID
    occurred_at: datetime
    channel_code: str
    campaign_id: str
    source: str | None
    medium: str | None
    is_recorded: bool
    weight: int
    share_ppm: int
    fallback: str | None
    touch_count: int

    @property
    def place(self) -> Place:
        """Return the key to go on after this touch."""
        return Place(self.occurred_at, self.touchpoint_id)


@cache
def _touches(model: Model) -> TextClause:
    rule = CREDIT[model]
    fallback = "fallback" if rule.is_fallible else "CAST(NULL AS text)"
    share = "1000000 * weight, sum(weight) OVER ()"
    if rule.is_by_channel:
        share = "1000000 * weight, channel_count * sum(weight) OVER (PARTITION BY channel_code)"
    return text(f"""
    WITH {_SCOPE}, seen AS MATERIALIZED (SELECT * FROM touch), weighed AS MATERIALIZED (
        SELECT campaign_id AS touch_name, CAST(weight AS bigint) AS weight, {fallback} AS fallback,
               CAST(div({share}) AS integer) AS share_ppm, count(*) OVER () AS touch_count
          FROM (WITH touch AS (
                    SELECT nth, occurred_at, touchpoint_id, channel_code,
                           CAST(touchpoint_id AS text) AS campaign_id
                      FROM seen)
                {rule.sql}) AS given
    ), page AS (
        SELECT seen.*, coalesce(weight, 0) AS weight, coalesce(share_ppm, 0) AS share_ppm,
               (SELECT min(fallback) FROM weighed) AS fallback, (SELECT count(*) FROM seen) AS touch_count
          FROM seen
          LEFT JOIN weighed ON touch_name = CAST(touchpoint_id AS text)
         WHERE CAST(:after_at AS timestamptz) IS NULL
            OR (occurred_at, touchpoint_id) > (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid))
         ORDER BY occurred_at, touchpoint_id
         LIMIT :limit
    )
    SELECT page.touchpoint_id, page.occurred_at, page.channel_code, page.campaign_id,
           coalesce(known.source, hint.hint_source) AS source,
           coalesce(known.medium, hint.hint_medium) AS medium,
           known.touchpoint_id IS NOT NULL AS is_recorded,
           page.weight, page.share_ppm, page.fallback, page.touch_count
      FROM page
      LEFT JOIN touchpoints AS known
        ON known.tenant_id = page.tenant_id AND known.touchpoint_id = page.touchpoint_id
      LEFT JOIN orders AS hint
        ON hint.tenant_id = page.tenant_id AND hint.hint_touchpoint_id = page.touchpoint_id
           AND hint.journey_id = CAST(:journey_id AS text)
     ORDER BY page.occurred_at, page.touchpoint_id
    """)  # noqa: S608 - constants of the repository


def order(session: Session, order_id: str) -> Any:  # noqa: ANN401 - a row of three
    """Return an order's id, journey and time, or None when it is not known."""
    return session.execute(_ORDER, {"order_id": order_id}).one_or_none()


def touches(
    session: Session,
    parameters: ModelParameters,
    *,
    order_id: str,
    journey_id: str,
    limit: int,
    after: Place | None = None,
) -> list[WeighedTouch]:
    """Return a page of an order's touches within the look-back, the earliest first, each with its weight."""
    asked: dict[str, Any] = {
        **bindings(parameters),
        "order_id": order_id,
        "journey_id": journey_id,
        "after_at": after and after.occurred_at,
        "after_id": after and after.touchpoint_id,
        "limit": limit,
    }
    return [WeighedTouch(*row) for row in session.execute(_touches(parameters.model), asked)]


def entries(session: Session, order_id: str, model_version: str) -> list[Mapping[str, Any]]:
    """Return the order's last entries with their parts, a row per part; those of a pending entry are null."""
    asked = {"order_id": order_id, "model_version": model_version, "limit": ENTRIES_MAX}
    return [dict(row) for row in session.execute(_ENTRIES, asked).mappings()]


def credits_of(session: Session, order_id: str, model_version: str) -> list[Mapping[str, Any]]:
    """Add up an order's parts per currency, channel and campaign; what is pending has no channel."""
    asked = {"order_id": order_id, "model_version": model_version}
    return [dict(row) for row in session.execute(_CREDITS, asked).mappings()]
