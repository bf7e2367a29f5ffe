"""Payments: their names and the orders they paid, as payloads say explicitly. Rows are only added."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.facts import CanonicalEvent, PaymentAlias
from skeldir.domain.payments import Claim, Payments

# Rows that this statement adds are not in its own snapshot: hence both halves.
_NAME: Final = text("""
    WITH added AS (
        INSERT INTO payment_aliases (alias, payment_key, event_id)
        SELECT alias, payment_key, :event_id
          FROM unnest(CAST(:aliases AS text[]), CAST(:payment_keys AS text[])) AS given (alias, payment_key)
        ON CONFLICT DO NOTHING
        RETURNING payment_key
    )
    SELECT payment_key FROM added
    UNION
    SELECT payment_key FROM payment_aliases WHERE alias = ANY(CAST(:names AS text[]))
""")

_LINK: Final = text("""
    WITH name AS MATERIALIZED (
        SELECT unnest(CAST(:payments AS text[])) AS key
        UNION
        SELECT alias FROM payment_aliases WHERE payment_key = ANY(CAST(:payments AS text[]))
    ), added AS (
        INSERT INTO order_links (payment_key, order_id, authority, event_id)
        SELECT payment_key, order_id, :authority, :event_id
          FROM unnest(CAST(:payment_keys AS text[]), CAST(:order_ids AS text[]))
               AS given (payment_key, order_id)
        ON CONFLICT DO NOTHING
        RETURNING order_id
    )
    SELECT key FROM name
    UNION
    SELECT order_id FROM added
    UNION
    SELECT order_id FROM order_links WHERE payment_key = ANY(ARRAY(SELECT key FROM name))
""")

_OF_ORDERS: Final = text("""
    WITH named AS MATERIALIZED (
        SELECT unnest(CAST(:order_ids AS text[])) AS key
        UNION
        SELECT payment_key FROM order_links WHERE order_id = ANY(CAST(:order_ids AS text[]))
    ), payment AS MATERIALIZED (
        SELECT key FROM named
        UNION
        SELECT payment_key FROM payment_aliases WHERE alias = ANY(ARRAY(SELECT key FROM named))
    ), name AS MATERIALIZED (
        SELECT key FROM payment
        UNION
        SELECT alias FROM payment_aliases WHERE payment_key = ANY(ARRAY(SELECT key FROM payment))
    )
    SELECT key, NULL AS payment_key, NULL AS order_id, NULL AS authority FROM name
    UNION ALL
    SELECT alias, payment_key, NULL, NULL
      FROM payment_aliases
     WHERE alias = ANY(ARRAY(SELECT key FROM name))
    UNION ALL
    SELECT payment_key, NULL, order_id, authority
      FROM order_links
     WHERE payment_key = ANY(ARRAY(SELECT key FROM name))
""")


@dataclass(frozen=True, slots=True)
class Tellers:
    """Under which keys some orders are told of, and which order each key belongs to."""

    keys: Sequence[str]
    payments: Payments


def name(
    session: Session, event_id: UUID, aliases: Sequence[PaymentAlias], names: Collection[str]
) -> set[str]:
    """Keep aliases; returns the names with the payments that they name. The caller holds the names' locks."""
    parameters = {
        "aliases": [told.alias for told in aliases],
        "payment_keys": [told.payment_key for told in aliases],
        "names": sorted(names),
        "event_id": event_id,
    }
    return {*names, *session.execute(_NAME, parameters).scalars()}


def link(session: Session, event_id: UUID, event: CanonicalEvent, payments: Collection[str]) -> set[str]:
    """Keep an event's links; returns every order that the payments may belong to, by any of their names.

    The caller holds the payments' locks.
    """
    parameters = {
        "payments": sorted(payments),
        "payment_keys": [told.payment_key for told in event.links],
        "order_ids": [told.order_id for told in event.links],
        "authority": event.authority,
        "event_id": event_id,
    }
    return set(session.execute(_LINK, parameters).scalars())


def of_orders(session: Session, order_ids: Sequence[str]) -> Tellers:
    """Return what the payments of some orders are called, and all that is said of which order they paid."""
    rows = session.execute(_OF_ORDERS, {"order_ids": list(order_ids)}).all()
    payments = Payments(
        (PaymentAlias(row.key, row.payment_key) for row in rows if row.payment_key is not None),
        (Claim(row.key, row.order_id, row.authority) for row in rows if row.order_id is not None),
    )
    return Tellers(sorted({row.key for row in rows}), payments)
