"""Clean-ups in batches: failures of logins so many at once, and buckets that have long been full."""

from alembic import op

from migrations.ddl import drop_lookup, lookup

revision = "0035"
down_revision = "0034"

PRUNE_ALL = """
    WITH gone AS (DELETE FROM public.login_failures WHERE window_started_at < p_before RETURNING 1)
    SELECT count(*) FROM gone
"""
PRUNE_SOME = """
    WITH gone AS (
        DELETE FROM public.login_failures
         WHERE ctid = ANY(ARRAY(SELECT ctid FROM public.login_failures
                                 WHERE window_started_at < p_before LIMIT p_rows_max))
        RETURNING 1
    )
    SELECT count(*) FROM gone
"""
ALL = "prune_login_failures(p_before timestamptz)"
SOME = "prune_login_failures(p_before timestamptz, p_rows_max integer)"


def upgrade() -> None:
    drop_lookup("prune_login_failures(timestamptz)")
    lookup(SOME, "bigint", PRUNE_SOME, to="app_worker", writes=True)
    op.execute("GRANT SELECT, DELETE ON rate_limits TO app_worker")


def downgrade() -> None:
    op.execute("REVOKE SELECT, DELETE ON rate_limits FROM app_worker")
    drop_lookup("prune_login_failures(timestamptz, integer)")
    lookup(ALL, "bigint", PRUNE_ALL, to="app_worker", writes=True)
