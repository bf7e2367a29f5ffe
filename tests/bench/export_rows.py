"""Allocations by the million, made by the database itself: thirds of captures, by three channels."""

from skeldir.domain.attribution_settings import AttributionSettings

VERSION = AttributionSettings(lookback_days=30).version("linear")

QUERY = """
    SELECT part.entry_id, part.order_id, entry.kind, part.effective_at, part.channel_code, part.campaign_id,
           part.allocated_cents, part.currency, coalesce(part.fallback, '')
      FROM allocations AS part
      JOIN ledger_entries AS entry ON entry.tenant_id = part.tenant_id AND entry.entry_id = part.entry_id
     WHERE part.model_version = %s
     ORDER BY part.effective_at, part.entry_id, part.channel_code, part.campaign_id
"""
"""What the peer fetches."""

FILL = (
    "SET session_replication_role = 'replica'",
    """
    INSERT INTO ledger_entries (tenant_id, entry_id, order_id, kind, reference, amount_cents, effect_cents,
                                currency, effective_at, booked_at, source)
    SELECT '{tenant_id}', gen_random_uuid(), 'order-' || n, 'captured', n, 100 + n % 10007, 100 + n % 10007,
           CASE n % 10 WHEN 0 THEN 'JPY' ELSE 'EUR' END, timestamptz '2026-01-01Z' + n * interval '1 minute',
           now(), 'shopify'
      FROM generate_series(1, {count} / 3 + 1) AS n
    """,
    """
    INSERT INTO allocations (tenant_id, model_version, entry_id, order_id, channel_code, campaign_id,
                             allocated_cents, currency, effective_at, touch_count)
    SELECT tenant_id, '{version}', entry_id, order_id, channel, campaign,
           CASE channel WHEN 'email' THEN effect_cents - 2 * (effect_cents / 3) ELSE effect_cents / 3 END,
           currency, effective_at, 3
      FROM ledger_entries,
           (VALUES ('email', ''), ('facebook_paid', 'spring'), ('google_search_paid', 'brand'))
           AS credited (channel, campaign)
     WHERE tenant_id = '{tenant_id}'
     ORDER BY entry_id, channel
     LIMIT {count}
    """,
    "SET session_replication_role = 'origin'",
    "VACUUM ANALYZE ledger_entries, allocations",
)
