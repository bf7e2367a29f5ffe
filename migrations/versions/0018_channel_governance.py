"""Channels of a tenant's own, the rules that lead to them, corrections, and the walk that applies both."""

from alembic import op

from migrations import channel_lifecycle, pii_wall
from migrations.ddl import (
    TENANT_COLUMN,
    append_only,
    drop_lookup,
    grant,
    isolate,
    lookup,
    visible_to_lookups,
)

revision = "0018"
down_revision = "0017"

SEED = """
INSERT INTO channel_taxonomy (code, family, is_paid, display_name) VALUES
    ('linkedin_paid', 'paid_social', true, 'LinkedIn Paid'),
    ('microsoft_paid', 'paid_search', true, 'Microsoft Advertising'),
    ('pinterest_paid', 'paid_social', true, 'Pinterest Paid'),
    ('snapchat_paid', 'paid_social', true, 'Snapchat Paid'),
    ('x_paid', 'paid_social', true, 'X Paid')
"""
STATE = "CHECK ({0} IN ('draft', 'active', 'deprecated', 'archived'))"
TAXONOMY_TRANSITIONS = f"""
CREATE TABLE taxonomy_transitions (
    transition_id   uuid NOT NULL PRIMARY KEY,
    code            text NOT NULL REFERENCES channel_taxonomy,
    from_state      text NOT NULL {STATE.format("from_state")},
    to_state        text NOT NULL {STATE.format("to_state")},
    actor           text NOT NULL,
    reason          text NOT NULL,
    transitioned_at timestamptz NOT NULL DEFAULT now()
)
"""
TABLES = {
    "tenant_channels": f"""
        {TENANT_COLUMN},
        code         text NOT NULL CHECK (code ~ '^[a-z][a-z0-9_]*$'),
        family       text NOT NULL,
        is_paid      boolean NOT NULL,
        display_name text NOT NULL,
        state        text NOT NULL DEFAULT 'draft' {STATE.format("state")},
        created_at   timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id, code)
    """,
    "channel_transitions": f"""
        {TENANT_COLUMN},
        transition_id   uuid NOT NULL,
        code            text NOT NULL,
        from_state      text {STATE.format("from_state")},
        to_state        text NOT NULL {STATE.format("to_state")},
        user_id         uuid,
        reason          text NOT NULL,
        transitioned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (tenant_id, transition_id),
        CONSTRAINT channel_transitions_channel_fkey
            FOREIGN KEY (tenant_id, code) REFERENCES tenant_channels (tenant_id, code)
    """,
    "channel_rule_sets": f"""
        {TENANT_COLUMN},
        version    integer NOT NULL CHECK (version > 0),
        reason     text NOT NULL,
        user_id    uuid,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id, version)
    """,
    "channel_rules": f"""
        {TENANT_COLUMN},
        version       integer NOT NULL,
        position      integer NOT NULL CHECK (position > 0),
        channel_code  text NOT NULL,
        source        text,
        medium        text,
        campaign      text,
        referrer_host text,
        click_id      text,
        PRIMARY KEY (tenant_id, version, position),
        CONSTRAINT channel_rules_rule_set_fkey
            FOREIGN KEY (tenant_id, version) REFERENCES channel_rule_sets (tenant_id, version),
        CONSTRAINT channel_rules_condition_check CHECK (
            num_nonnulls(source, medium, campaign, referrer_host, click_id) > 0)
    """,
    # Of a touch the last one holds. A touch that an order hints at has no row of its own, hence no reference.
    "channel_corrections": f"""
        {TENANT_COLUMN},
        correction_id uuid NOT NULL,
        touchpoint_id uuid NOT NULL,
        order_id      text,
        from_channel  text NOT NULL,
        to_channel    text NOT NULL,
        reason        text NOT NULL,
        user_id       uuid,
        corrected_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (tenant_id, correction_id)
    """,
    "reclassifications": f"""
        {TENANT_COLUMN},
        taxonomy_version integer NOT NULL,
        rule_set_version integer NOT NULL,
        table_name       text NOT NULL DEFAULT 'touchpoints',
        after_key        text,
        touch_count      bigint NOT NULL DEFAULT 0 CHECK (touch_count >= 0),
        changed_count    bigint NOT NULL DEFAULT 0 CHECK (changed_count >= 0),
        started_at       timestamptz NOT NULL DEFAULT now(),
        completed_at     timestamptz,
        PRIMARY KEY (tenant_id, taxonomy_version, rule_set_version)
    """,
}
APPEND_ONLY = ("channel_transitions", "channel_rule_sets", "channel_rules", "channel_corrections")
REASONED = ("channel_transitions", "channel_rule_sets", "channel_corrections")
INDEXES = (
    "CREATE INDEX channel_transitions_channel_idx ON channel_transitions (tenant_id, code, transitioned_at)",
    """CREATE INDEX channel_corrections_touch_idx
           ON channel_corrections (tenant_id, touchpoint_id, corrected_at, correction_id)""",
    """CREATE INDEX channel_corrections_corrected_idx
           ON channel_corrections (tenant_id, corrected_at, correction_id)""",
    "CREATE INDEX touchpoints_occurred_idx ON touchpoints (tenant_id, occurred_at)",
)
# Rights of the one who asks, so that its tenant's policy holds.
VIEW = """
CREATE VIEW channels WITH (security_invoker = true) AS
    SELECT code, family, is_paid, display_name, state, false AS is_own FROM public.channel_taxonomy
    UNION ALL
    SELECT code, family, is_paid, display_name, state, true FROM public.tenant_channels
"""
WAITING = """
    SELECT tenant.tenant_id
      FROM public.tenants AS tenant
      LEFT JOIN (SELECT tenant_id, max(version) AS version FROM public.channel_rule_sets GROUP BY tenant_id)
                AS newest USING (tenant_id)
     WHERE NOT EXISTS (
        SELECT FROM public.reclassifications AS walk
         WHERE walk.tenant_id = tenant.tenant_id
           AND walk.taxonomy_version = p_taxonomy_version
           AND walk.rule_set_version = coalesce(newest.version, 0)
           AND walk.completed_at IS NOT NULL)
     ORDER BY tenant.tenant_id
"""
# For the way back alone: what the taxonomy before has no word for is unknown to it.
FORGET_CHANNELS = """
UPDATE {table} SET {column} = 'unknown'
 WHERE {column} NOT IN (SELECT code FROM channel_taxonomy)
"""


def upgrade() -> None:
    op.execute(SEED)
    op.execute(TAXONOMY_TRANSITIONS)
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
        isolate(table)
    op.execute("ALTER TABLE touchpoints ADD COLUMN referrer_host text, ADD COLUMN click_id text")
    op.execute("ALTER TABLE touchpoints DROP CONSTRAINT touchpoints_channel_code_fkey")
    for index in INDEXES:
        op.execute(index)
    for table in (*APPEND_ONLY, "taxonomy_transitions"):
        append_only(table)
    for table in REASONED:
        pii_wall.guard(table, "reason")
    channel_lifecycle.hold()
    op.execute(VIEW)
    _grant()
    visible_to_lookups("channel_rule_sets", "reclassifications")
    signature = "tenants_to_reclassify(p_taxonomy_version integer)"
    lookup(signature, "TABLE (tenant_id uuid)", WAITING, to="app_worker")


def downgrade() -> None:
    drop_lookup("tenants_to_reclassify(integer)")
    op.execute("REVOKE INSERT ON dirty_marks FROM app_worker")
    op.execute("REVOKE UPDATE (channel_code) ON touchpoints FROM app_worker")
    op.execute("REVOKE UPDATE (hint_channel_code) ON orders FROM app_worker")
    op.execute("DROP VIEW channels")
    op.execute("DROP INDEX touchpoints_occurred_idx")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP TABLE taxonomy_transitions")
    channel_lifecycle.release()
    _forget_channels()
    op.execute("ALTER TABLE touchpoints DROP COLUMN referrer_host, DROP COLUMN click_id")
    op.execute(
        "ALTER TABLE touchpoints ADD CONSTRAINT touchpoints_channel_code_fkey"
        " FOREIGN KEY (channel_code) REFERENCES channel_taxonomy"
    )


def _grant() -> None:
    grant("taxonomy_transitions", u="S", r="S")
    grant("tenant_channels", u="SI", w="S", r="S")
    op.execute("GRANT UPDATE (state) ON tenant_channels TO app_rw")
    for table in APPEND_ONLY:
        grant(table, u="SI", w="S", r="S")
    grant("reclassifications", u="S", w="SIU", r="S")
    grant("channels", u="S", w="S", r="S")
    # What a touch tells stays as it is; what channel that is, the worker decides.
    op.execute("GRANT UPDATE (channel_code) ON touchpoints TO app_worker")
    op.execute("GRANT UPDATE (hint_channel_code) ON orders TO app_worker")
    grant("dirty_marks", w="I")


def _forget_channels() -> None:
    op.execute(
        "DELETE FROM channel_taxonomy WHERE code IN"
        " ('linkedin_paid', 'microsoft_paid', 'pinterest_paid', 'snapchat_paid', 'x_paid')"
    )
    for table, column in (("touchpoints", "channel_code"), ("orders", "hint_channel_code")):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(FORGET_CHANNELS.format(table=table, column=column))
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
