"""Audits of attribution: what a look at every entry, digest and summary found, kept for good."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, grant, isolate

revision = "0029"
down_revision = "0028"

AUDITS = f"""
CREATE TABLE attribution_audits (
    {TENANT_COLUMN},
    audit_id            uuid NOT NULL,
    started_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    completed_at        timestamptz,
    after_order_id      text NOT NULL DEFAULT '',
    order_count         bigint NOT NULL DEFAULT 0,
    entry_count         bigint NOT NULL DEFAULT 0,
    wrong_sum_count     bigint NOT NULL DEFAULT 0,
    left_out_count      bigint NOT NULL DEFAULT 0,
    wrong_digest_count  bigint NOT NULL DEFAULT 0,
    wrong_day_count     bigint NOT NULL DEFAULT 0,
    wrong_summary_count bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, audit_id)
)
"""


def upgrade() -> None:
    op.execute(AUDITS)
    isolate("attribution_audits")
    grant("attribution_audits", u="S", w="SIU", r="S")
    op.execute("CREATE INDEX attribution_audits_started_idx ON attribution_audits (tenant_id, started_at)")


def downgrade() -> None:
    op.execute("DROP TABLE attribution_audits")
