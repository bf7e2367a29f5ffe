"""Deliveries, events, facts and the append-only ledger; the second wall against personal data."""

from alembic import op

from migrations import pii_wall
from migrations.ddl import TENANT_COLUMN, analyse_often, append_only, grant, isolate

revision = "0002"
down_revision = "0001"

REFUSE_CHANGE = """
CREATE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: its rows are facts', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$
"""

VENDOR = "text NOT NULL CHECK (vendor IN ('shopify', 'stripe', 'woocommerce', 'paypal'))"
CURRENCY = "char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$')"

TABLES = {
    "deliveries": f"""
        {TENANT_COLUMN},
        delivery_id      uuid NOT NULL,
        endpoint_id      uuid,
        vendor           {VENDOR},
        topic            text NOT NULL,
        outcome          text NOT NULL CHECK (outcome IN ('booked', 'recorded', 'dead_lettered')),
        reason_code      text,
        reason_field     text,
        event_id         uuid,
        dead_letter_id   uuid,
        receipt          jsonb NOT NULL,
        received_at      timestamptz NOT NULL,
        redeliveries     integer NOT NULL DEFAULT 0 CHECK (redeliveries >= 0),
        last_received_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, delivery_id)
    """,
    "events": f"""
        {TENANT_COLUMN},
        event_id        uuid NOT NULL,
        vendor          {VENDOR},
        topic           text NOT NULL,
        vendor_event_id text NOT NULL,
        order_id        text,
        occurred_at     timestamptz NOT NULL,
        received_at     timestamptz NOT NULL,
        payload         jsonb NOT NULL,
        PRIMARY KEY (tenant_id, event_id)
    """,
    "facts": f"""
        {TENANT_COLUMN},
        fact_id      uuid NOT NULL,
        event_id     uuid NOT NULL,
        order_key    text NOT NULL,
        source       text NOT NULL,
        authority    text NOT NULL CHECK (authority IN ('shop', 'processor')),
        kind         text NOT NULL CHECK (kind IN
                     ('authorised', 'captured', 'refunded', 'disputed', 'dispute_reversed')),
        reference    text NOT NULL,
        amount_cents bigint NOT NULL CHECK (amount_cents >= 0),
        cumulative   boolean NOT NULL DEFAULT false,
        currency     {CURRENCY},
        effective_at timestamptz NOT NULL,
        told_at      timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, fact_id)
    """,
    "order_links": f"""
        {TENANT_COLUMN},
        payment_key text NOT NULL,
        order_id    text NOT NULL,
        authority   text NOT NULL CHECK (authority IN ('shop', 'processor')),
        event_id    uuid,
        PRIMARY KEY (tenant_id, payment_key, order_id, authority)
    """,
    "order_hints": f"""
        {TENANT_COLUMN},
        hint_id    uuid NOT NULL,
        event_id   uuid NOT NULL,
        order_key  text NOT NULL,
        told_at    timestamptz NOT NULL,
        journey_id text,
        source     text,
        medium     text,
        campaign   text,
        PRIMARY KEY (tenant_id, hint_id)
    """,
    "orders": f"""
        {TENANT_COLUMN},
        order_id   text NOT NULL,
        journey_id text NOT NULL,
        ordered_at timestamptz NOT NULL,
        hint_touchpoint_id uuid,
        hint_source        text,
        hint_medium        text,
        hint_channel_code  text,
        hint_campaign_id   text,
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id, order_id)
    """,
    "ledger_entries": f"""
        {TENANT_COLUMN},
        entry_id     uuid NOT NULL,
        order_id     text NOT NULL,
        kind         text NOT NULL CHECK (kind IN
                     ('authorised', 'captured', 'refunded', 'disputed', 'dispute_reversed', 'adjusted')),
        reference    text NOT NULL,
        correction   integer NOT NULL DEFAULT 0 CHECK (correction >= 0),
        amount_cents bigint NOT NULL,
        effect_cents bigint NOT NULL,
        currency     {CURRENCY},
        effective_at timestamptz NOT NULL,
        booked_at    timestamptz NOT NULL,
        source       text NOT NULL,
        event_id     uuid,
        PRIMARY KEY (tenant_id, entry_id),
        CONSTRAINT ledger_entries_identity_key
            UNIQUE (tenant_id, order_id, kind, reference, correction, currency, effective_at),
        CONSTRAINT ledger_entries_amount_check
            CHECK (amount_cents >= 0 OR correction > 0 OR kind = 'adjusted'),
        CONSTRAINT ledger_entries_effect_check CHECK (effect_cents = CASE kind
            WHEN 'authorised' THEN 0
            WHEN 'refunded' THEN -amount_cents
            WHEN 'disputed' THEN -amount_cents
            ELSE amount_cents END)
    """,
    "dead_letters": f"""
        {TENANT_COLUMN},
        dead_letter_id  uuid NOT NULL,
        delivery_id     uuid,
        vendor          {VENDOR},
        topic           text NOT NULL,
        reason_code     text NOT NULL,
        reason_field    text,
        detail          text,
        payload         jsonb,
        contract_digest text,
        attempts        integer NOT NULL DEFAULT 1 CHECK (attempts >= 0),
        status          text NOT NULL DEFAULT 'pending'
                        CHECK (status IN ('pending', 'in_progress', 'resolved', 'abandoned')),
        received_at     timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, dead_letter_id)
    """,
}

INDEXES = (
    "CREATE INDEX deliveries_received_idx ON deliveries (tenant_id, received_at DESC, delivery_id)",
    "CREATE INDEX events_order_idx ON events (tenant_id, order_id)",
    "CREATE INDEX facts_order_idx ON facts (tenant_id, order_key)",
    "CREATE INDEX order_links_order_idx ON order_links (tenant_id, order_id)",
    "CREATE INDEX order_hints_order_idx ON order_hints (tenant_id, order_key)",
    "CREATE INDEX orders_journey_idx ON orders (tenant_id, journey_id)",
    """CREATE INDEX ledger_entries_effective_idx ON ledger_entries (tenant_id, effective_at, entry_id)
       INCLUDE (order_id, effect_cents, currency)""",
    "CREATE INDEX dead_letters_received_idx ON dead_letters (tenant_id, received_at DESC, dead_letter_id)",
)


def upgrade() -> None:
    op.execute(REFUSE_CHANGE)
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
        isolate(table)
    for index in INDEXES:
        op.execute(index)
    for table in ("events", "facts", "order_hints", "ledger_entries"):
        append_only(table)
    for table in ("orders", "ledger_entries"):
        analyse_often(table)
    pii_wall.create()
    pii_wall.guard("events", "payload")
    pii_wall.guard("dead_letters", "payload", "detail")
    _grant()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    pii_wall.drop()
    op.execute("DROP FUNCTION public.refuse_change()")


def _grant() -> None:
    grant("deliveries", u="SIU", w="S", r="S")
    grant("orders", u="SIU", w="S", r="S")
    for table in ("events", "facts", "order_links", "order_hints", "ledger_entries", "dead_letters"):
        grant(table, u="SI", w="S", r="S")
