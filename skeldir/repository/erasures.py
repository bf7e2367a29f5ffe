"""Erasures: what leads from orders to a person is taken away, and is not taken in again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.db.statements import run
from skeldir.repository import payments, reclassification

# The document of what is told, its orders under `order_keys`: of an erased order that something came,
# and what it says of money.
FORGETTING: Final = """
    CASE WHEN EXISTS (
        SELECT FROM erased_orders
         WHERE order_key = ANY(ARRAY(SELECT jsonb_array_elements_text(document -> 'order_keys'))))
    THEN jsonb_set(jsonb_set(document, '{events,0,payload}', '{}', false),
                   '{hints,0,journey_id}', 'null', false)
    ELSE document END
"""

OF_KEYS: Final = "SELECT order_key FROM erased_orders WHERE order_key = ANY(ARRAY(SELECT key FROM name))"

_IS_ERASED: Final = text("""
    SELECT EXISTS (SELECT FROM erased_orders WHERE order_key = ANY(CAST(:order_keys AS text[])))
        OR EXISTS (SELECT FROM order_links AS link JOIN erased_orders AS erased
                       ON erased.tenant_id = link.tenant_id AND erased.order_key = link.order_id
                    WHERE link.payment_key = ANY(CAST(:order_keys AS text[])))
""")

# A payment that was linked, or named, after its order was erased brought its own journey with it.
_LATE: Final = text("""
    SELECT late.order_key
      FROM (SELECT link.tenant_id, link.payment_key
              FROM order_links AS link JOIN erased_orders AS erased
                ON erased.tenant_id = link.tenant_id AND erased.order_key = link.order_id
             UNION
            SELECT named.tenant_id, unnest(ARRAY[named.alias, named.payment_key])
              FROM payment_aliases AS named JOIN erased_orders AS erased
                ON erased.tenant_id = named.tenant_id AND erased.order_key IN (named.alias, named.payment_key)
           ) AS late (tenant_id, order_key)
      LEFT JOIN erased_orders AS known USING (tenant_id, order_key)
     WHERE known.order_key IS NULL
     LIMIT :limit
""")

_NOT_ERASED: Final = text("""
    SELECT order_key FROM unnest(CAST(:order_keys AS text[])) AS given (order_key)
     WHERE order_key NOT IN (SELECT order_key FROM erased_orders)
""")

_OF_VENDOR: Final = text("""
    SELECT order_key FROM facts WHERE source = :vendor
     UNION
    SELECT order_id FROM events WHERE vendor = :vendor AND order_id IS NOT NULL
""")

# Whoever shares a journey with them gets the same pseudonym, so nobody may book them meanwhile.
_ALONGSIDE: Final = text("""
    WITH journey AS MATERIALIZED (
        SELECT journey_id FROM order_hints WHERE order_key = ANY(CAST(:order_keys AS text[]))
        UNION
        SELECT journey_id FROM orders WHERE order_id = ANY(CAST(:order_keys AS text[]))
    )
    SELECT unnest(CAST(:order_keys AS text[]))
     UNION
    SELECT order_key FROM order_hints WHERE journey_id IN (SELECT journey_id FROM journey)
     UNION
    SELECT order_id FROM orders WHERE journey_id IN (SELECT journey_id FROM journey)
""")

_WITH_PAYMENTS: Final = f"WITH {payments.ASKED}, {payments.OF_ORDERS} SELECT ARRAY(SELECT key FROM name)"  # noqa: S608 - a constant

_ERASE: Final = text("""
    SELECT skeldir_eraser.erase(CAST(:order_keys AS text[]), CAST(:dead_letter_ids AS uuid[]), :vendor)
""")

_HELD: Final = text("""
    SELECT 'events' AS held, count(*) AS row_count FROM events
     WHERE order_id = ANY(CAST(:order_keys AS text[])) AND payload <> '{}'
    UNION ALL SELECT 'facts', count(*) FROM facts WHERE order_key = ANY(CAST(:order_keys AS text[]))
    UNION ALL SELECT 'order_links', count(*) FROM order_links
               WHERE order_id = ANY(CAST(:order_keys AS text[]))
    UNION ALL SELECT 'order_hints', count(*) FROM order_hints
               WHERE order_key = ANY(CAST(:order_keys AS text[]))
    UNION ALL SELECT 'orders', count(*) FROM orders WHERE order_id = ANY(CAST(:order_keys AS text[]))
    UNION ALL SELECT 'ledger_entries', count(*) FROM ledger_entries
               WHERE order_id = ANY(CAST(:order_keys AS text[]))
    UNION ALL SELECT 'allocations', count(*) FROM allocations
               WHERE order_id = ANY(CAST(:order_keys AS text[]))
    UNION ALL SELECT 'touchpoints', count(*) FROM touchpoints WHERE journey_id = ANY(ARRAY(
               SELECT journey_id FROM orders WHERE order_id = ANY(CAST(:order_keys AS text[]))
               UNION SELECT journey_id FROM order_hints WHERE order_key = ANY(CAST(:order_keys AS text[]))))
""")


def is_erased(session: Session, order_keys: Iterable[str]) -> bool:
    """Tell whether one of these keys is an erased order's, or a payment's of one."""
    return bool(session.execute(_IS_ERASED, {"order_keys": sorted(order_keys)}).scalar_one())


def linked_late(session: Session, limit: int) -> list[str]:
    """Return payments that were linked to orders after these were erased."""
    return list(session.execute(_LATE, {"limit": limit}).scalars())


def not_erased(session: Session, order_keys: Sequence[str]) -> list[str]:
    """Return those of the keys that no erasure has reached yet."""
    return list(session.execute(_NOT_ERASED, {"order_keys": list(order_keys)}).scalars())


def keys_of_vendor(session: Session, vendor: str) -> list[str]:
    """Return the keys of all orders that a vendor told of."""
    return list(session.execute(_OF_VENDOR, {"vendor": vendor}).scalars())


def with_payments(session: Session, order_ids: Sequence[str]) -> list[str]:
    """Return orders with every name of the payments that are linked to them."""
    row = run(session, _WITH_PAYMENTS, {"order_ids": list(order_ids)})
    return sorted(row[0]) if row else []


def alongside(session: Session, order_keys: Sequence[str]) -> list[str]:
    """Return keys with those of all orders on the same journeys."""
    return list(session.execute(_ALONGSIDE, {"order_keys": list(order_keys)}).scalars())


def erase(
    session: Session, order_keys: Sequence[str], dead_letter_ids: Sequence[UUID], vendor: str | None = None
) -> dict[str, int]:
    """Erase what leads from these orders to a person, or all of a vendor; return the rows by table.

    The caller holds the orders' locks. Sums stay as they are: no amount, order or channel is touched.
    Whoever classifies touches is waited for: the journeys that it has read it will write, and mark.
    """
    reclassification.lock(session)
    parameters = {
        "order_keys": list(order_keys),
        "dead_letter_ids": list(dead_letter_ids),
        "vendor": vendor,
    }
    counts: dict[str, int] = session.execute(_ERASE, parameters).scalar_one()
    return counts


def held(session: Session, order_keys: Sequence[str]) -> Mapping[str, int]:
    """Count what is held of orders, by table."""
    return {row.held: row.row_count for row in session.execute(_HELD, {"order_keys": list(order_keys)})}
