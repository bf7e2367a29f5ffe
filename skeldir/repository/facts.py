"""Facts: what vendors told of orders' money, each statement once. Rows are only added."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.facts import Fact
from skeldir.domain.ids import fact_id
from skeldir.repository.order_links import BEST

_ADD: Final = text("""
    INSERT INTO facts (fact_id, event_id, order_key, source, authority, kind, reference, amount_cents,
                       cumulative, currency, effective_at, told_at)
    SELECT fact_id, :event_id, order_key, source, authority, kind, reference, amount_cents,
           cumulative, currency, effective_at, told_at
      FROM unnest(CAST(:fact_ids AS uuid[]), CAST(:order_keys AS text[]), CAST(:sources AS text[]),
                  CAST(:authorities AS text[]), CAST(:kinds AS text[]), CAST(:references AS text[]),
                  CAST(:amounts AS bigint[]), CAST(:cumulatives AS boolean[]), CAST(:currencies AS text[]),
                  CAST(:effective_ats AS timestamptz[]), CAST(:told_ats AS timestamptz[]))
           AS given (fact_id, order_key, source, authority, kind, reference, amount_cents, cumulative,
                     currency, effective_at, told_at)
    ON CONFLICT (tenant_id, fact_id) DO NOTHING
""")

# A linked payment's facts belong to the order it paid, and no longer to the payment's own.
_OF_ORDERS: Final = text(f"""
    WITH asked AS MATERIALIZED (
        SELECT CAST(:order_ids AS text[]) || ARRAY(
            SELECT payment_key FROM order_links WHERE order_id = ANY(CAST(:order_ids AS text[]))
        ) AS keys
    )
    SELECT coalesce(link.order_id, fact.order_key) AS order_id, fact.source, fact.authority, fact.order_key,
           fact.kind, fact.reference, fact.amount_cents, fact.currency, fact.effective_at, fact.told_at,
           fact.cumulative
      FROM facts AS fact
      LEFT JOIN ({BEST.format(payment_keys="ARRAY(SELECT unnest(keys) FROM asked)")}) AS link
        ON link.tenant_id = fact.tenant_id AND link.payment_key = fact.order_key
     WHERE fact.order_key = ANY(ARRAY(SELECT unnest(keys) FROM asked))
""")  # noqa: S608 - built from constants


def add(session: Session, tenant_id: UUID, event_id: UUID, facts: Sequence[Fact]) -> None:
    """Keep the facts that were not told before."""
    if not facts:
        return
    parameters = {
        "event_id": event_id,
        "fact_ids": [fact_id(tenant_id, *fact.key()) for fact in facts],
        "order_keys": [fact.order_key for fact in facts],
        "sources": [fact.source for fact in facts],
        "authorities": [fact.authority for fact in facts],
        "kinds": [fact.kind for fact in facts],
        "references": [fact.reference for fact in facts],
        "amounts": [fact.amount_cents for fact in facts],
        "cumulatives": [fact.cumulative for fact in facts],
        "currencies": [fact.currency for fact in facts],
        "effective_ats": [fact.effective_at for fact in facts],
        "told_ats": [fact.told_at for fact in facts],
    }
    session.execute(_ADD, parameters)


def of_orders(session: Session, order_ids: Sequence[str]) -> dict[str, list[Fact]]:
    """Return every fact told of each order, by its shop or by a processor whose payment is linked to it."""
    found: dict[str, list[Fact]] = defaultdict(list)
    for row in session.execute(_OF_ORDERS, {"order_ids": list(order_ids)}):
        order_id, *told = row
        fact = Fact(*told)
        found[order_id].append(_in_utc(fact))
    return {order_id: found[order_id] for order_id in order_ids}


def _in_utc(fact: Fact) -> Fact:
    """Name instants in UTC, whatever the connection's time zone: they are part of ids."""
    return Fact(
        fact.source,
        fact.authority,
        fact.order_key,
        fact.kind,
        fact.reference,
        fact.amount_cents,
        fact.currency,
        fact.effective_at.astimezone(UTC),
        fact.told_at.astimezone(UTC),
        fact.cumulative,
    )
