"""What each tenant decides of attribution, as rows that never change, and what a job was asked with."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, append_only, grant, isolate

revision = "0017"
down_revision = "0016"

SETTINGS = f"""
    {TENANT_COLUMN},
    settings_version integer NOT NULL CHECK (settings_version > 0),
    default_model    text NOT NULL,
    lookback_days    integer NOT NULL CHECK (lookback_days BETWEEN 1 AND 90),
    half_life_days   integer NOT NULL CHECK (half_life_days BETWEEN 1 AND 90),
    position_weights integer[] NOT NULL CHECK (cardinality(position_weights) = 3),
    markov_order     integer NOT NULL CHECK (markov_order BETWEEN 1 AND 3),
    custom_weights   jsonb NOT NULL DEFAULT '{{}}' CHECK (jsonb_typeof(custom_weights) = 'object'),
    set_at           timestamptz NOT NULL DEFAULT now(),
    set_by           uuid,
    PRIMARY KEY (tenant_id, settings_version)
"""


def upgrade() -> None:
    op.execute(f"CREATE TABLE attribution_settings ({SETTINGS})")
    isolate("attribution_settings")
    append_only("attribution_settings")
    grant("attribution_settings", u="SI", w="S", r="S")
    op.execute("ALTER TABLE recompute_jobs ADD parameters jsonb")
    op.execute("UPDATE recompute_jobs SET parameters = jsonb_build_object('lookback_days', lookback_days)")
    op.execute("ALTER TABLE recompute_jobs ALTER parameters SET NOT NULL, DROP lookback_days")


def downgrade() -> None:
    op.execute("ALTER TABLE recompute_jobs ADD lookback_days integer CHECK (lookback_days > 0)")
    op.execute("UPDATE recompute_jobs SET lookback_days = CAST(parameters ->> 'lookback_days' AS integer)")
    op.execute("ALTER TABLE recompute_jobs ALTER lookback_days SET NOT NULL, DROP parameters")
    op.execute("DROP TABLE attribution_settings")
