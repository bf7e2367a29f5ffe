"""Facts: what vendors told of orders' money, each statement once. Rows are only added."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from skeldir.domain.facts import Fact
from skeldir.domain.ids import fact_id
from skeldir.domain.payments import Payments

_GIVEN: Final = """
      FROM given, jsonb_to_recordset(given.document -> 'facts')
           AS fact (fact_id uuid, event_id uuid, order_key text, source text, authority text, kind text,
                    reference text, amount_cents bigint, cumulative boolean, currency text,
                    effective_at timestamptz, told_at timestamptz)
"""
INSERT: Final = f"""
    INSERT INTO facts (fact_id, event_id, order_key, source, authority, kind, reference, amount_cents,
                       cumulative, currency, effective_at, told_at)
    SELECT fact.* {_GIVEN}
        ON CONFLICT (tenant_id, fact_id) DO NOTHING
"""

_WORDS: Final = """
    json_build_array(source, authority, order_key, kind, reference, amount_cents, currency, effective_at,
                     told_at, cumulative)
"""
OF_KEYS: Final = f"""
    SELECT known.fact
      FROM name, LATERAL (SELECT {_WORDS} AS fact FROM facts WHERE order_key = name.key OFFSET 0) AS known
     UNION ALL
    SELECT {_WORDS} {_GIVEN}
"""  # noqa: S608 - constants of this file
"""With those that the same statement adds, which it does not see yet."""


def rows(tenant_id: UUID, event_id: UUID, facts: Iterable[Fact]) -> list[dict[str, object]]:
    """Return facts as INSERT reads them; those that were told before are left as they are."""
    return [
        {
            "fact_id": fact_id(tenant_id, *fact.key()),
            "event_id": event_id,
            "order_key": fact.order_key,
            "source": fact.source,
            "authority": fact.authority,
            "kind": fact.kind,
            "reference": fact.reference,
            "amount_cents": fact.amount_cents,
            "cumulative": fact.cumulative,
            "currency": fact.currency,
            "effective_at": fact.effective_at,
            "told_at": fact.told_at,
        }
        for fact in facts
    ]


def by_order(found: Iterable[Sequence[Any]], payments: Payments) -> dict[str, list[Fact]]:
    """Group what OF_KEYS found: every fact told of an order, by its shop or by its payments' processors.

    A payment's facts are told under its one name, and belong to the order it paid.
    """
    told: dict[str, list[Fact]] = defaultdict(list)
    for words in found:
        key = words[2]
        moments = map(in_utc, words[7:9])
        fact = Fact(*(*words[:2], payments.payment_of(key), *words[3:7], *moments, *words[9:]))
        told[payments.order_of(key)].append(fact)
    return told


def in_utc(written: str) -> datetime:
    """Read an instant of a document, in UTC whatever the connection's time zone: they are part of ids."""
    return datetime.fromisoformat(written).astimezone(UTC)
