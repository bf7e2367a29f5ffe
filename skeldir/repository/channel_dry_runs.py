"""What other mapping rules would change: computed beside what is stored, by the statements of attribution.

A touch is shown with its new channel, and with its old one in the place of its campaign. Attribution shares
revenue among channels first and within each among campaigns, so the new channels' sums are to the cent what
applying the rules will make them, and the parts within say which old channel each comes from.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Map
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from skeldir.domain.attribution_settings import ModelParameters
from skeldir.domain.channel_rules import Mapping
from skeldir.domain.models import Model
from skeldir.domain.windows import Window
from skeldir.repository import attribution, attribution_orders, reclassification
from skeldir.repository.attribution_orders import OrderKey, Portion
from skeldir.repository.attribution_sql import fresh
from skeldir.repository.credit_rules import bindings
from skeldir.repository.reclassification import Change

_TOUCHES: Final = """
    SELECT tenant_id, nth, occurred_at, touchpoint_id,
           coalesce(changed.channel_code, seen.channel_code) AS channel_code,
           seen.channel_code AS campaign_id
      FROM seen
      LEFT JOIN unnest(CAST(:touchpoint_ids AS uuid[]), CAST(:channel_codes AS text[]))
                AS changed (touchpoint_id, channel_code) USING (touchpoint_id)
"""

_SUMS: Final = """
    SELECT channel_code, campaign_id AS from_channel, currency, CAST(sum(allocated_cents) AS bigint) AS cents
      FROM fresh
     WHERE effective_at >= :start AND effective_at < :end
     GROUP BY channel_code, campaign_id, currency
"""

Moved = Counter[tuple[str, str, str]]
"""Cents by old channel, new channel and currency."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """Touches of the window by old and new channel; revenue of the orders whose touches change."""

    touch_count: int
    changed: Map[tuple[str, str], int]
    before: Map[tuple[str, str], int]
    after: Map[tuple[str, str], int]
    moved: Map[tuple[str, str, str], int]


def run(session: Session, mapping: Mapping, window: Window, parameters: ModelParameters) -> DryRun:
    """Compute what a mapping would change of a window; reads one snapshot and writes nothing."""
    attribution.begin_scan(session)
    scope = {"start": window.start, "end": window.end}
    origins = session.execute(reclassification.ORIGINS_OF_WINDOW, scope).all()
    changed: Counter[tuple[str, str]] = Counter()
    for change in reclassification.to_change(mapping, origins):
        changed[change.row.channel_code, change.channel_code] += change.row.touch_count
    before, after = Moved(), Moved()
    attribution.begin(session)
    with closing(attribution_orders.of_window(session, window)) as found:
        for portion, changes in _affected(session, mapping, found):
            before += _sums(session, parameters, portion, (), scope)
            after += _sums(session, parameters, portion, changes, scope)
    return DryRun(
        sum(row.touch_count for row in origins),
        changed,
        _by_channel(before),
        _by_channel(after),
        {key: cents for key, cents in after.items() if key[0] != key[1]},
    )


def _affected(
    session: Session, mapping: Mapping, found: Iterable[Sequence[OrderKey]]
) -> Iterator[tuple[Portion, Sequence[Change]]]:
    """Yield the orders whose touches change, as many as a statement may take, with these changes."""
    for orders in found:
        changes = defaultdict(list)
        for change in reclassification.wrong(session, mapping, sorted({one.journey_id for one in orders})):
            changes[change.row.journey_id].append(change)
        for portion in attribution_orders.portions([one for one in orders if one.journey_id in changes]):
            yield portion, [change for journey_id in portion.journey_ids for change in changes[journey_id]]


def _sums(
    session: Session,
    parameters: ModelParameters,
    portion: Portion,
    changes: Sequence[Change],
    scope: Map[str, Any],
) -> Moved:
    given = {
        "touchpoint_ids": [change.row.touchpoint_id for change in changes],
        "channel_codes": [change.channel_code for change in changes],
    }
    told = {**portion.scope, **given, **scope, **bindings(parameters)}
    rows = session.execute(_statement(parameters.model), told)
    found = Moved()
    for row in rows:
        # An order that no touch led to is direct, before as after.
        found[row.from_channel or row.channel_code, row.channel_code, row.currency] += row.cents
    return found


@cache
def _statement(model: Model) -> TextClause:
    return text(fresh(model, "numeric", _TOUCHES) + _SUMS)


def _by_channel(sums: Moved) -> dict[tuple[str, str], int]:
    totals: Counter[tuple[str, str]] = Counter()
    for (_, channel, currency), cents in sums.items():
        totals[channel, currency] += cents
    return dict(totals)
