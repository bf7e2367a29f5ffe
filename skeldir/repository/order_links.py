"""Order links: which order a processor's payment paid, as payloads say explicitly. Rows are only added."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.facts import Authority, OrderLink

_ADD: Final = text("""
    INSERT INTO order_links (payment_key, order_id, authority, event_id)
    SELECT payment_key, order_id, :authority, :event_id
      FROM unnest(CAST(:payment_keys AS text[]), CAST(:order_ids AS text[])) AS given (payment_key, order_id)
    ON CONFLICT DO NOTHING
""")

# A payment pays one order. Its shop knows best which; merchants write numbers of their own into metadata.
BEST: Final = """
    SELECT DISTINCT ON (tenant_id, payment_key) tenant_id, payment_key, order_id
      FROM order_links
     WHERE payment_key = ANY({payment_keys})
     ORDER BY tenant_id, payment_key, (authority = 'shop') DESC, order_id COLLATE "C"
"""

_OF_PAYMENTS: Final = text(f"""
    SELECT link.payment_key, link.order_id, best.order_id = link.order_id AS is_best
      FROM order_links AS link
      JOIN ({BEST.format(payment_keys="CAST(:payment_keys AS text[])")}) AS best
     USING (tenant_id, payment_key)
     WHERE link.payment_key = ANY(CAST(:payment_keys AS text[]))
""")  # noqa: S608 - a constant of this file


@dataclass(frozen=True, slots=True)
class Links:
    """What is said of some payments' orders."""

    best: dict[str, str]
    """The order of each linked payment."""
    order_ids: frozenset[str]
    """Every order that any of the payments was said to pay."""


def add(session: Session, event_id: UUID, authority: Authority, links: Sequence[OrderLink]) -> None:
    """Keep the links that are not known yet."""
    if links:
        parameters = {
            "payment_keys": [link.payment_key for link in links],
            "order_ids": [link.order_id for link in links],
            "authority": authority,
            "event_id": event_id,
        }
        session.execute(_ADD, parameters)


def of_payments(session: Session, payment_keys: Sequence[str]) -> Links:
    """Return which order each payment paid, and which others were named."""
    rows = session.execute(_OF_PAYMENTS, {"payment_keys": list(payment_keys)}).all()
    return Links(
        best={row.payment_key: row.order_id for row in rows if row.is_best},
        order_ids=frozenset(row.order_id for row in rows),
    )
