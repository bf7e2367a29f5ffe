"""Buckets of requests per tenant: what a process was granted last, and when the bucket is full again."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, grant, isolate

revision = "0008"
down_revision = "0007"

# Unlogged: after a crash every bucket is full again, which is cheaper than a write-ahead log of counts.
# No foreign key: every lease would check it.
RATE_LIMITS = f"""
CREATE UNLOGGED TABLE rate_limits (
  {TENANT_COLUMN},
  bucket    text NOT NULL,
  leased    integer NOT NULL CHECK (leased >= 0),
  leased_at timestamptz NOT NULL,
  full_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, bucket)
) WITH (fillfactor = 50)
"""


def upgrade() -> None:
    op.execute(RATE_LIMITS)
    isolate("rate_limits")
    grant("rate_limits", u="SIU")


def downgrade() -> None:
    op.execute("DROP TABLE rate_limits")
