"""How audits of everybody's attribution ended, for operators: how many tenants', and never whose."""

from alembic import op

from migrations.ddl import drop_lookup, lookup, visible_to_lookups

revision = "0051"
down_revision = "0050"

# By each tenant's last audit that was finished; one that was never audited has waited since it was made.
FIGURES = """
    SELECT count(*) FILTER (WHERE last.is_wrong),
           coalesce(extract(epoch FROM clock_timestamp()
                                       - min(coalesce(last.completed_at, tenants.created_at))), 0)
      FROM public.tenants
      LEFT JOIN LATERAL (
            SELECT completed_at,
                   wrong_sum_count + left_out_count + wrong_digest_count + wrong_day_count
                   + wrong_summary_count + wrong_closing_count > 0 AS is_wrong
              FROM public.attribution_audits
             WHERE attribution_audits.tenant_id = tenants.tenant_id AND completed_at IS NOT NULL
             ORDER BY started_at DESC
             LIMIT 1) AS last ON true
     WHERE tenants.status = 'active'
"""


def upgrade() -> None:
    visible_to_lookups("attribution_audits")
    lookup(
        "audit_figures()", "TABLE (wrong_tenant_count bigint, oldest_seconds numeric)", FIGURES, to="app_rw"
    )


def downgrade() -> None:
    drop_lookup("audit_figures()")
    op.execute("DROP POLICY lookup ON attribution_audits")
    op.execute("REVOKE SELECT ON attribution_audits FROM skeldir_lookup")
