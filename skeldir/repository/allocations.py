"""Allocations as they are listed: who was credited with what of which entry."""

from datetime import datetime
from functools import cache
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from skeldir.db.statements import fetch_all

# The kind of an entry is looked up by its key, once the page is cut: a planner who takes the tenant for small
# cannot join all of its entries instead. Entries are never deleted, so there always is one. The bound on the
# instant says nothing new: by it a later page begins in the middle of the index instead of walking there.
_PAGE: Final = """
    SELECT entry_id, order_id,
           (SELECT kind FROM ledger_entries
             WHERE ledger_entries.tenant_id = page.tenant_id AND ledger_entries.entry_id = page.entry_id),
           effective_at, channel_code, campaign_id, allocated_cents, currency, fallback
      FROM (SELECT tenant_id, entry_id, order_id, effective_at, channel_code, campaign_id, allocated_cents,
                   currency, fallback
              FROM allocations
             WHERE model_version = :model_version {conditions}
             ORDER BY effective_at DESC, entry_id, channel_code COLLATE "C", campaign_id COLLATE "C"
             LIMIT :limit) AS page
     ORDER BY effective_at DESC, entry_id, channel_code COLLATE "C", campaign_id COLLATE "C"
"""
_OF_ORDER: Final = "AND order_id = :order_id"
_OF_CHANNEL: Final = "AND channel_code = :channel_code"
_AFTER: Final = """
    AND effective_at <= :after_effective_at
    AND (effective_at < :after_effective_at
         OR (entry_id, channel_code COLLATE "C", campaign_id COLLATE "C")
            > (CAST(:after_entry_id AS uuid), CAST(:after_channel_code AS text) COLLATE "C",
               CAST(:after_campaign_id AS text) COLLATE "C"))
"""


class Place(NamedTuple):
    """Where a page ended: the key of its last row."""

    effective_at: datetime
    entry_id: UUID
    channel_code: str
    campaign_id: str


class Allocation(NamedTuple):
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
    asked = {
        "model_version": model_version,
        "order_id": order_id,
        "channel_code": channel_code,
        "limit": limit,
    }
    if after is not None:
        asked |= {f"after_{name}": value for name, value in after._asdict().items()}
    query = _query(order_id is not None, channel_code is not None, after is not None)
    return [Allocation._make(row) for row in fetch_all(session, query, asked)]


@cache
def _query(of_order: bool, of_channel: bool, is_later: bool) -> TextClause:  # noqa: FBT001 - positions are the key
    chosen = ((of_order, _OF_ORDER), (of_channel, _OF_CHANNEL), (is_later, _AFTER))
    return text(_PAGE.format(conditions=" ".join(condition for wanted, condition in chosen if wanted)))
