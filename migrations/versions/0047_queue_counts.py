"""Messages that expired before anybody took them are counted beside those that came again."""

from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    op.execute("ALTER TABLE queue_redeliveries RENAME TO queue_counts")
    op.execute("ALTER INDEX queue_redeliveries_pkey RENAME TO queue_counts_pkey")
    op.execute("ALTER TABLE queue_counts RENAME message_count TO redelivered_count")
    op.execute("ALTER TABLE queue_counts ADD expired_count bigint NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE queue_counts DROP expired_count")
    op.execute("ALTER TABLE queue_counts RENAME redelivered_count TO message_count")
    op.execute("ALTER INDEX queue_counts_pkey RENAME TO queue_redeliveries_pkey")
    op.execute("ALTER TABLE queue_counts RENAME TO queue_redeliveries")
