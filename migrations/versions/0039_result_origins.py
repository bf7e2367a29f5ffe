"""What else a result depends on, and the tenants whose models another default look-back makes out of date."""

from alembic import op

from migrations.ddl import drop_lookup, lookup, visible_to_lookups

revision = "0039"
down_revision = "0038"

# As the run that computed the result found them.
ORIGINS = ("rule_set_version integer", "correction_count bigint", "settings_version integer")

# Also who has no row at all: a tenant that is new, or of before there were backfills.
OPEN = """
    SELECT tenant_id FROM public.tenants AS tenant
     WHERE NOT EXISTS (SELECT FROM public.attribution_backfills AS done
                        WHERE done.tenant_id = tenant.tenant_id)
    UNION
    SELECT tenant_id FROM public.attribution_backfills WHERE completed_at IS NULL
"""
# Who never chose follows the service's own look-back, which every version of a model has in its parameters.
OVERTAKEN = """    UNION
    SELECT tenant_id FROM public.attribution_backfills AS done
     WHERE CAST(parameters ->> 'lookback_days' AS integer) <> p_lookback_days
       AND NOT EXISTS (SELECT FROM public.attribution_settings AS chosen
                        WHERE chosen.tenant_id = done.tenant_id)
"""
ORDERED = "    ORDER BY tenant_id\n"
RETURNS = "TABLE (tenant_id uuid)"


def upgrade() -> None:
    for column in ORIGINS:
        op.execute(f"ALTER TABLE recompute_jobs ADD COLUMN {column}")
    visible_to_lookups("attribution_settings")
    drop_lookup("tenants_with_backfills()")
    signature, body = "tenants_with_backfills(p_lookback_days integer)", OPEN + OVERTAKEN + ORDERED
    lookup(signature, RETURNS, body, to="app_worker")


def downgrade() -> None:
    drop_lookup("tenants_with_backfills(integer)")
    lookup("tenants_with_backfills()", RETURNS, OPEN + ORDERED, to="app_worker")
    op.execute("DROP POLICY lookup ON attribution_settings")
    op.execute("REVOKE SELECT ON attribution_settings FROM skeldir_lookup")
    for column in reversed(ORIGINS):
        op.execute(f"ALTER TABLE recompute_jobs DROP COLUMN {column.split()[0]}")
