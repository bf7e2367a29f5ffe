"""Nightly audits look at what the ledger was closed with, too."""

from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    op.execute("ALTER TABLE attribution_audits ADD COLUMN wrong_closing_count bigint NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE attribution_audits DROP COLUMN wrong_closing_count")
