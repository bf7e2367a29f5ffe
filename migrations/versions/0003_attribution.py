"""Channels, touchpoints and what attribution makes of them: allocations that sum to their entries."""

from alembic import op

from migrations.ddl import (
    TENANT_COLUMN,
    analyse_often,
    drop_lookup,
    grant,
    isolate,
    lookup,
    visible_to_lookups,
)

revision = "0003"
down_revision = "0002"

CHANNELS = """
CREATE TABLE channel_taxonomy (
    code         text NOT NULL PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]*$'),
    family       text NOT NULL,
    is_paid      boolean NOT NULL,
    display_name text NOT NULL,
    state        text NOT NULL DEFAULT 'active' CHECK (state IN ('draft', 'active', 'deprecated', 'archived'))
)
"""
SEED = """
INSERT INTO channel_taxonomy (code, family, is_paid, display_name) VALUES
    ('direct', 'direct', false, 'Direct'),
    ('email', 'email', false, 'Email'),
    ('organic', 'organic', false, 'Organic'),
    ('referral', 'referral', false, 'Referral'),
    ('facebook_paid', 'paid_social', true, 'Facebook Paid'),
    ('facebook_brand', 'paid_social', true, 'Facebook Brand'),
    ('tiktok_paid', 'paid_social', true, 'TikTok Paid'),
    ('google_search_paid', 'paid_search', true, 'Google Search Paid'),
    ('google_display_paid', 'paid_search', true, 'Google Display Paid'),
    ('unknown', 'direct', false, 'Unknown / Unclassified')
"""

TABLES = {
    "touchpoints": f"""
        {TENANT_COLUMN},
        touchpoint_id uuid NOT NULL,
        journey_id    text NOT NULL,
        session_id    text,
        occurred_at   timestamptz NOT NULL,
        channel_code  text NOT NULL REFERENCES channel_taxonomy,
        campaign_id   text NOT NULL DEFAULT '',
        source        text,
        medium        text,
        recorded_at   timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id, touchpoint_id)
    """,
    "dirty_marks": f"""
        {TENANT_COLUMN},
        mark_id    uuid NOT NULL,
        journey_id text NOT NULL,
        earliest   timestamptz NOT NULL,
        marked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (tenant_id, mark_id)
    """,
    # No reference to the entry: its row lock would cost more than the insert. The sum trigger joins it.
    "allocations": f"""
        {TENANT_COLUMN},
        model_version   text NOT NULL,
        entry_id        uuid NOT NULL,
        order_id        text NOT NULL,
        channel_code    text NOT NULL,
        campaign_id     text NOT NULL DEFAULT '',
        allocated_cents bigint NOT NULL,
        currency        char(3) NOT NULL,
        effective_at    timestamptz NOT NULL,
        touch_count     integer NOT NULL CHECK (touch_count >= 0),
        fallback        text,
        PRIMARY KEY (tenant_id, model_version, entry_id, channel_code, campaign_id)
    """,
    "recompute_jobs": f"""
        {TENANT_COLUMN},
        job_id        uuid NOT NULL,
        window_start  timestamptz NOT NULL,
        window_end    timestamptz NOT NULL,
        model         text NOT NULL,
        model_version text NOT NULL,
        lookback_days integer NOT NULL CHECK (lookback_days > 0),
        status        text NOT NULL DEFAULT 'queued'
                      CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
        run_count     integer NOT NULL DEFAULT 0 CHECK (run_count >= 0),
        start_count   integer NOT NULL DEFAULT 0 CHECK (start_count >= 0),
        last_outcome  text CHECK (last_outcome IN ('computed', 'unchanged')),
        fingerprint   text,
        requested_at  timestamptz NOT NULL DEFAULT now(),
        started_at    timestamptz,
        finished_at   timestamptz,
        error         text,
        PRIMARY KEY (tenant_id, job_id),
        CONSTRAINT recompute_jobs_window_key UNIQUE (tenant_id, window_start, window_end, model_version),
        CONSTRAINT recompute_jobs_window_check CHECK (window_end > window_start)
    """,
    "task_effects": f"""
        {TENANT_COLUMN},
        task_id   uuid NOT NULL,
        task_name text NOT NULL,
        done_at   timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id, task_id)
    """,
}

INDEXES = (
    """CREATE INDEX touchpoints_journey_idx ON touchpoints (tenant_id, journey_id, occurred_at, touchpoint_id)
       INCLUDE (channel_code, campaign_id)""",
    "CREATE INDEX dirty_marks_journey_idx ON dirty_marks (tenant_id, journey_id, marked_at)",
    """CREATE INDEX allocations_effective_idx ON allocations (tenant_id, model_version, effective_at)
       INCLUDE (channel_code, currency, order_id, allocated_cents)""",
    "CREATE INDEX recompute_jobs_status_idx ON recompute_jobs (tenant_id, status)",
)

# Jobs name what they read by arrays of thousands of ids. The planner would compare each with each of a
# column's common values, a tenth of a second per statement, and learn nothing: ids have none to speak of.
WITHOUT_COMMON_VALUES = (
    ("orders", "journey_id"),
    ("ledger_entries", "order_id"),
    ("touchpoints", "journey_id"),
    ("allocations", "entry_id"),
)

# Planned anew each time (EXECUTE): one plan cannot serve one touched entry and a hundred thousand. Both
# tables are read by the array of touched entries and then hashed together, never looped over: so the
# check stays linear for a tenant that the planner has no statistics of.
CHECK_SUM = """
CREATE FUNCTION public.check_allocation_sum() RETURNS trigger LANGUAGE plpgsql
SET enable_nestloop = off AS $$
DECLARE
  versions text[];
  entries uuid[];
  wrong record;
BEGIN
  SELECT array_agg(DISTINCT model_version), array_agg(DISTINCT entry_id) INTO versions, entries FROM touched;
  IF entries IS NULL THEN
    RETURN NULL;
  END IF;
  EXECUTE $query$
    SELECT present.entry_id, present.model_version, present.cents, entry.effect_cents
      FROM (SELECT tenant_id, model_version, entry_id, sum(allocated_cents) AS cents,
                   min(currency) AS low, max(currency) AS high
              FROM public.allocations
             WHERE model_version = ANY($1) AND entry_id = ANY($2)
             GROUP BY tenant_id, model_version, entry_id) AS present
      LEFT JOIN (SELECT tenant_id, entry_id, effect_cents, currency
                   FROM public.ledger_entries
                  WHERE entry_id = ANY($2)) AS entry USING (tenant_id, entry_id)
     WHERE entry.entry_id IS NULL OR present.cents <> entry.effect_cents
        OR present.low <> entry.currency OR present.high <> entry.currency
     LIMIT 1
  $query$ INTO wrong USING versions, entries;
  IF wrong.entry_id IS NOT NULL THEN
    RAISE EXCEPTION 'allocations of entry % by % sum to %, the ledger says %',
      wrong.entry_id, wrong.model_version, wrong.cents,
      coalesce(CAST(wrong.effect_cents AS text), 'there is no such entry')
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
SUM_TRIGGERS = (
    ("insert", "NEW", "inserted"),
    ("delete", "OLD", "deleted"),
    ("update", "OLD", "left"),
    ("update", "NEW", "reached"),
)

# The owner's right: a job calls it after bulk writes, since the planner's guess at a tenant it never
# saw costs a factor of 500. Call it in a short transaction of its own: it locks until the commit.
ANALYSE = """
CREATE FUNCTION public.analyze_attribution() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  ANALYZE public.touchpoints, public.ledger_entries, public.orders, public.allocations;
END $$
"""
WORK = """
    SELECT tenant_id FROM public.dirty_marks WHERE marked_at <= p_now
    UNION
    SELECT tenant_id FROM public.recompute_jobs
     WHERE status = 'queued' OR (status = 'running' AND started_at < p_now - interval '1 minute')
    ORDER BY tenant_id
"""


def upgrade() -> None:
    op.execute(CHANNELS)
    op.execute(SEED)
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
        isolate(table)
    for index in INDEXES:
        op.execute(index)
    for table in ("touchpoints", "dirty_marks", "allocations"):
        analyse_often(table)
    for table, column in WITHOUT_COMMON_VALUES:
        op.execute(f"ALTER TABLE {table} ALTER {column} SET STATISTICS 1")
    _keep_sums()
    op.execute(ANALYSE)
    op.execute("REVOKE ALL ON FUNCTION public.analyze_attribution() FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION public.analyze_attribution() TO app_worker")
    _grant()
    visible_to_lookups("dirty_marks", "recompute_jobs")
    lookup("tenants_with_work(p_now timestamptz)", "TABLE (tenant_id uuid)", WORK, to="app_worker")


def downgrade() -> None:
    drop_lookup("tenants_with_work(timestamptz)")
    op.execute("DROP FUNCTION public.analyze_attribution()")
    for table, column in WITHOUT_COMMON_VALUES:
        op.execute(f"ALTER TABLE {table} ALTER {column} SET STATISTICS -1")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION public.check_allocation_sum()")
    op.execute("DROP TABLE channel_taxonomy")


def _keep_sums() -> None:
    """Check after every statement that an entry has no allocations or that they sum to its effect."""
    op.execute(CHECK_SUM)
    for event, rows, name in SUM_TRIGGERS:
        op.execute(
            f"CREATE TRIGGER sum_of_{name} AFTER {event.upper()} ON allocations "
            f"REFERENCING {rows} TABLE AS touched "
            "FOR EACH STATEMENT EXECUTE FUNCTION public.check_allocation_sum()"
        )


def _grant() -> None:
    grant("channel_taxonomy", u="S", w="S", a="S", r="S")
    grant("touchpoints", u="SI", w="S", r="S")
    grant("dirty_marks", u="SI", w="SD")
    grant("allocations", u="S", w="SIUD", r="S")
    grant("recompute_jobs", u="SIU", w="SU", r="S")
    grant("task_effects", w="SID")
