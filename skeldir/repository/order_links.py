"""Order links: which order a processor's payment paid, as payloads say explicitly. Rows are only added."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.facts import OrderLink

# The first word on a payment stays: a payment pays one order.
_ADD: Final = text("""
    INSERT INTO order_links (payment_key, order_id, event_id)
    SELECT payment_key, order_id, :event_id
      FROM unnest(CAST(:payment_keys AS text[]), CAST(:order_ids AS text[])) AS given (payment_key, order_id)
    ON CONFLICT (tenant_id, payment_key) DO NOTHING
""")

_OF_PAYMENTS: Final = text("""
    SELECT payment_key, order_id FROM order_links WHERE payment_key = ANY(CAST(:payment_keys AS text[]))
""")


def add(session: Session, event_id: UUID, links: Sequence[OrderLink]) -> None:
    """Keep the links that are not known yet."""
    if links:
        parameters = {
            "payment_keys": [link.payment_key for link in links],
            "order_ids": [link.order_id for link in links],
            "event_id": event_id,
        }
        session.execute(_ADD, parameters)


def of_payments(session: Session, payment_keys: Sequence[str]) -> dict[str, str]:
    """Return the order that each linked payment paid."""
    rows = session.execute(_OF_PAYMENTS, {"payment_keys": list(payment_keys)})
    return {row.payment_key: row.order_id for row in rows}
