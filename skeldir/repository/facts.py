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
from skeldir.domain.payments import Payments
from skeldir.repository.payments import Tellers

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

_OF_KEYS: Final = text("""
    SELECT source, authority, order_key, kind, reference, amount_cents, currency, effective_at, told_at,
           cumulative
      FROM facts
     WHERE order_key = ANY(CAST(:keys AS text[]))
""")


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


def of_orders(session: Session, tellers: Tellers) -> dict[str, list[Fact]]:
    """Return every fact told of some orders, by their shop or by the processors of their payments.

    A payment's facts are told under its one name, and belong to the order it paid.
    """
    found: dict[str, list[Fact]] = defaultdict(list)
    for row in session.execute(_OF_KEYS, {"keys": tellers.keys}):
        fact = _settled(Fact(*row), tellers.payments)
        found[tellers.payments.order_of(fact.order_key)].append(fact)
    return found


def _settled(fact: Fact, payments: Payments) -> Fact:
    """Name a fact's payment as one, and its instants in UTC, whatever the connection's time zone."""
    return Fact(
        fact.source,
        fact.authority,
        payments.payment_of(fact.order_key),
        fact.kind,
        fact.reference,
        fact.amount_cents,
        fact.currency,
        fact.effective_at.astimezone(UTC),
        fact.told_at.astimezone(UTC),
        fact.cumulative,
    )
