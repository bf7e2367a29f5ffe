"""A tenant's events as shops see them, made by Postgres from a seed: the same for every engine and run.

Journeys of geometric length (3.8 touches on average) with sticky channels over 90 days; 5.65 % of the
events are orders, of which 2 % come out of nowhere; log-normal amounts; refunds of a tenth of the orders
and disputes of a hundredth. An event is a touch or an order.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg

CHANNELS: Final = (
    "direct",
    "email",
    "facebook_brand",
    "facebook_paid",
    "google_display_paid",
    "google_search_paid",
    "organic",
    "referral",
    "tiktok_paid",
    "unknown",
)

# Chance is a hash of what it decides about, so it depends on nothing but the seed.
_CHANCE: Final = """
CREATE OR REPLACE FUNCTION pg_temp.chance(seed integer, what text, a bigint, b bigint) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
(hashint8extended(a * 1000003 + b, hashtext(what) + seed) & 9007199254740991) / 9007199254740992.0
"""
# Ids are hashes of what they name, as the ledger's are: in an index they lie anywhere.
_ID: Final = """
CREATE OR REPLACE FUNCTION pg_temp.make_id(what text, a bigint, b bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN CAST(md5(what || a || '.' || b) AS uuid)
"""
_JOURNEYS: Final = """
CREATE TEMP TABLE journey ON COMMIT DROP AS
SELECT n, 'j-' || n AS journey_id,
       timestamptz '2026-08-01 00:00Z'
           + pg_temp.chance(%(seed)s, 'start', n, 0) * interval '75 days' AS began,
       CASE WHEN is_orphan THEN 0
            ELSE 1 + CAST(floor(ln(greatest(pg_temp.chance(%(seed)s, 'length', n, 0), 1e-12))
                          / ln(1 - 1 / 3.8)) AS integer) END AS touches,
       is_orphan OR pg_temp.chance(%(seed)s, 'order', n, 0) < 0.2276 AS has_order
  FROM (SELECT n, pg_temp.chance(%(seed)s, 'orphan', n, 0) < 0.02 * 0.2276 AS is_orphan
          FROM generate_series(1, CAST(%(events)s / (3.8 + 0.2276) AS bigint)) AS n) AS made
"""
_TOUCHES: Final = """
CREATE TEMP TABLE touch ON COMMIT DROP AS
SELECT n, journey_id, k, began + k * pg_temp.chance(%(seed)s, 'pace', n, 0) * interval '4 days' AS at,
       sum(CASE WHEN k = 1 OR pg_temp.chance(%(seed)s, 'switch', n, k) < 0.6 THEN 1 ELSE 0 END)
           OVER (PARTITION BY n ORDER BY k) AS stretch
  FROM journey, generate_series(1, touches) AS k
"""
_STORE_TOUCHES: Final = """
INSERT INTO touchpoints (tenant_id, touchpoint_id, journey_id, occurred_at, channel_code, campaign_id)
SELECT %(tenant)s, pg_temp.make_id('touch', n, k), journey_id, at, channel,
       CASE WHEN channel LIKE '%%paid'
            THEN (ARRAY['', 'spring', 'brand'])[
                     1 + CAST(floor(pg_temp.chance(%(seed)s, 'campaign', n, stretch) * 3) AS integer)]
            ELSE '' END
  FROM (SELECT *, (CAST(%(channels)s AS text[]))[
                      1 + CAST(floor(pg_temp.chance(%(seed)s, 'channel', n, stretch)
                                     * %(channel_count)s) AS integer)] AS channel
          FROM touch) AS made
 ORDER BY at, n, k
"""
_SALES: Final = """
CREATE TEMP TABLE sale ON COMMIT DROP AS
SELECT n, 'o-' || n AS order_id, journey_id,
       coalesce((SELECT max(at) FROM touch WHERE touch.n = journey.n), began) + interval '1 hour' AS at,
       1 + CAST(exp(8.5 + sqrt(-2 * ln(greatest(pg_temp.chance(%(seed)s, 'much', n, 0), 1e-12)))
                          * cos(2 * pi() * pg_temp.chance(%(seed)s, 'much', n, 1))) AS bigint) AS cents
  FROM journey WHERE has_order
"""
_STORE_SALES: Final = """
INSERT INTO orders (tenant_id, order_id, journey_id, ordered_at)
SELECT %(tenant)s, order_id, journey_id, at FROM sale ORDER BY at, n
"""
_STORE_ENTRIES: Final = """
INSERT INTO ledger_entries (tenant_id, entry_id, order_id, kind, reference, amount_cents, effect_cents,
                            currency, effective_at, booked_at, source)
SELECT %(tenant)s, pg_temp.make_id(kind, n, k), order_id, kind, CAST(k AS text), cents, sign * cents,
       'EUR', at, at, 'shopify'
  FROM (SELECT n, 0 AS k, order_id, at, 'captured' AS kind, cents, 1 AS sign FROM sale
        UNION ALL
        SELECT n, k, order_id, at + k * interval '30 hours', 'refunded', greatest(1, cents / 3), -1
          FROM sale, generate_series(1, 2) AS k
         WHERE pg_temp.chance(%(seed)s, 'refund', n, 0) < 0.1 / k
        UNION ALL
        SELECT n, 3, order_id, at + interval '9 days', 'disputed', greatest(1, cents / 2), -1
          FROM sale WHERE pg_temp.chance(%(seed)s, 'dispute', n, 0) < 0.01) AS made
 ORDER BY at, n, k
"""


@dataclass(frozen=True)
class Size:
    """What a tenant has been given."""

    touches: int
    orders: int
    entries: int
    net_cents: int


def store(superuser: psycopg.Connection, tenant: UUID, events: int, seed: int = 42) -> Size:
    """Give a tenant about so many events; nothing is marked dirty and no statistics are taken."""
    parameters = {"tenant": tenant, "events": events, "seed": seed, "channels": list(CHANNELS)}
    parameters["channel_count"] = len(CHANNELS)
    with superuser.transaction():
        superuser.execute(_CHANCE)
        superuser.execute(_ID)
        for statement in (
            _JOURNEYS,
            "CREATE INDEX ON journey (n)",
            _TOUCHES,
            "CREATE INDEX ON touch (n, at)",
            "ANALYZE journey, touch",
            _SALES,
        ):
            superuser.execute(statement, parameters if "%" in statement else None)
        touches, orders, entries = (
            superuser.execute(statement, parameters).rowcount
            for statement in (_STORE_TOUCHES, _STORE_SALES, _STORE_ENTRIES)
        )
        row = superuser.execute(
            "SELECT coalesce(sum(effect_cents), 0) FROM ledger_entries WHERE tenant_id = %s", (tenant,)
        ).fetchone()
    assert row is not None
    return Size(touches, orders, entries, int(row[0]))


def mark(superuser: psycopg.Connection, tenant: UUID, one_in: int = 1, nth: int = 0) -> int:
    """Mark the tenant's journeys dirty, or one in so many of them, as a bulk ingest a minute ago would.

    `nth`: others than before, as many.
    """
    return superuser.execute(
        """INSERT INTO dirty_marks (tenant_id, mark_id, journey_id, earliest, marked_at)
           SELECT %s, gen_random_uuid(), journey_id, now(), now() - interval '1 minute'
             FROM (SELECT journey_id FROM touchpoints WHERE tenant_id = %s
                   UNION SELECT journey_id FROM orders WHERE tenant_id = %s) AS known
            WHERE abs(hashtext(journey_id) %% %s) = %s""",
        (tenant, tenant, tenant, one_in, nth),
    ).rowcount
