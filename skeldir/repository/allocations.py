"""Allocations as they are listed: who was credited with what of which entry."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

# The page is cut before the entries are looked up, each by its key: OFFSET 0 has no planner who takes the
# tenant for small join all of its entries instead. The bound on the instant says nothing new: it lets a later
# page begin in the middle of the index instead of walking there.
_PAGE: Final = text("""
    SELECT page.entry_id, page.order_id, entry.kind, page.effective_at, page.channel_code, page.campaign_id,
           page.allocated_cents, page.currency, page.fallback
      FROM (SELECT tenant_id, entry_id, order_id, effective_at, channel_code, campaign_id, allocated_cents,
                   currency, fallback
              FROM allocations
             WHERE model_version = :model_version
               AND (CAST(:order_id AS text) IS NULL OR order_id = CAST(:order_id AS text))
               AND (CAST(:channel_code AS text) IS NULL OR channel_code = CAST(:channel_code AS text))
               AND effective_at <= coalesce(CAST(:after_effective_at AS timestamptz), 'infinity')
               AND (CAST(:after_effective_at AS timestamptz) IS NULL
                    OR effective_at < CAST(:after_effective_at AS timestamptz)
                    OR (effective_at = CAST(:after_effective_at AS timestamptz)
                        AND (entry_id, channel_code COLLATE "C", campaign_id COLLATE "C")
                            > (CAST(:after_entry_id AS uuid), CAST(:after_channel_code AS text) COLLATE "C",
                               CAST(:after_campaign_id AS text) COLLATE "C")))
             ORDER BY effective_at DESC, entry_id, channel_code COLLATE "C", campaign_id COLLATE "C"
             LIMIT :limit) AS page,
           LATERAL (SELECT kind FROM ledger_entries
                     WHERE ledger_entries.tenant_id = page.tenant_id
                       AND ledger_entries.entry_id = page.entry_id OFFSET 0) AS entry
     ORDER BY page.effective_at DESC, page.entry_id, page.channel_code COLLATE "C",
              page.campaign_id COLLATE "C"
""")


class Place(NamedTuple):
    """Where a page ended: the key of its last row."""

    effective_at: datetime
    entry_id: UUID
    channel_code: str
    campaign_id: str


@dataclass(frozen=True, slots=True)
class Allocation:
    """One part of one entry, credited to one channel and campaign.

    `fallback` says why its order was shared as linear does, if it was.
    """

    entry_id: UUID
    order_id: str
    kind: str
    effective_at: datetime
    channel_code: str
    campaign_id: str
    allocated_cents: int
    currency: str
    fallback: str | None

    @property
    def place(self) -> Place:
        """Return the key to go on after this row."""
        return Place(self.effective_at, self.entry_id, self.channel_code, self.campaign_id)


def page(
    session: Session,
    model_version: str,
    *,
    limit: int,
    order_id: str | None = None,
    channel_code: str | None = None,
    after: Place | None = None,
) -> list[Allocation]:
    """Return allocations under a model, the newest entries first, from after a place on."""
    rows = session.execute(
        _PAGE,
        {
            "model_version": model_version,
            "order_id": order_id,
            "channel_code": channel_code,
            "after_effective_at": after and after.effective_at,
            "after_entry_id": after and after.entry_id,
            "after_channel_code": after and after.channel_code,
            "after_campaign_id": after and after.campaign_id,
            "limit": limit,
        },
    )
    return [Allocation(*row) for row in rows]
