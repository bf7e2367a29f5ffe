"""Allocations that can change where they lie."""

from alembic import op

revision = "0049"
down_revision = "0048"

BY_TIME = "CREATE INDEX allocations_effective_idx ON allocations (tenant_id, model_version, effective_at)"
MORE = "INCLUDE (channel_code, currency, order_id, allocated_cents)"


def upgrade() -> None:
    """Leave the amounts out of the index, and room on the pages, so that a changed amount moves nothing.

    Reports are read from summaries, which was what the amounts stood in the index for; without them it is a
    third of its size, and faster to write. Pages that are full already get their room as rows leave them.
    """
    op.execute("DROP INDEX allocations_effective_idx")
    op.execute(BY_TIME)
    op.execute("ALTER TABLE allocations SET (fillfactor = 90)")


def downgrade() -> None:
    """Have the index carry amounts again."""
    op.execute("ALTER TABLE allocations RESET (fillfactor)")
    op.execute("DROP INDEX allocations_effective_idx")
    op.execute(f"{BY_TIME} {MORE}")
