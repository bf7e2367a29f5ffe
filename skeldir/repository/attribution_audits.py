"""Audits of attribution: every entry's sum, every digest, every summary and the closing, looked at anew.

An audit goes through the orders by id, some at a time, each time in one snapshot, and writes down how much
it found wrong. It repairs nothing, for what is wrong is to be understood first, but the ledger's closing: a
clock that was set back makes that wrong, and only a look at all entries makes it right.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.ids import uuid7
from skeldir.repository import backfills, ledger_totals, summaries, turns
from skeldir.repository.attribution_digests import FRESH

_OPEN: Final = text("""
    SELECT audit_id, after_order_id, order_count, entry_count, wrong_sum_count, left_out_count,
           wrong_digest_count, wrong_day_count, wrong_summary_count, wrong_closing_count
      FROM attribution_audits
     WHERE completed_at IS NULL
     ORDER BY started_at
     LIMIT 1
""")

_BEGIN: Final = text("INSERT INTO attribution_audits (audit_id) VALUES (:audit_id)")

_MOVE: Final = text("""
    UPDATE attribution_audits
       SET after_order_id = :after_order_id,
           completed_at = CASE WHEN :is_over THEN clock_timestamp() END,
           order_count = :order_count, entry_count = :entry_count, wrong_sum_count = :wrong_sum_count,
           left_out_count = :left_out_count, wrong_digest_count = :wrong_digest_count,
           wrong_day_count = :wrong_day_count, wrong_summary_count = :wrong_summary_count,
           wrong_closing_count = :wrong_closing_count
     WHERE audit_id = :audit_id
""")

# From one version to the next by the key: there may be millions of rows of each.
_VERSIONS: Final = text("""
    WITH RECURSIVE kept AS (
        (SELECT model_version FROM allocations ORDER BY model_version LIMIT 1)
        UNION ALL
        SELECT (SELECT model_version FROM allocations WHERE model_version > kept.model_version
                 ORDER BY model_version LIMIT 1)
          FROM kept
         WHERE kept.model_version IS NOT NULL
    )
    SELECT model_version FROM kept WHERE model_version IS NOT NULL
""")

_ORDERS: Final = text("""
    SELECT order_id FROM orders WHERE order_id > :after_order_id ORDER BY order_id LIMIT :orders_max
""")

# An entry has no rows, or rows that sum to its effect. It may only have none under a version that covers
# all orders while its journey is marked, or while nothing of its order has come in yet.
_SUMS: Final = text("""
    WITH sale AS MATERIALIZED (
        SELECT found.*
          FROM unnest(CAST(:order_ids AS text[])) AS asked (order_id),
               LATERAL (SELECT tenant_id, order_id, journey_id FROM orders
                         WHERE orders.order_id BETWEEN asked.order_id AND asked.order_id
                         ORDER BY orders.order_id) AS found
    ), entry AS MATERIALIZED (
        SELECT found.*, sale.journey_id IN (SELECT journey_id FROM dirty_marks) AS is_marked,
               bool_or(effect_cents > 0) OVER (PARTITION BY found.order_id, currency) AS has_come_in
          FROM sale,
               LATERAL (SELECT tenant_id, entry_id, order_id, currency, effect_cents FROM ledger_entries
                         WHERE ledger_entries.tenant_id = sale.tenant_id
                           AND ledger_entries.order_id = sale.order_id
                         ORDER BY kind, reference) AS found
         WHERE effect_cents <> 0
    ), part AS (
        SELECT entry.*, version.model_version, found.*
          FROM entry,
               unnest(CAST(:model_versions AS text[])) AS version (model_version),
               LATERAL (SELECT count(*) AS parts, sum(allocated_cents) AS cents,
                               bool_and(kept.currency = entry.currency) AS is_its_currency
                          FROM (SELECT allocated_cents, currency FROM allocations
                                 WHERE allocations.tenant_id = entry.tenant_id
                                   AND allocations.model_version = version.model_version
                                   AND allocations.entry_id = entry.entry_id
                                 ORDER BY channel_code, campaign_id) AS kept) AS found
    )
    SELECT (SELECT count(*) FROM entry) AS entry_count,
           count(*) FILTER (WHERE parts > 0 AND (cents <> effect_cents OR NOT is_its_currency)) AS wrong_sums,
           count(*) FILTER (WHERE parts = 0 AND has_come_in AND NOT is_marked
                              AND model_version = ANY(CAST(:covering AS text[]))) AS left_out
      FROM part
""")

_DIGESTS: Final = text(f"""
    WITH {FRESH}
    SELECT count(*)
      FROM fresh
      JOIN sale USING (tenant_id, order_id)
      LEFT JOIN (SELECT found.*
                   FROM unnest(CAST(:order_ids AS text[])) AS asked (order_id),
                        LATERAL (SELECT tenant_id, order_id, days, entry_count, touch_count, high, low
                                   FROM order_digests
                                  WHERE order_digests.order_id BETWEEN asked.order_id AND asked.order_id
                                  ORDER BY order_digests.order_id) AS found
                ) AS kept USING (tenant_id, order_id)
     WHERE sale.journey_id NOT IN (SELECT journey_id FROM dirty_marks)
       AND (kept.days, kept.entry_count, kept.touch_count, kept.high, kept.low)
           IS DISTINCT FROM (fresh.days, fresh.entry_count, fresh.touch_count, fresh.high, fresh.low)
""")  # noqa: S608 - built from constants only

_DAYS: Final = text("""
    SELECT count(*)
      FROM (SELECT day, count(*) AS order_count, sum(entry_count) AS entry_count,
                   sum(touch_count) AS touch_count, sum(high) AS high, sum(low) AS low
              FROM (SELECT unnest(days) AS day, entry_count, touch_count, high, low
                      FROM order_digests) AS part
             GROUP BY day) AS summed
      FULL JOIN (SELECT * FROM day_digests WHERE order_count <> 0) AS kept USING (day)
     WHERE (summed.order_count, summed.entry_count, summed.touch_count, summed.high, summed.low)
           IS DISTINCT FROM
           (kept.order_count, kept.entry_count, kept.touch_count, kept.high, kept.low)
""")


@dataclass(frozen=True, slots=True)
class Audit:
    """How far an audit has come and how much was wrong: 0 everywhere is how it should be.

    `left_out_count` are entries that no job has attributed although nothing says that one still will.
    """

    audit_id: UUID
    after_order_id: str = ""
    order_count: int = 0
    entry_count: int = 0
    wrong_sum_count: int = 0
    left_out_count: int = 0
    wrong_digest_count: int = 0
    wrong_day_count: int = 0
    wrong_summary_count: int = 0
    wrong_closing_count: int = 0

    @property
    def wrong_count(self) -> int:
        """How much of anything was wrong."""
        entries = self.wrong_sum_count + self.left_out_count
        digests = self.wrong_digest_count + self.wrong_day_count
        return entries + digests + self.wrong_summary_count + self.wrong_closing_count


def take_turn(session: Session) -> bool:
    """Take the tenant's audit until this transaction ends; False when another worker is at it."""
    return turns.take(session, "audit")


def go_on(session: Session) -> Audit:
    """Return the audit that is open, or begin one."""
    row = session.execute(_OPEN).one_or_none()
    if row is not None:
        return Audit(*row)
    audit = Audit(uuid7())
    session.execute(_BEGIN, {"audit_id": audit.audit_id})
    return audit


def look_at_orders(
    session: Session, audit: Audit, current_versions: Sequence[str], orders_max: int
) -> tuple[Audit, bool]:
    """Look at the next orders, in this transaction's snapshot; return the audit, and whether there are more.

    `attribution.begin` prepares the transaction. Nothing is written down yet.
    """
    where = {"after_order_id": audit.after_order_id, "orders_max": orders_max}
    orders = list(session.execute(_ORDERS, where).scalars())
    if not orders:
        return audit, False
    covering = sorted(backfills.covered(session) & set(current_versions))
    versions = sorted({*session.execute(_VERSIONS).scalars(), *covering})
    asked = {"order_ids": orders, "model_versions": versions, "covering": covering}
    sums = session.execute(_SUMS, asked).one()
    digests = int(session.execute(_DIGESTS, {"order_ids": orders}).scalar_one())
    seen = replace(
        audit,
        after_order_id=orders[-1],
        order_count=audit.order_count + len(orders),
        entry_count=audit.entry_count + sums.entry_count,
        wrong_sum_count=audit.wrong_sum_count + sums.wrong_sums,
        left_out_count=audit.left_out_count + sums.left_out,
        wrong_digest_count=audit.wrong_digest_count + digests,
    )
    return seen, len(orders) == orders_max


def look_at_sums(session: Session, audit: Audit) -> Audit:
    """Compare days with their orders, summaries with their rows, and the closing with the ledger.

    `attribution.begin_scan` prepares.
    """
    days = int(session.execute(_DAYS).scalar_one())
    drift = sum(summaries.drift(session, version) for version in summaries.listed(session))
    closing = ledger_totals.mend(session)
    return replace(audit, wrong_day_count=days, wrong_summary_count=drift, wrong_closing_count=closing)


def write_down(session: Session, audit: Audit, *, is_over: bool) -> None:
    """Keep how far an audit has come and what it found."""
    found = {name: getattr(audit, name) for name in Audit.__slots__}
    session.execute(_MOVE, {**found, "is_over": is_over})
