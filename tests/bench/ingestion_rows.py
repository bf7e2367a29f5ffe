"""The rows that one paid order writes, as plain inserts: what the peers do, and no more.

No look at what is known, no locks, no rules: they believe every delivery and could not take a refund.
Each name in braces is a parameter; FastAPI and pgbench write parameters in ways of their own.
"""

from typing import Final

PAYLOAD: Final = (
    '{{"id": 1000000001, "currency": "USD", "created_at": "2026-11-20T10:00:00+00:00", "updated_at":'
    ' "2026-11-20T10:00:05+00:00", "total_price": "129.99", "financial_status": "paid", "note_attributes":'
    ' [{{"name": "utm_source", "value": "google"}}, {{"name": "utm_medium", "value": "cpc"}}]}}'
)
RECEIPT: Final = '{{"received": true, "outcome": "booked"}}'
AT: Final = "'2026-11-20 10:00:00Z'"

_ENTRY: Final = """
    INSERT INTO ledger_entries (entry_id, order_id, kind, reference, amount_cents, effect_cents, currency,
                                effective_at, booked_at, source, event_id)
    VALUES (gen_random_uuid(), {order_id}, '%s', {order_id}, 12999, %d, 'USD', %s, now(), 'shopify',
            gen_random_uuid())
"""
_FACT: Final = """
    INSERT INTO facts (fact_id, event_id, order_key, source, authority, kind, reference, amount_cents,
                       currency, effective_at, told_at)
    VALUES (gen_random_uuid(), gen_random_uuid(), {order_id}, 'shopify', 'shop', '%s', {order_id}, 12999,
            'USD', %s, %s)
"""
INSERTS: Final = (
    f"""
    INSERT INTO deliveries (delivery_id, vendor, topic, outcome, event_id, receipt, received_at,
                            last_received_at)
    VALUES (gen_random_uuid(), 'shopify', 'orders/paid', 'booked', gen_random_uuid(), '{RECEIPT}', now(),
            now())
    """,
    f"""
    INSERT INTO events (event_id, vendor, topic, vendor_event_id, order_id, occurred_at, received_at, payload)
    VALUES (gen_random_uuid(), 'shopify', 'orders/paid', {{order_id}}, {{order_id}}, {AT}, now(), '{PAYLOAD}')
    """,
    _FACT % ("authorised", AT, AT),
    _FACT % ("captured", AT, AT),
    f"""
    INSERT INTO order_hints (hint_id, event_id, order_key, told_at, journey_id, source, medium)
    VALUES (gen_random_uuid(), gen_random_uuid(), {{order_id}}, {AT}, {{order_id}}, 'google', 'cpc')
    """,
    _ENTRY % ("authorised", 0, AT),
    _ENTRY % ("captured", 12999, AT),
    f"""
    INSERT INTO orders (order_id, journey_id, ordered_at, hint_source, hint_medium, hint_channel_code)
    VALUES ({{order_id}}, {{order_id}}, {AT}, 'google', 'cpc', 'google_search_paid')
    """,
    f"INSERT INTO dirty_marks (mark_id, journey_id, earliest) VALUES (gen_random_uuid(), {{order_id}}, {AT})",
)
BEGIN: Final = "BEGIN; SET LOCAL app.current_tenant_id = '{tenant_id}'"
FIND_ENDPOINT: Final = """
    SELECT endpoint_id FROM skeldir_lookup.endpoint_by_key(CAST({key_hash} AS bytea), 'shopify')
"""
