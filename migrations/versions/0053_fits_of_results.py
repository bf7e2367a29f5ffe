"""Which fit a result was computed with, as the run that computed it found it."""

from alembic import op

revision = "0053"
down_revision = "0052"


def upgrade() -> None:
    op.execute("ALTER TABLE recompute_jobs ADD COLUMN fit_version integer")


def downgrade() -> None:
    op.execute("ALTER TABLE recompute_jobs DROP COLUMN fit_version")
