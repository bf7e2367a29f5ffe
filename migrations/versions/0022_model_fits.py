"""What models were fitted to, and how far a version's allocations have come."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, append_only, drop_lookup, grant, isolate, lookup, visible_to_lookups

revision = "0022"
down_revision = "0021"

FITS = f"""
    {TENANT_COLUMN},
    model                text NOT NULL,
    fit_version          integer NOT NULL CHECK (fit_version > 0),
    weights_digest       text NOT NULL,
    weights              jsonb NOT NULL CHECK (jsonb_typeof(weights) = 'object'),
    grouped_channels     text[] NOT NULL DEFAULT '{{}}',
    markov_order         integer NOT NULL CHECK (markov_order BETWEEN 1 AND 3),
    lookback_days        integer NOT NULL CHECK (lookback_days BETWEEN 1 AND 90),
    converted_path_count bigint NOT NULL CHECK (converted_path_count > 0),
    lost_path_count      bigint NOT NULL CHECK (lost_path_count >= 0),
    fitted_at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, model, fit_version)
"""
BACKFILLS = f"""
    {TENANT_COLUMN},
    model_version  text NOT NULL,
    model          text NOT NULL,
    parameters     jsonb NOT NULL,
    is_cleared     boolean NOT NULL,
    after_order_id text NOT NULL DEFAULT '',
    started_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    completed_at   timestamptz,
    PRIMARY KEY (tenant_id, model_version)
"""
# Also who has no row at all: a tenant that is new, or of before there were backfills.
OPEN = """
    SELECT tenant_id FROM public.tenants AS tenant
     WHERE NOT EXISTS (SELECT FROM public.attribution_backfills AS done
                        WHERE done.tenant_id = tenant.tenant_id)
    UNION
    SELECT tenant_id FROM public.attribution_backfills WHERE completed_at IS NULL
    ORDER BY tenant_id
"""


def upgrade() -> None:
    op.execute(f"CREATE TABLE model_fits ({FITS})")
    isolate("model_fits")
    append_only("model_fits")
    grant("model_fits", u="S", w="SI", r="S")
    op.execute(f"CREATE TABLE attribution_backfills ({BACKFILLS})")
    isolate("attribution_backfills")
    grant("attribution_backfills", u="SID", w="SIUD", r="S")
    visible_to_lookups("attribution_backfills")
    lookup("tenants_with_backfills()", "TABLE (tenant_id uuid)", OPEN, to="app_worker")


def downgrade() -> None:
    drop_lookup("tenants_with_backfills()")
    op.execute("DROP TABLE attribution_backfills")
    op.execute("DROP TABLE model_fits")
