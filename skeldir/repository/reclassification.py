"""Touches get the channels that rules and corrections in force give them, wherever they were stored before.

Whoever records a touch names its channel by the built-in table alone, and so pays nothing for a tenant's
rules. They are applied here, by workers, in two ways. When rules change, a *walk* goes through all that is
stored, in small steps, and marks the journeys of what it changes. What arrives later has marked its journey
itself: marked journeys are classified before they are attributed, and a job attributes only those whose
touches its own snapshot shows to be classified by the rules of that snapshot; others keep their marks. So
no mark is ever spent on rules of the past, and once the marks are drained all is as if the rules in force
had been there from the start, whatever the order in which rules, corrections and touches came. Until a walk
is over, a window that is recomputed holds journeys that it has not come to: `applied` says so.

A correction goes before any rule. A touch of which nothing is told keeps its channel: there is nothing to
tell it by. Orders are updated in transactions of their own, never in the job's, for webhooks wait for them.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Session

from skeldir.domain.channel_rules import Mapping, TouchOrigin
from skeldir.domain.models import TAXONOMY_VERSION
from skeldir.repository import channel_corrections, channel_rules, dirty_marks, turns
from skeldir.repository.attribution_planning import looked_up

JOURNEYS_AT_ONCE: Final = 5_000
"""Journeys per statement: bounds the memory of both ends, and how long an order is locked."""

TOUCHPOINTS: Final = "touchpoints"
ORDERS: Final = "orders"

_WITH: Final = f"WITH corrected AS MATERIALIZED ({channel_corrections.LATEST})"


def _recorded(touchpoints: str) -> str:
    return f"""
    SELECT 'touchpoints' AS table_name, CAST(touchpoint_id AS text) AS row_key, touchpoint_id,
           journey_id, occurred_at, source, medium, nullif(campaign_id, '') AS campaign, referrer_host,
           click_id, channel_code, corrected.to_channel AS corrected
      FROM {touchpoints} AS told LEFT JOIN corrected USING (tenant_id, touchpoint_id)
    """  # noqa: S608 - a constant of this file


def _hinted(orders: str) -> str:
    return f"""
    SELECT 'orders' AS table_name, order_id AS row_key, hint_touchpoint_id AS touchpoint_id,
           journey_id, ordered_at AS occurred_at,
           hint_source AS source, hint_medium AS medium, nullif(hint_campaign_id, '') AS campaign,
           CAST(NULL AS text) AS referrer_host, CAST(NULL AS text) AS click_id,
           hint_channel_code AS channel_code, corrected.to_channel AS corrected
      FROM {orders} AS told LEFT JOIN corrected
        ON corrected.tenant_id = told.tenant_id AND corrected.touchpoint_id = told.hint_touchpoint_id
     WHERE hint_touchpoint_id IS NOT NULL
    """  # noqa: S608 - a constant of this file


def _of_journeys(table: str, at: str) -> str:
    """Return SQL for a table's rows of some journeys, looked up as in `attribution_scope`."""
    return f"""
           (SELECT found.*
              FROM json_array_elements_text(CAST(:journey_ids AS json)) AS asked (journey_id),
                   LATERAL (SELECT * FROM {table}
                             WHERE {table}.journey_id BETWEEN asked.journey_id AND asked.journey_id
                             ORDER BY {table}.journey_id, {at}) AS found)
    """  # noqa: S608 - a constant of this file


_RECORDED: Final = _recorded(TOUCHPOINTS)
_HINTED: Final = _hinted(ORDERS)
_TOUCHES: Final = f"""
    {_recorded(_of_journeys(TOUCHPOINTS, "occurred_at"))}
    UNION ALL
    {_hinted(_of_journeys(ORDERS, "ordered_at"))}
"""

ORIGINS_OF_WINDOW: Final = text(f"""
    {_WITH}
    SELECT source, medium, campaign, referrer_host, click_id, channel_code, corrected, count(*) AS touch_count
      FROM ({_RECORDED} WHERE occurred_at >= :start AND occurred_at < :end
            UNION ALL
            {_HINTED} AND ordered_at >= :start AND ordered_at < :end) AS touch
     GROUP BY source, medium, campaign, referrer_host, click_id, channel_code, corrected
""")  # noqa: S608 - constants of this file
"""What is told of a window's touches, and how often."""

_TOUCHES_OF_JOURNEYS: Final = text(f"{_WITH} {_TOUCHES}")

# Few, however many touches there are; only when one of them is wrong are the touches themselves fetched.
_ORIGINS_OF_JOURNEYS: Final = text(f"""
    {_WITH}
    SELECT DISTINCT source, medium, campaign, referrer_host, click_id, channel_code, corrected
      FROM ({_TOUCHES}) AS touch
""")  # noqa: S608 - constants of this file

_PAGES: Final[dict[str, TextClause]] = {
    TOUCHPOINTS: text(f"""
        {_WITH} {_RECORDED}
         WHERE CAST(:after_key AS uuid) IS NULL OR touchpoint_id > CAST(:after_key AS uuid)
         ORDER BY touchpoint_id
         LIMIT :limit
    """),
    ORDERS: text(f"""
        {_WITH} {_HINTED} AND (CAST(:after_key AS text) IS NULL OR order_id > :after_key)
         ORDER BY order_id
         LIMIT :limit
    """),
}


# A row that somebody moves between being found and being changed is passed over. Whoever moves touchpoints
# therefore takes `lock` first, and so does an erasure, which changes journeys and marks none.
def _lie(table: str, key: str, kind: str) -> str:
    """Return SQL that finds where the rows of some keys lie, whatever the planner believes of the table."""
    return f"""ctid = ANY(ARRAY(
           SELECT found.ctid
             FROM unnest(CAST(:row_keys AS {kind}[])) AS asked (row_key),
                  LATERAL (SELECT ctid FROM {table} WHERE {key} BETWEEN asked.row_key AND asked.row_key
                            ORDER BY {key}) AS found))"""  # noqa: S608 - constants of this file


_UPDATE_TOUCHPOINTS: Final = text(f"""
    UPDATE touchpoints
       SET channel_code = given.channel_code
      FROM unnest(CAST(:row_keys AS uuid[]), CAST(:channel_codes AS text[])) AS given (row_key, channel_code)
     WHERE touchpoint_id = given.row_key
       AND {_lie(TOUCHPOINTS, "touchpoint_id", "uuid")}
""")  # noqa: S608 - constants of this file

# Only where the order still hints at what it was classified by: webhooks change it meanwhile without that
# lock, and mark its journey. One that was moved by such a change is passed over too.
_UPDATE_ORDERS: Final = text(f"""
    UPDATE orders
       SET hint_channel_code = given.channel_code
      FROM unnest(CAST(:row_keys AS text[]), CAST(:channel_codes AS text[]), CAST(:sources AS text[]),
                  CAST(:mediums AS text[]), CAST(:campaigns AS text[]))
           AS given (row_key, channel_code, source, medium, campaign)
     WHERE order_id = given.row_key
       AND (hint_source, hint_medium, nullif(hint_campaign_id, ''))
           IS NOT DISTINCT FROM (given.source, given.medium, given.campaign)
       AND {_lie(ORDERS, "order_id", "text")}
""")  # noqa: S608 - constants of this file

_IS_BUILT_IN: Final = text("""
    SELECT NOT EXISTS (SELECT FROM channel_rule_sets) AND NOT EXISTS (SELECT FROM channel_corrections)
""")

_MARKED: Final = text("""
    SELECT DISTINCT journey_id
      FROM dirty_marks
     WHERE CAST(:after AS text) IS NULL OR journey_id > :after
     ORDER BY journey_id
     LIMIT :limit
""")

_BEGIN: Final = text("""
    INSERT INTO reclassifications (taxonomy_version, rule_set_version)
    VALUES (:taxonomy_version, :rule_set_version)
    ON CONFLICT (tenant_id, taxonomy_version, rule_set_version) DO NOTHING
""")

_WALK: Final = text("""
    SELECT table_name, after_key, touch_count, changed_count, started_at, completed_at
      FROM reclassifications
     WHERE taxonomy_version = :taxonomy_version AND rule_set_version = :rule_set_version
""")

# Whatever table they were walked beside: the tenant's own rules go before it.
_APPLIED: Final = text("""
    SELECT coalesce(max(rule_set_version), 0) FROM reclassifications WHERE completed_at IS NOT NULL
""")

_MOVE: Final = text("""
    UPDATE reclassifications
       SET table_name = :table_name, after_key = :after_key, touch_count = touch_count + :touch_count,
           changed_count = changed_count + :changed_count, completed_at = CASE WHEN :is_over THEN now() END
     WHERE taxonomy_version = :taxonomy_version AND rule_set_version = :rule_set_version
""")


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a mapping is applied to what was stored before it."""

    table_name: str
    after_key: str | None
    touch_count: int
    changed_count: int
    started_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """What a step of a walk looked at and changed, and whether it was the last one."""

    touch_count: int
    changed_count: int
    is_over: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A stored touch, or some of one origin, and the channel that it is to have."""

    row: Row[Any]
    channel_code: str


def lock(session: Session) -> None:
    """Have nobody else classify the tenant's touches, or erase whose they are, until the transaction ends."""
    turns.wait_for(session, "classification")


def is_built_in(session: Session) -> bool:
    """Tell whether the built-in table is all there ever was: then touches are classified as they arrive."""
    return bool(session.execute(_IS_BUILT_IN).scalar_one())


def classify_marked(session: Session, after: str | None) -> str | None:
    """Classify the touches of the next marked journeys; return the last of them, None when there is none."""
    lock(session)
    journeys = session.execute(_MARKED, {"after": after, "limit": JOURNEYS_AT_ONCE}).scalars().all()
    if journeys:
        with looked_up(session):
            apply(session, wrong(session, mapping_in_force(session), journeys))
    return journeys[-1] if journeys else None


def only_classified(session: Session, journeys: Sequence[str]) -> list[str]:
    """Return the journeys that this snapshot's rules have classified; the others are marked again."""
    if is_built_in(session):
        return list(journeys)
    mapping = mapping_in_force(session)
    left: dict[str, datetime] = {}
    rest = iter(journeys)
    with looked_up(session):
        while some := list(islice(rest, JOURNEYS_AT_ONCE)):
            left |= _earliest(wrong(session, mapping, some))
    dirty_marks.mark(session, left)
    return [journey for journey in journeys if journey not in left]


def step(session: Session, rows_max: int) -> Step:
    """Classify the next stored touches by the mapping in force, and mark the journeys of what changes."""
    lock(session)
    rule_set = channel_rules.current(session)
    which = {"taxonomy_version": TAXONOMY_VERSION, "rule_set_version": rule_set.version}
    session.execute(_BEGIN, which)
    at = Walk(*session.execute(_WALK, which).one())
    if at.completed_at is not None:
        return Step(0, 0, is_over=True)
    rows = session.execute(_PAGES[at.table_name], {"after_key": at.after_key, "limit": rows_max}).all()
    changes = list(to_change(Mapping(rule_set.rules), rows))
    with looked_up(session):
        apply(session, changes)
    dirty_marks.mark(session, _earliest(changes))
    is_last = len(rows) < rows_max
    moved = {
        "table_name": ORDERS if is_last else at.table_name,
        "after_key": None if is_last else rows[-1].row_key,
        "touch_count": len(rows),
        "changed_count": len(changes),
        "is_over": is_last and at.table_name == ORDERS,
    }
    session.execute(_MOVE, which | moved)
    return Step(len(rows), len(changes), is_over=is_last and at.table_name == ORDERS)


def walk(session: Session, rule_set_version: int) -> Walk | None:
    """Return how far a version of the rules is applied; None before a worker has begun."""
    which = {"taxonomy_version": TAXONOMY_VERSION, "rule_set_version": rule_set_version}
    row = session.execute(_WALK, which).one_or_none()
    return None if row is None else Walk(*row)


def applied(session: Session) -> int:
    """Return the newest version of the rules that every touch has had its channel by; 0 before the first.

    What is not classified by it is marked, or classified by a newer version that is being applied.
    """
    return int(session.execute(_APPLIED).scalar_one())


def mapping_in_force(session: Session) -> Mapping:
    """Return the tenant's rules, made ready."""
    return Mapping(channel_rules.current(session).rules)


def wrong(session: Session, mapping: Mapping, journeys: Sequence[str]) -> list[Change]:
    """Return the touches of journeys that have another channel than a mapping gives them.

    Within `looked_up`, or in a transaction that `attribution.begin` was called on.
    """
    scope = {"journey_ids": json.dumps(journeys)}
    if not any(to_change(mapping, session.execute(_ORIGINS_OF_JOURNEYS, scope))):
        return []
    return list(to_change(mapping, session.execute(_TOUCHES_OF_JOURNEYS, scope)))


def to_change(mapping: Mapping, rows: Iterable[Row[Any]]) -> Iterable[Change]:
    """Yield which of some stored touches have another channel than a mapping, or a correction, gives them."""
    for row in rows:
        origin = TouchOrigin(row.source, row.medium, row.campaign, row.referrer_host, row.click_id)
        if row.corrected is None and not origin.is_told:
            continue
        code = row.corrected or mapping.channel_of(origin)
        if code != row.channel_code:
            yield Change(row, code)


def apply(session: Session, changes: Sequence[Change]) -> None:
    """Give stored touches the channels that they are to have; within `looked_up`."""
    of = {
        table: [change for change in changes if change.row.table_name == table]
        for table in (TOUCHPOINTS, ORDERS)
    }
    if recorded := of[TOUCHPOINTS]:
        session.execute(_UPDATE_TOUCHPOINTS, _columns(recorded))
    if hinted := of[ORDERS]:
        told = {
            "sources": [change.row.source for change in hinted],
            "mediums": [change.row.medium for change in hinted],
            "campaigns": [change.row.campaign for change in hinted],
        }
        session.execute(_UPDATE_ORDERS, _columns(hinted) | told)


def _columns(changes: Sequence[Change]) -> dict[str, list[object]]:
    return {
        "row_keys": [change.row.row_key for change in changes],
        "channel_codes": [change.channel_code for change in changes],
    }


def _earliest(changes: Iterable[Change]) -> dict[str, datetime]:
    """Return the journeys of some changes, each with the earliest instant that is to change."""
    found: dict[str, datetime] = {}
    for change in changes:
        journey, at = change.row.journey_id, change.row.occurred_at
        found[journey] = min(at, found.get(journey, at))
    return found
