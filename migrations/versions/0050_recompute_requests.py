"""Requests for windows that are being recomputed, beside the rows that the running jobs end by changing."""

from importlib import import_module

from alembic import op

from migrations.ddl import TENANT_COLUMN, drop_lookup, grant, isolate, lookup, visible_to_lookups

revision = "0050"
down_revision = "0049"

FORMER = import_module("migrations.versions.0003_attribution")

SIGNATURE = "tenants_with_work(p_now timestamptz)"
RETURNS = "TABLE (tenant_id uuid)"

# While the job runs, nothing is to be done: its end sends for the next run.
WORK = """
    SELECT tenant_id FROM public.dirty_marks WHERE marked_at <= p_now
    UNION
    SELECT tenant_id
      FROM public.recompute_jobs
      LEFT JOIN public.recompute_requests AS request USING (tenant_id, job_id)
     WHERE status = 'queued' OR (status = 'running' AND started_at < p_now - interval '1 minute')
        OR (status <> 'running' AND request.requested_at IS NOT NULL)
    ORDER BY tenant_id
"""


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE recompute_requests (
            {TENANT_COLUMN},
            job_id uuid NOT NULL,
            requested_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, job_id)
        )
    """)
    isolate("recompute_requests")
    grant("recompute_requests", u="SI", w="SD", r="S")
    visible_to_lookups("recompute_requests")
    drop_lookup("tenants_with_work(timestamptz)")
    lookup(SIGNATURE, RETURNS, WORK, to="app_worker")


def downgrade() -> None:
    """Forget what was asked for during runs that are not over."""
    drop_lookup("tenants_with_work(timestamptz)")
    lookup(SIGNATURE, RETURNS, FORMER.WORK, to="app_worker")
    op.execute("DROP TABLE recompute_requests")
