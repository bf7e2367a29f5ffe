"""What the ledger adds up to: kept up to a closing, and read from the entries that were booked since.

Entries are never changed, but those of a transaction that began earlier may be committed later. So an instant
is proposed with the transactions that run then, and closed once all of these have ended: whoever began after
the proposal books after the instant. A minute lies between the two, for a transaction tells its time a moment
before it is seen to run, and clocks are set back now and then. Where one is set back by more, what is booked
before a closing is left out until an audit compares the two.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.db.statements import fetch_all
from skeldir.repository import turns

MARGIN_SECONDS: Final = 60

_CURRENT: Final = text("""
    SELECT closed_before, kinds, orders FROM ledger_closings WHERE closed_before > '-infinity'
""")

# Transactions of all databases: a few more to wait for, and no names of databases here.
_PROPOSE: Final = text("""
    INSERT INTO ledger_closings (next_before, awaited)
    SELECT clock_timestamp() - make_interval(secs => :margin_seconds),
           ARRAY(SELECT virtualtransaction FROM pg_locks
                  WHERE locktype = 'virtualxid' AND pid <> pg_backend_pid())
    ON CONFLICT (tenant_id) DO UPDATE
       SET next_before = excluded.next_before, awaited = excluded.awaited
     WHERE ledger_closings.next_before <= ledger_closings.closed_before
""")

_PROPOSED: Final = text("""
    SELECT next_before
      FROM ledger_closings
     WHERE next_before > closed_before
       AND NOT EXISTS (SELECT FROM pg_locks
                        WHERE locktype = 'virtualxid' AND virtualtransaction = ANY(awaited))
""")

_CLOSE: Final = text("""
    UPDATE ledger_closings
       SET closed_before = :before, kinds = CAST(:kinds AS jsonb), orders = CAST(:orders AS jsonb)
""")

_AMEND: Final = text("""
    UPDATE ledger_closings SET kinds = CAST(:kinds AS jsonb), orders = CAST(:orders AS jsonb)
""")

_SINCE: Final = "booked_at >= CAST(:since AS timestamptz) AND booked_at < CAST(:before AS timestamptz)"

_KINDS: Final = text(f"""
    SELECT currency, kind, count(*) AS entry_count, CAST(sum(effect_cents) AS bigint) AS effect_cents
      FROM ledger_entries
     WHERE {_SINCE}
     GROUP BY currency, kind
""")  # noqa: S608 - a constant

# A payment that was booked before its order was known leaves entries that cancel out: no order of its own.
# So what an order is now and what it was at the closing are both worked out from all its entries.
_ORDERS: Final = """
    SELECT currency, count(*) FILTER (WHERE is_order) - count(*) FILTER (WHERE was_order) AS order_count
      FROM (SELECT currency, order_key, bool_or(cents <> 0) AS is_order,
                   bool_or(cents_before <> 0) AS was_order
              FROM (SELECT currency, order_id COLLATE "C" AS order_key, kind, sum(amount_cents) AS cents,
                           sum(amount_cents) FILTER (WHERE booked_at < CAST(:since AS timestamptz))
                               AS cents_before
                      FROM ledger_entries
                     WHERE booked_at < CAST(:before AS timestamptz) AND {chosen}
                     GROUP BY currency, order_key, kind) AS told
             GROUP BY currency, order_key) AS known
     GROUP BY currency
"""
_ALL_ORDERS: Final = text(_ORDERS.format(chosen="true"))
_BOOKED_ORDERS: Final = text(
    _ORDERS.format(
        chosen=f"order_id = ANY(ARRAY(SELECT DISTINCT order_id FROM ledger_entries WHERE {_SINCE}))"  # noqa: S608
    )
)


@dataclass(frozen=True, slots=True)
class Kind:
    """The entries of one kind in one currency."""

    entry_count: int = 0
    effect_cents: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """A ledger's entries by currency and kind, and by currency how many orders they are of."""

    kinds: Mapping[tuple[str, str], Kind]
    orders: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Closing:
    """What was booked before an instant; nothing more will be."""

    before: datetime | None = None
    totals: Totals = Totals({}, {})


def totals(session: Session) -> Totals:
    """Add up the whole ledger as this snapshot has it."""
    return _added(session, _last(session), None)


def take_turn(session: Session) -> bool:
    """Take the tenant's turn to close until this transaction ends; False when another has it."""
    return turns.take(session, "closing")


def propose(session: Session) -> None:
    """Propose to close the ledger before a moment ago, unless something is proposed already."""
    session.execute(_PROPOSE, {"margin_seconds": MARGIN_SECONDS})


def proposed(session: Session) -> datetime | None:
    """Return the instant before which nothing more will be booked, if one was proposed and is reached.

    The snapshot of a transaction that begins after shows all that was booked before the instant.
    """
    found: datetime | None = session.execute(_PROPOSED).scalar_one_or_none()
    return found


def close(session: Session, before: datetime) -> None:
    """Keep what the ledger adds up to before an instant that `proposed` returned."""
    found = _added(session, _last(session), before)
    session.execute(_CLOSE, {"before": before, **_columns(found)})


def mend(session: Session) -> int:
    """Add up anew what was booked before the closing, and keep that; return how many figures it changed.

    In a REPEATABLE READ transaction: where the ledger is closed meanwhile, one of the two is tried again.
    """
    last = _last(session)
    if last.before is None:
        return 0
    found = _added(session, Closing(), last.before)
    changed = _differing(last.totals.kinds, found.kinds) + _differing(last.totals.orders, found.orders)
    if changed:
        session.execute(_AMEND, _columns(found))
    return changed


def _differing(kept: Mapping[Any, object], found: Mapping[Any, object]) -> int:
    return sum(kept.get(key) != found.get(key) for key in kept.keys() | found.keys())


def _columns(found: Totals) -> dict[str, str]:
    kinds = [[*key, kind.entry_count, kind.effect_cents] for key, kind in sorted(found.kinds.items())]
    return {"kinds": orjson.dumps(kinds).decode(), "orders": orjson.dumps(found.orders).decode()}


def _last(session: Session) -> Closing:
    rows = fetch_all(session, _CURRENT)
    if not rows:
        return Closing()
    [(closed_before, sums_by_kind, orders)] = rows
    kinds = {(currency, kind): Kind(*sums) for currency, kind, *sums in sums_by_kind}
    return Closing(closed_before, Totals(kinds, orders))


def _added(session: Session, last: Closing, before: datetime | None) -> Totals:
    """Add what was booked since a closing, and before an instant if one is given."""
    asked = {"since": last.before or "-infinity", "before": before or "infinity"}
    kinds, orders = dict(last.totals.kinds), Counter(last.totals.orders)
    for currency, kind, entry_count, effect_cents in fetch_all(session, _KINDS, asked):
        known = kinds.get((currency, kind), Kind())
        kinds[currency, kind] = Kind(known.entry_count + entry_count, known.effect_cents + effect_cents)
    for currency, order_count in fetch_all(session, _BOOKED_ORDERS if last.before else _ALL_ORDERS, asked):
        orders[currency] += order_count
    return Totals(kinds, dict(orders))
