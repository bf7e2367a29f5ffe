"""Order hints: what payloads said of orders' journeys and origins. Rows are only added."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from skeldir.domain.ids import fact_id
from skeldir.domain.orders import OrderHint, Origin
from skeldir.domain.payments import Payments
from skeldir.repository.facts import in_utc

_GIVEN: Final = """
      FROM given, jsonb_to_recordset(given.document -> 'hints')
           AS hint (hint_id uuid, event_id uuid, order_key text, told_at timestamptz, journey_id text,
                    source text, medium text, campaign text)
"""
INSERT: Final = f"""
    INSERT INTO order_hints (hint_id, event_id, order_key, told_at, journey_id, source, medium, campaign)
    SELECT hint.* {_GIVEN}
        ON CONFLICT (tenant_id, hint_id) DO NOTHING
"""

_WORDS: Final = "json_build_array(order_key, told_at, journey_id, source, medium, campaign)"
OF_KEYS: Final = f"""
    SELECT known.hint
      FROM name,
           LATERAL (SELECT {_WORDS} AS hint FROM order_hints WHERE order_key = name.key OFFSET 0) AS known
     UNION ALL
    SELECT {_WORDS} {_GIVEN}
"""  # noqa: S608 - constants of this file
"""With the one that the same statement adds, which it does not see yet."""


def rows(tenant_id: UUID, event_id: UUID, hint: OrderHint | None) -> list[dict[str, object]]:
    """Return a hint as INSERT reads it; the same one again changes nothing."""
    if hint is None:
        return []
    origin = hint.origin or Origin(None, None)
    told = {
        "hint_id": fact_id(tenant_id, *hint.key()),
        "event_id": event_id,
        "order_key": hint.order_key,
        "told_at": hint.told_at,
        "journey_id": hint.journey_id,
        "source": origin.source,
        "medium": origin.medium,
        "campaign": origin.campaign,
    }
    return [told]


def by_order(found: Iterable[Sequence[Any]], payments: Payments) -> dict[str, list[OrderHint]]:
    """Group what OF_KEYS found: every hint told of an order, by its shop or by its payments' processors."""
    told: dict[str, list[OrderHint]] = defaultdict(list)
    for order_key, told_at, journey_id, source, medium, campaign in found:
        origin = Origin(source, medium, campaign) if source or medium else None
        hint = OrderHint(order_key, in_utc(told_at), journey_id, origin)
        told[payments.order_of(order_key)].append(hint)
    return told
