"""How certain the channels' figures are: a window's estimate, and the interval of each channel in it."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, grant, isolate

revision = "0021"
down_revision = "0020"

TABLES = {
    # Asked for, and from `computed_at` on answered. `checked_at`: when its inputs were last compared.
    "interval_estimates": f"""
        {TENANT_COLUMN},
        estimate_id   uuid NOT NULL,
        model         text NOT NULL,
        model_version text NOT NULL,
        window_start  timestamptz NOT NULL,
        window_end    timestamptz NOT NULL,
        requested_at  timestamptz NOT NULL DEFAULT now(),
        computed_at   timestamptz,
        checked_at    timestamptz,
        fingerprint   text,
        draws         integer CHECK (draws > 0),
        level_ppm     integer CHECK (level_ppm BETWEEN 1 AND 999999),
        PRIMARY KEY (tenant_id, estimate_id),
        CONSTRAINT interval_estimates_window_key UNIQUE (tenant_id, model_version, window_start, window_end),
        CONSTRAINT interval_estimates_window_check CHECK (window_end > window_start),
        CONSTRAINT interval_estimates_computed_check
            CHECK (num_nulls(computed_at, checked_at, fingerprint, draws, level_ppm) IN (0, 5))
    """,
    # A channel that too few journeys speak of has a figure and no interval.
    "channel_intervals": f"""
        {TENANT_COLUMN},
        estimate_id    uuid NOT NULL,
        currency       char(3) NOT NULL,
        channel_code   text NOT NULL,
        revenue_cents  bigint NOT NULL,
        journey_count  integer NOT NULL CHECK (journey_count > 0),
        low_cents      bigint,
        median_cents   bigint,
        high_cents     bigint,
        low_share_ppm  bigint,
        high_share_ppm bigint,
        confidence_ppm integer CHECK (confidence_ppm BETWEEN 0 AND 1000000),
        PRIMARY KEY (tenant_id, estimate_id, currency, channel_code),
        CONSTRAINT channel_intervals_estimate_fkey
            FOREIGN KEY (tenant_id, estimate_id) REFERENCES interval_estimates ON DELETE CASCADE,
        CONSTRAINT channel_intervals_order_check CHECK (
            low_cents <= median_cents AND median_cents <= high_cents AND low_share_ppm <= high_share_ppm),
        CONSTRAINT channel_intervals_whole_check CHECK (num_nulls(
            low_cents, median_cents, high_cents, low_share_ppm, high_share_ppm, confidence_ppm) IN (0, 6))
    """,
}


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
        isolate(table)
    grant("interval_estimates", u="SIU", w="SIUD", r="S")
    grant("channel_intervals", u="S", w="SID", r="S")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
